#include "http/fanout/stream_feed.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

class StreamFeed : public ::testing::Test, protected stream_io {
protected:
  ssize_t write(int fd, const iovec* parts, int count) override {
    ++writes;
    if (full.contains(fd))
      return 0;
    ssize_t taken = 0;
    for (int i = 0; i < count; ++i) {
      received[fd].append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
      taken += static_cast<ssize_t>(parts[i].iov_len);
    }
    return taken;
  }
  void watch_writable(int /*fd*/, stream_slot /*slot*/, bool /*on*/) override {}
  void ended(const ended_stream& stream) override { feed.ended(stream.slot); }

  token open(int fd) {
    const auto slot = table.add(fd, static_cast<std::uint64_t>(fd), 0);
    table.attach(slot, {});
    return table.token_of(slot);
  }

  token open(int fd, reach hears) {
    const auto slot = table.add(fd, static_cast<std::uint64_t>(fd), 0);
    feed.attach(slot, {}, {}, {}, std::make_shared<const reach>(std::move(hears)));
    return table.token_of(slot);
  }

  token open_to(int fd, std::vector<std::string> patterns, bool broadcast = true) {
    reach hears;
    hears.patterns = std::move(patterns);
    hears.broadcast = broadcast;
    return open(fd, std::move(hears));
  }

  static delivery to_some(
    event_ptr what, audience to, std::optional<token> page = {}, std::vector<token> except = {}) {
    return {
      std::move(what), std::nullopt,
      std::make_shared<const delivery_audience>(delivery_audience{
        std::make_shared<const audience>(std::move(to)), page, std::move(except)})};
  }

  static audience topic(std::string name) {
    audience to;
    to.topics.push_back(std::move(name));
    return to;
  }

  static event_ptr make(std::string data, std::uint64_t id = 0, stream_feed::time_point at = {}) {
    event made;
    made.id = {id};
    made.data = std::move(data);
    made.accepted = at;
    return std::make_shared<const event>(std::move(made));
  }

  static deliver batch(std::vector<delivery> items, ticket_id ticket = 0) {
    return {std::make_shared<const std::vector<delivery>>(std::move(items)), ticket};
  }

  void run() {
    while (table.run_slice(100)) {
    }
  }

  /// A whole round of heartbeats, in one slice.
  void beat(hearing who, bool ended = false) {
    feed.put_heartbeat(who, {0, static_cast<stream_slot>(table.slots()), true, true}, ended);
  }
  void beat() {
    beat(hearing::everything);
    beat(hearing::addressed);
  }

  std::map<int, std::string> received;
  std::set<int> full;
  std::size_t writes = 0;
  stream_table table{
    {.log_bytes = 4096, .private_queue_bytes = 1024 * 1024, .window_bytes = 1024}, *this};
  stream_feed::time_point start{1000h};
  stream_feed feed{table, start};
};

TEST_F(StreamFeed, PutsABatchInItsOrder) {
  const auto one = open(1);
  (void)open(2);
  EXPECT_TRUE(feed.put(
    batch({{make("a", 1), std::nullopt}, {make("b"), one}, {make("c", 3), std::nullopt}}), start));
  run();
  const auto first = "id: " + to_string(event_id{1}) + "\ndata: a\n\n";
  const auto last = "id: " + to_string(event_id{3}) + "\ndata: c\n\n";
  EXPECT_NE(received[1].find(first), std::string::npos);
  EXPECT_LT(received[1].find(first), received[1].find("data: b\n\n"));
  EXPECT_LT(received[1].find("data: b\n\n"), received[1].find(last));
  EXPECT_EQ(received[2].find("data: b\n\n"), std::string::npos);
  EXPECT_NE(received[2].find(last), std::string::npos);
}

TEST_F(StreamFeed, ReportsStreamsThatItDoesNotKnow) {
  const auto waiting = table.token_of(table.add(1, 1, 0));
  EXPECT_TRUE(feed.put(
    batch({{make("a"), token::from_text("x")}, {make("b"), waiting}, {make("c"), open(2)}}),
    start));
  const auto failures = feed.take_failures();
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(failures[0].stream, token::from_text("x"));
  EXPECT_TRUE(failures[0].unknown);
  EXPECT_EQ(failures[1].stream, waiting);
  EXPECT_TRUE(failures[1].unknown);
  EXPECT_TRUE(feed.take_failures().empty());
}

TEST_F(StreamFeed, GoesOnWhereThereWasNoRoom) {
  (void)open(1);
  std::vector<delivery> items;
  for (int i = 0; i < 10; ++i)
    items.push_back({make(std::to_string(i) + std::string(300, '.')), std::nullopt});
  const auto order = batch(std::move(items), 7);
  int turns = 1;
  for (; !feed.put(order, start); ++turns)
    run();
  EXPECT_GT(turns, 2);
  run();
  for (int i = 0; i < 10; ++i) {
    const auto data = "data: " + std::to_string(i) + ".";
    EXPECT_NE(received[1].find(data), std::string::npos);
    EXPECT_EQ(received[1].find(data), received[1].rfind(data)) << "once";
  }
  const auto settled = table.tickets().take_settled();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].ticket, 7u);
  EXPECT_EQ(settled[0].delivered, 10u);
}

TEST_F(StreamFeed, LeavesOthersTheirTurnInALongBatch) {
  const auto one = open(1);
  const auto order = batch(std::vector<delivery>(stream_feed::slice + 1, {make("a"), one}));
  EXPECT_FALSE(feed.put(order, start));
  EXPECT_TRUE(feed.put(order, start));
}

TEST_F(StreamFeed, TellsWhenEventsCameOnceTheyWereOffered) {
  (void)open(1);
  run();
  EXPECT_TRUE(feed.put(
    batch({{make("a", 1, start - 2s), std::nullopt}, {make("b", 2, start - 1s), std::nullopt}}),
    start));
  EXPECT_FALSE(feed.has_served());
  run();
  EXPECT_TRUE(feed.has_served());
  std::vector<stream_feed::time_point> accepted;
  feed.each_served([&](service_type service, stream_feed::time_point at) {
    EXPECT_EQ(service, service_type::event);
    accepted.push_back(at);
  });
  EXPECT_EQ(accepted, (std::vector{start - 2s, start - 1s}));
  EXPECT_FALSE(feed.has_served());
}

TEST_F(StreamFeed, KnowsHowLongStreamsWereQuiet) {
  EXPECT_EQ(feed.last_frame(), start);
  EXPECT_TRUE(feed.put(batch({{make("a"), std::nullopt}}), start + 1s));
  EXPECT_EQ(feed.last_frame(), start) << "there is no stream";
  const auto one = open(1);
  EXPECT_TRUE(feed.put(batch({{make("a"), one}}), start + 2s));
  EXPECT_EQ(feed.last_frame(), start) << "it was for one";
  EXPECT_TRUE(feed.put(batch({{make("a"), std::nullopt}}), start + 3s));
  EXPECT_EQ(feed.last_frame(), start + 3s);
  beat();
  EXPECT_EQ(feed.last_frame(), start + 3s);
  run();
  EXPECT_NE(received[1].find(": heartbeat\n"), std::string::npos);
}

TEST_F(StreamFeed, GivesAnEventOnceToEachStreamThatHearsIt) {
  (void)open(1);
  (void)open_to(2, {"orders/42/*", "orders/*"});
  reach boss;
  boss.subject = "ann";
  boss.roles = {"editor"};
  (void)open(3, boss);
  (void)open_to(4, {"news/*"});
  const auto page = open(5);
  audience to = topic("orders/42/status");
  to.topics.emplace_back("orders/43");
  to.subject = "ann";
  to.role = "editor";
  EXPECT_TRUE(
    feed.put(batch({to_some(make("some"), to, page), {make("all"), std::nullopt}}), start));
  run();
  const std::string all = "data: all\n\n";
  const std::string both = "data: some\n\n" + all;
  EXPECT_EQ(received[1], all);
  EXPECT_EQ(received[2], both);
  EXPECT_EQ(received[3], both);
  EXPECT_EQ(received[4], all);
  EXPECT_EQ(received[5], both);
  EXPECT_TRUE(feed.take_failures().empty());
}

TEST_F(StreamFeed, LeavesPagesOutThatAreNotToGetIt) {
  const auto one = open_to(1, {"a"});
  (void)open_to(2, {"a"});
  const auto three = open(3);
  const auto gone = token::from_text("gone");
  EXPECT_TRUE(feed.put(
    batch(
      {to_some(make("some"), topic("a"), three, {one, gone, one}),
       to_some(make("all"), {}, {}, {three, three, gone}),
       to_some(make("nobody"), topic("b"), three, {three})},
      7),
    start));
  run();
  EXPECT_EQ(received[1], "data: all\n\n");
  EXPECT_EQ(received[2], "data: some\n\ndata: all\n\n");
  EXPECT_EQ(received[3], "data: some\n\n");
  EXPECT_TRUE(feed.take_failures().empty());
  const auto settled = table.tickets().take_settled();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].delivered, 4u);
  EXPECT_EQ(settled[0].pending, 0u);
}

TEST_F(StreamFeed, ReportsAPageThatItDoesNotKnowAndGoesOnWithTheOthers) {
  (void)open_to(1, {"a"});
  const auto gone = token::from_text("gone");
  EXPECT_TRUE(feed.put(batch({to_some(make("some"), topic("a"), gone)}), start));
  run();
  EXPECT_EQ(received[1], "data: some\n\n");
  const auto failures = feed.take_failures();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].stream, gone);
  EXPECT_TRUE(failures[0].unknown);
}

TEST_F(StreamFeed, KnowsNoStreamThatWaitsOrHasEnded) {
  const auto waiting = table.add(1, 1, 0);
  const auto two = open_to(2, {"a"});
  const auto slot = *table.find(two);
  table.drop(slot, end_reason::client_closed);
  EXPECT_EQ(feed.members().subscriptions(), 0u);
  (void)open(3);
  EXPECT_TRUE(feed.put(batch({to_some(make("some"), topic("a"))}), start));
  feed.change(waiting, std::make_shared<const reach>(reach{{}, {}, {}, {"a"}}));
  EXPECT_EQ(feed.members().subscriptions(), 0u);
  run();
  EXPECT_EQ(received[1] + received[2] + received[3], "");
}

TEST_F(StreamFeed, TakesAStreamThatIsBeingClosedForNoMember) {
  const auto one = open_to(1, {"a"});
  full.insert(1);
  EXPECT_TRUE(feed.put(batch({to_some(make("some"), topic("a"))}), start));
  run();
  table.close(*table.find(one), "bye.", start);
  EXPECT_TRUE(feed.put(batch({to_some(make("more"), topic("a"))}, 7), start));
  EXPECT_TRUE(feed.take_failures().empty());
  EXPECT_EQ(table.tickets().take_settled().size(), 1u);
}

TEST_F(StreamFeed, CountsAStreamThatHasTooMuchWaiting) {
  (void)open_to(1, {"a"});
  full.insert(1);
  const auto large = make(std::string(400'000, 'x'));
  for (int i = 0; i < 3; ++i) {
    while (!feed.put(batch({to_some(large, topic("a"))}), start))
      run();
    run();
  }
  const auto failures = feed.take_failures();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_FALSE(failures[0].unknown);
}

TEST_F(StreamFeed, ChangesWhatAStreamHearsBetweenTwoEvents) {
  const auto slot = *table.find(open_to(1, {"a"}));
  const auto put = [&](std::string data) {
    EXPECT_TRUE(
      feed.put(batch({to_some(make(data), topic("a")), {make(data + "!"), std::nullopt}}), start));
  };
  put("1");
  feed.change(slot, std::make_shared<const reach>(reach{{}, {}, {}, {"b"}, false}));
  put("2");
  feed.change(slot, std::make_shared<const reach>(reach{{}, {}, {}, {"a"}, false}));
  put("3");
  feed.change(slot, nullptr);
  put("4");
  run();
  EXPECT_EQ(received[1], "data: 1\n\ndata: 1!\n\ndata: 3\n\ndata: 4!\n\n");
  EXPECT_EQ(feed.members().subscriptions(), 0u);
  EXPECT_FALSE(table.check());
}

TEST_F(StreamFeed, TellsWhenAnEventForSomeCameOnceTheyWereOffered) {
  (void)open_to(1, {"a"});
  run();
  EXPECT_TRUE(feed.put(batch({to_some(make("some", 1, start - 1s), topic("a"))}), start));
  EXPECT_FALSE(feed.has_served());
  run();
  std::size_t noted = 0;
  feed.each_served([&](service_type, stream_feed::time_point at) {
    EXPECT_EQ(at, start - 1s);
    ++noted;
  });
  EXPECT_EQ(noted, 1u);
  EXPECT_TRUE(feed.put(batch({to_some(make("nobody"), topic("b"))}), start));
  run();
  EXPECT_FALSE(feed.has_served());
}

/// For events that many streams hear.
class StreamFeedToMany : public StreamFeed {
protected:
  static constexpr int count = 3000;

  StreamFeedToMany() {
    for (int fd = 0; fd < count; ++fd)
      streams.push_back(open_to(fd, {"a"}));
    run();
    feed.put(batch({{make("x", 1, start), std::nullopt}}), start);
    run();
    feed.each_served([](service_type, stream_feed::time_point) {});
    received.clear();
  }

  std::size_t got(std::string_view what) const {
    std::size_t all = 0;
    for (const auto& [fd, bytes] : received)
      all += bytes == what ? 1 : 0;
    return all;
  }

  std::vector<token> streams;
};

TEST_F(StreamFeedToMany, PutsAnEventForManyInSlicesWhateverEndsMeanwhile) {
  const auto order = batch({to_some(make("some", 0, start - 1s), topic("a"))}, 7);
  ASSERT_FALSE(feed.put(order, start));
  const auto begun =
    static_cast<std::size_t>(4096 / sizeof(private_frame)); // as many references as there may be
  (void)table.run_slice(10);
  // One that has it already, one that has not, and the last; then others in their slots.
  for (const auto& stream : {streams[5], streams[1500], streams[count - 1]})
    table.drop(*table.find(stream), end_reason::client_closed);
  for (int fd = count; fd < count + 2; ++fd)
    (void)open_to(fd, {"a"});
  const auto waiting = table.add(count + 2, 1, 0);
  EXPECT_FALSE(feed.put(order, start)) << "references wait";
  int turns = 0;
  for (; !feed.put(order, start); ++turns) {
    EXPECT_FALSE(feed.has_served()) << "not all have it";
    (void)table.run_slice(50);
  }
  EXPECT_GT(turns, count / static_cast<int>(begun) - 1);
  run();
  EXPECT_EQ(got("data: some\n\n"), count - 3 + received.count(5));
  EXPECT_EQ(received.count(1500) + received.count(count - 1), 0u);
  EXPECT_EQ(received[count] + received[count + 1] + received[count + 2], "");
  std::size_t noted = 0;
  feed.each_served([&](service_type, stream_feed::time_point) { ++noted; });
  EXPECT_EQ(noted, 1u) << "once for all";
  const auto settled = table.tickets().take_settled();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].delivered, count - 3 + received.count(5));
  EXPECT_TRUE(table.tickets().idle());
  EXPECT_TRUE(table.waiting(waiting));
}

TEST_F(StreamFeedToMany, WaitsForStreamsThatReadWellAndSendsThemSeveralAtOnce) {
  full.insert(3);
  writes = 0;
  std::size_t events = 0;
  // A publisher who never waits.
  for (; events < 40; ++events) {
    const auto order = batch({to_some(
      make(std::string(30, 'x')), topic("a"), std::nullopt,
      std::vector(streams.begin() + 10, streams.begin() + 26))});
    while (!feed.put(order, start))
      (void)table.run_slice(256);
  }
  run();
  EXPECT_EQ(table.tally().lagged + table.tally().overflowed, 0u);
  EXPECT_EQ(got(received[0]), count - 17u);
  EXPECT_EQ(received[0].size(), 40 * std::string("data: \n\n" + std::string(30, 'x')).size());
}

TEST_F(StreamFeed, LetsAPublisherWaitWhoIsFasterThanTheSockets) {
  for (int fd = 0; fd < 5; ++fd)
    (void)open_to(fd, {"a"});
  run();
  writes = 0;
  const auto order = batch({to_some(make(std::string(100, 'x')), topic("a"))});
  std::size_t taken = 0;
  while (feed.put(order, start))
    ++taken;
  // A window of 1,024 bytes, for 108 each and their places.
  EXPECT_EQ(taken, 6u);
  EXPECT_EQ(writes, 0u);
  run();
  EXPECT_EQ(writes, 5u) << "what has waited goes in one send";
  EXPECT_TRUE(feed.put(order, start)) << "and now there is room again";
}

TEST_F(StreamFeed, BeatsForStreamsThatHearNoBroadcastsWhileOthersAreBusy) {
  (void)open(1);
  (void)open_to(2, {"a"}, false);
  EXPECT_TRUE(feed.put(batch({{make("all"), std::nullopt}}), start + 10s));
  EXPECT_EQ(feed.last_frame(), start + 10s);
  EXPECT_EQ(feed.last_frame(hearing::addressed), start);
  beat(hearing::addressed);
  run();
  EXPECT_EQ(received[1], "data: all\n\n");
  EXPECT_EQ(received[2], ": heartbeat\n");
  beat(hearing::everything, true);
  EXPECT_EQ(received[1], "data: all\n\n: heartbeat\n\n");
  EXPECT_EQ(received[2], ": heartbeat\n");
  for (const auto who : {hearing::everything, hearing::addressed})
    feed.put_heartbeat_event(who, {0, 2, true, true});
  for (const int fd : {1, 2})
    EXPECT_TRUE(received[fd].ends_with("\nevent: heartbeat\ndata: \n\n")) << received[fd];
}

TEST_F(StreamFeed, NamesAPlaceOnceWithTheNextHeartbeatOfEachKind) {
  (void)open(1);
  (void)open_to(2, {"a"}, false);
  feed.note_place({});
  beat();
  feed.note_place({70});
  feed.note_place({60});
  beat();
  beat();
  feed.note_place({80});
  for (const auto who : {hearing::everything, hearing::addressed})
    feed.put_heartbeat_event(who, {0, 2, true, true});
  const std::string heartbeat = ": heartbeat\n";
  const auto expected = heartbeat + "id: " + to_string(event_id{70}) + "\n\n" + heartbeat
                        + heartbeat + "id: " + to_string(event_id{80})
                        + "\n\nevent: heartbeat\ndata: \n\n";
  EXPECT_EQ(received[1], expected);
  EXPECT_EQ(received[2], expected);
}

TEST_F(StreamFeed, NamesAPlaceByAnEventWhereAClientNeedsOne) {
  (void)open(1);
  const auto slot = table.add(2, 2, 0);
  feed.attach(slot, {.head = {}, .cursor = cursor_form::event}, {}, {}, nullptr);
  run();
  received.clear();
  feed.note_place({70});
  beat(hearing::everything);
  const auto value = make("v", 60);
  feed.put_values(slot, {&value, 1}, {80});
  run();
  EXPECT_EQ(received[1], "id: " + to_string(event_id{70}) + "\n\n: heartbeat\n");
  const auto event = [](std::uint64_t id) {
    return "id: " + to_string(event_id{id}) + "\nevent: cursor\ndata: {}\n\n";
  };
  EXPECT_EQ(
    received[2],
    event(70) + ": heartbeat\nid: " + to_string(event_id{60}) + "\ndata: v\n\n" + event(80));
}

TEST_F(StreamFeed, NamesAPlaceUntilAWholeRoundHasHeardOfIt) {
  for (int fd = 0; fd < 4; ++fd)
    (void)open(fd);
  run();
  received.clear();
  feed.put_heartbeat(hearing::everything, {0, 2, true, false});
  feed.note_place({70});
  feed.put_heartbeat(hearing::everything, {2, 4, false, true});
  beat();
  beat();
  const auto place = "id: " + to_string(event_id{70}) + "\n\n";
  const std::string heartbeat = ": heartbeat\n";
  EXPECT_EQ(received[0], heartbeat + place + heartbeat + heartbeat);
  EXPECT_EQ(received[3], place + heartbeat + place + heartbeat + heartbeat);
}

TEST_F(StreamFeed, NamesAPlaceThatARoundWasCutOffAt) {
  for (int fd = 0; fd < 4; ++fd)
    (void)open(fd);
  run();
  received.clear();
  feed.note_place({70});
  feed.put_heartbeat(hearing::everything, {0, 2, true, false});
  feed.put_heartbeat(hearing::everything, {0, 2, true, false});
  feed.put_heartbeat(hearing::everything, {2, 4, false, true});
  const auto place = "id: " + to_string(event_id{70}) + "\n\n";
  EXPECT_EQ(received[3], place + ": heartbeat\n");
}

TEST_F(StreamFeed, NamesNoPlaceBeforeAnEventThatStreamsHave) {
  const auto one = open(1);
  feed.note_place({70});
  EXPECT_TRUE(feed.put(batch({{make("a", 75), one}}), start));
  beat();
  run();
  EXPECT_EQ(received[1].find("id: " + to_string(event_id{70}) + "\n"), std::string::npos);
  EXPECT_TRUE(received[1].ends_with("id: " + to_string(event_id{75}) + "\n\n: heartbeat\n"));
}

TEST_F(StreamFeedToMany, NamesNoPlaceWhileAnEventIsOnItsWay) {
  const auto order = batch({to_some(make("some", 75), topic("a"))});
  feed.note_place({70});
  ASSERT_FALSE(feed.put(order, start));
  beat();
  while (!feed.put(order, start))
    run();
  beat();
  run();
  const auto last = "id: " + to_string(event_id{75}) + "\n\n: heartbeat\n";
  for (const int fd : {0, count - 1}) {
    EXPECT_EQ(received[fd].find("id: " + to_string(event_id{70}) + "\n"), std::string::npos);
    EXPECT_TRUE(received[fd].ends_with(last)) << received[fd];
  }
}

} // namespace
} // namespace herald
