#include "http/fanout/stream_table.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <new>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "http/fanout/sse_format.hpp"
#include "tests/support/history_ranges.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// Sockets that take as many bytes as the test says.
class fake_sockets final : public stream_io {
public:
  ssize_t write(int fd, const iovec* parts, int count) override {
    ++writes;
    if (broken.contains(fd))
      return -1;
    std::size_t taken = 0;
    for (int i = 0; i < count; ++i) {
      const std::string_view bytes{static_cast<const char*>(parts[i].iov_base), parts[i].iov_len};
      const auto some = bytes.substr(0, room_of(fd) - taken);
      received[fd] += some;
      taken += some.size();
    }
    if (const auto found = room.find(fd); found != room.end())
      found->second -= taken;
    return static_cast<ssize_t>(taken);
  }

  void write_each(std::span<socket_send> sends, pauses how) override {
    ++batches;
    last_pauses = how;
    stream_io::write_each(sends, how);
  }

  void watch_writable(int fd, stream_slot slot, bool on) override {
    if (on && fails_to_watch.erase(fd) != 0)
      throw std::bad_alloc{};
    if (on)
      watched[fd] = slot;
    else
      watched.erase(fd);
  }

  void ended(const ended_stream& stream) override {
    gone[stream.fd] = stream;
    EXPECT_FALSE(watched.contains(stream.fd));
  }

  std::size_t room_of(int fd) const {
    const auto found = room.find(fd);
    return found == room.end() ? std::string::npos : found->second;
  }

  /// Bytes that a socket still takes; without limit if it is not here.
  std::map<int, std::size_t> room;
  std::set<int> broken;
  /// Those that fail once.
  std::set<int> fails_to_watch;
  std::map<int, std::string> received;
  std::map<int, stream_slot> watched;
  std::map<int, ended_stream> gone;
  std::size_t writes = 0;
  std::size_t batches = 0;
  pauses last_pauses = pauses::none;
};

/// What a frame costs in the queue of a stream beside its bytes.
constexpr std::size_t place = 40;

class StreamTable : public ::testing::Test {
protected:
  explicit StreamTable(
    std::size_t own_bytes = 100 + 2 * place,
    std::size_t all_bytes = std::numeric_limits<std::size_t>::max())
    : table{
      {.loop = 3,
       .log_bytes = 1024,
       .private_queue_bytes = own_bytes,
       .window_bytes = 256,
       .linger = milliseconds{5000},
       .max_private_bytes = all_bytes},
      sockets} {}

  stream_slot open(int fd, std::string head = "head|") {
    const auto slot = table.add(fd, static_cast<std::uint64_t>(fd) << 20, 0);
    table.attach(slot, {std::move(head)});
    return slot;
  }

  /// A stream that has missed `count` events of `bytes` each.
  stream_slot
  come_back(int fd, std::size_t count, std::size_t bytes = 50, event_id live_from = {}) {
    const auto slot = table.add(fd, static_cast<std::uint64_t>(fd) << 20, 0);
    table.attach(slot, {"head|"}, missed(count, bytes), live_from);
    return slot;
  }

  static missed_events missed(std::size_t count, std::size_t bytes) {
    const auto block = std::make_shared<history_block>(count);
    for (std::size_t i = 1; i <= count; ++i) {
      auto what = std::make_shared<event>();
      what->id = {i};
      what->data.assign(bytes, 'm');
      block->append({std::move(what), {}});
    }
    return {{}, testing::range_of({block}), {}, {}};
  }

  static std::string frames_of(std::size_t count, std::size_t bytes = 50) {
    std::string all;
    for (auto walk = missed(count, bytes); const auto what = walk.next();)
      append_event(all, what->id, what->name, what->data);
    return all;
  }

  void run() {
    while (table.run_slice(3)) {
    }
  }

  void broadcast(std::string_view frame) { table.broadcast(frame, service_type::event); }

  /// All of one kind.
  bool tell(hearing who, std::string_view frame) {
    return table.tell(who, 0, static_cast<stream_slot>(table.slots()), {frame, frame});
  }

  void release(int fd) {
    sockets.room.erase(fd);
    table.writable(sockets.watched.at(fd));
  }

  fake_sockets sockets;
  stream_table table;
  stream_table::time_point now{std::chrono::hours{1}};
};

/// With room for much that waits for one stream alone.
class StreamTableWithRoom : public StreamTable {
protected:
  StreamTableWithRoom() : StreamTable(4096) {}
};

TEST_F(StreamTable, SendsToEveryOpenStream) {
  for (int fd = 1; fd <= 10; ++fd)
    open(fd);
  run();
  broadcast("one.");
  broadcast("two.");
  run();
  for (int fd = 1; fd <= 10; ++fd)
    EXPECT_EQ(sockets.received[fd], "head|one.two.") << fd;
  EXPECT_EQ(sockets.writes, 20u) << "what was behind goes out in one write";
  EXPECT_EQ(table.tally().sent, (frame_counts{0, 0, 20}));
}

TEST_F(StreamTable, RepeatsNothingToOthersWhereOneStreamFails) {
  for (int fd = 1; fd <= 5; ++fd)
    open(fd);
  run();
  sockets.room[2] = 2;
  sockets.fails_to_watch = {2};
  broadcast("one.");
  EXPECT_THROW((void)table.run_slice(10), std::bad_alloc);
  broadcast("two.");
  run();
  for (const int fd : {1, 3, 4, 5})
    EXPECT_EQ(sockets.received[fd], "head|one.two.") << fd;
  EXPECT_EQ(sockets.received[2], "head|on") << "what there was room for";
}

TEST_F(StreamTable, GivesAStreamOnlyWhatComesAfterItsAttach) {
  open(1);
  broadcast("before.");
  const auto second = table.add(2, 0, 0);
  broadcast("waiting.");
  table.attach(second, {"head|"});
  broadcast("after.");
  run();
  EXPECT_EQ(sockets.received[1], "head|before.waiting.after.");
  EXPECT_EQ(sockets.received[2], "head|after.");
}

TEST_F(StreamTable, PutsPrivateFramesInTheirPlace) {
  const auto slot = open(1);
  open(2);
  broadcast("a.");
  table.push(slot, "mine.", service_type::version);
  table.push(slot, "too.", service_type::version);
  broadcast("b.");
  table.push(slot, "last.", service_type::version);
  run();
  EXPECT_EQ(sockets.received[1], "head|a.mine.too.b.last.");
  EXPECT_EQ(sockets.received[2], "head|a.b.");
  EXPECT_EQ(table.tally().sent, (frame_counts{3, 0, 4}));
}

TEST_F(StreamTable, SendsAPrivateFrameWithoutAPass) {
  for (int fd = 1; fd <= 5; ++fd)
    open(fd);
  run();
  sockets.writes = 0;
  table.push(2, "mine.", service_type::version);
  run();
  EXPECT_EQ(sockets.writes, 1u);
}

TEST_F(StreamTable, ContinuesAtEveryByte) {
  const std::string all = "head|a.bb.mine.ccc.farewell";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    const int fd = 100 + static_cast<int>(cut);
    sockets.room[fd] = cut;
    const auto slot = open(fd);
    run();
    broadcast("a.");
    broadcast("bb.");
    table.push(slot, "mine.", service_type::task);
    run();
    broadcast("ccc.");
    run();
    table.close(slot, "farewell", now);
    run();
    EXPECT_EQ(sockets.received[fd], all.substr(0, cut));
    if (cut < all.size()) {
      EXPECT_FALSE(sockets.gone.contains(fd));
      release(fd);
    }
    EXPECT_EQ(sockets.received[fd], all);
    EXPECT_EQ(sockets.gone.at(fd).reason, end_reason::server_closed);
  }
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(StreamTable, LeavesABlockedStreamOutOfPasses) {
  sockets.room[1] = 0;
  open(1);
  open(2);
  run();
  const auto before = sockets.writes;
  broadcast("a.");
  run();
  EXPECT_EQ(sockets.writes, before + 1);
  release(1);
  EXPECT_EQ(sockets.received[1], "head|a.");
  EXPECT_TRUE(sockets.watched.empty());
}

TEST_F(StreamTable, TellsALappedStreamAtTheEndOfAFrame) {
  sockets.room[1] = 5 + 30;
  open(1);
  open(2);
  const std::string frame(100, 'x');
  for (int i = 0; i < 20; ++i) {
    broadcast(frame);
    run();
  }
  EXPECT_EQ(table.tally().lagged, 1u);
  release(1);
  EXPECT_EQ(
    sockets.received[1],
    "head|" + frame + "event: lagged\ndata: {\"reason\":\"read too slowly\"}\n\n");
  EXPECT_EQ(sockets.gone.at(1).reason, end_reason::error);
  EXPECT_EQ(sockets.received[2].size(), 5 + 20 * frame.size()) << "others are not affected";
  EXPECT_EQ(table.tally().sent, (frame_counts{0, 0, 20}));
  EXPECT_GT(table.tally().failed[2], 0u);
}

TEST_F(StreamTable, BeginsAStreamThatIsLappedBeforeItHasBegun) {
  sockets.room[1] = 0;
  sockets.room[2] = 2;
  open(1);
  open(2);
  for (int i = 0; i < 20; ++i) {
    broadcast(std::string(100, 'x'));
    run();
  }
  EXPECT_EQ(table.tally().lagged, 2u);
  for (const int fd : {1, 2}) {
    release(fd);
    EXPECT_EQ(
      sockets.received[fd], "head|event: lagged\ndata: {\"reason\":\"read too slowly\"}\n\n");
    EXPECT_EQ(sockets.gone.at(fd).reason, end_reason::error);
  }
}

TEST_F(StreamTable, BeginsAStreamThatIsLappedBeforeItGotWhatItHasMissed) {
  sockets.room[1] = 0;
  const auto slot = come_back(1, 3);
  run();
  EXPECT_TRUE(table.push(slot, std::string(60, 'x'), service_type::version));
  EXPECT_FALSE(table.push(slot, std::string(60, 'y'), service_type::version));
  release(1);
  EXPECT_TRUE(sockets.received[1].starts_with("head|event: lagged\n")) << sockets.received[1];
}

TEST_F(StreamTable, CutsALappedStreamOffThatDoesNotListen) {
  sockets.room[1] = 0;
  open(1);
  for (int i = 0; i < 20; ++i) {
    broadcast(std::string(100, 'x'));
    run();
  }
  table.expire(now);
  EXPECT_FALSE(sockets.gone.contains(1)) << "it has some time";
  table.expire(now + milliseconds{4999});
  EXPECT_FALSE(sockets.gone.contains(1));
  table.expire(now + milliseconds{5000});
  EXPECT_EQ(sockets.gone.at(1).reason, end_reason::error);
}

TEST_F(StreamTable, ClosesAStreamWhosePrivateQueueOverflows) {
  sockets.room[1] = 0;
  const auto slot = open(1);
  run();
  EXPECT_TRUE(table.push(slot, std::string(60, 'x'), service_type::version));
  EXPECT_FALSE(table.push(slot, std::string(60, 'y'), service_type::version));
  EXPECT_FALSE(table.push(slot, "z", service_type::version)) << "it is closing";
  release(1);
  EXPECT_NE(sockets.received[1].find("event: lagged"), std::string::npos);
  EXPECT_EQ(table.tally().overflowed, 1u);
  EXPECT_EQ(table.tally().failed[0], 1u);
}

TEST_F(StreamTable, SendsWhatWasMissedBeforeAllThatIsNew) {
  const auto slot = come_back(1, 3);
  broadcast("new.");
  ASSERT_TRUE(table.push(slot, "mine.", service_type::event));
  run();
  EXPECT_EQ(sockets.received[1], "head|" + frames_of(3) + "new.mine.");
  EXPECT_EQ(table.tally().replayed, 3u);
  EXPECT_EQ(table.tally().sent, (frame_counts{0, 0, 5}));
}

TEST_F(StreamTable, MakesNoChunkWhereNothingWasMissed) {
  const auto slot = table.add(1, 1, 0);
  table.attach(slot, {"head|", {}, framing::chunked}, {});
  run();
  EXPECT_EQ(sockets.received[1], "head|") << "an empty chunk would be the last";
  broadcast("new.");
  run();
  EXPECT_EQ(sockets.received[1], "head|4\r\nnew.\r\n");
}

TEST_F(StreamTable, FramesAllThatAStreamGets) {
  const auto chunked = table.add(1, 1, 0);
  table.attach(chunked, {"head|", "first.", framing::chunked});
  const auto bare = table.add(2, 2, 0);
  table.attach(bare, {"head|", "first.", framing::bare});
  run();
  for (const auto* frame : {"one.", "two."})
    broadcast(frame);
  sockets.writes = 0;
  run();
  EXPECT_EQ(sockets.writes, 2u) << "frames lie one behind the other in each log";
  for (const auto slot : {chunked, bare})
    ASSERT_TRUE(table.push(slot, "mine.", service_type::event));
  for (const auto slot : {chunked, bare})
    table.close(slot, "bye.", now);
  run();
  EXPECT_EQ(
    sockets.received[1], "head|6\r\nfirst.\r\n4\r\none.\r\n4\r\ntwo.\r\n5\r\nmine.\r\n4\r\nbye.\r\n"
                         "0\r\n\r\n");
  EXPECT_EQ(sockets.received[2], "head|first.one.two.mine.bye.");
}

TEST_F(StreamTable, SendsMoreOfWhatWasMissedThanMayWaitForAStreamAlone) {
  const auto slot = come_back(1, 5000, 200, {9999});
  ASSERT_TRUE(table.push(slot, std::string(90, 'p'), service_type::event));
  run();
  EXPECT_EQ(
    sockets.received[1], "head|" + frames_of(5000, 200) + "id: 9999\n\n" + std::string(90, 'p'));
  EXPECT_EQ(table.tally().overflowed, 0u);
  EXPECT_EQ(table.blocked_streams(), 0u);
  EXPECT_FALSE(table.has_work());
}

TEST_F(StreamTable, SaysFromWhereAStreamIsLiveByAnEventWhereItsClientNeedsOne) {
  const auto fresh = table.add(1, 1, 0);
  table.attach(fresh, {.head = "head|", .cursor = cursor_form::event}, {}, {7});
  const auto back = table.add(2, 2, 0);
  table.attach(back, {.head = "head|", .cursor = cursor_form::event}, missed(300, 50), {400});
  const auto other = open(3);
  broadcast("new.");
  run();
  const std::string event = "event: cursor\ndata: {}\n\n";
  EXPECT_EQ(sockets.received[1], "head|id: 7\n" + event + "new.");
  EXPECT_EQ(sockets.received[2], "head|" + frames_of(300) + "id: 400\n" + event + "new.");
  EXPECT_EQ(table.cursor_form_of(back), cursor_form::event);
  EXPECT_EQ(table.cursor_form_of(other), cursor_form::block);
  // Its slot is another client's next.
  table.drop(back, end_reason::client_closed);
  EXPECT_EQ(table.cursor_form_of(open(4)), cursor_form::block);
}

TEST_F(StreamTable, SaysFromWhereAStreamIsLiveBeforeAllThatIsNew) {
  const auto fresh = table.add(1, 1, 0);
  table.attach(fresh, {"head|"}, {}, {7});
  const auto back = come_back(2, 300, 50, {400});
  broadcast("new.");
  for (const auto slot : {fresh, back})
    ASSERT_TRUE(table.push(slot, "mine.", service_type::event));
  run();
  EXPECT_EQ(sockets.received[1], "head|id: 7\n\nnew.mine.");
  EXPECT_EQ(sockets.received[2], "head|" + frames_of(300) + "id: 400\n\nnew.mine.")
    << "behind all that it has missed";
  EXPECT_EQ(table.tally().replayed, 300u);
}

TEST_F(StreamTable, NamesNoPlaceToAStreamThatDoesNotGetWhatItHasMissed) {
  sockets.room[1] = 500;
  come_back(1, 1000, 50, {5000});
  run();
  for (int i = 0; i < 20; ++i)
    broadcast(std::string(200, 'n'));
  release(1);
  run();
  EXPECT_NE(sockets.received[1].find("event: lagged"), std::string::npos);
  EXPECT_EQ(sockets.received[1].find("id: 5000\n"), std::string::npos)
    << "it would come back from there";
}

TEST_F(StreamTable, GoesOnAnywhereInWhatWasMissed) {
  const auto expected = "head|" + frames_of(3) + "id: 9\n\nnew.";
  for (std::size_t cut = 0; cut < expected.size(); ++cut) {
    sockets.received[1].clear();
    sockets.room[1] = cut;
    const auto slot = come_back(1, 3, 50, {9});
    run();
    broadcast("new.");
    run();
    release(1);
    run();
    EXPECT_EQ(sockets.received[1], expected) << cut;
    table.drop(slot, end_reason::client_closed);
  }
}

TEST_F(StreamTable, LetsStreamsThatCatchUpTakeTurnsWithAllOthers) {
  open(1);
  run();
  come_back(2, 10'000, 200);
  come_back(3, 10'000, 200);
  EXPECT_TRUE(table.run_slice(1000));
  broadcast("live.");
  EXPECT_TRUE(table.run_slice(1000));
  EXPECT_EQ(sockets.received[1], "head|live.") << "waits for nobody's replay";
  const auto all = frames_of(10'000, 200).size();
  for (const int fd : {2, 3}) {
    EXPECT_GT(sockets.received[fd].size(), all / 50);
    EXPECT_LT(sockets.received[fd].size(), all);
  }
  run();
  EXPECT_EQ(sockets.received[3], "head|" + frames_of(10'000, 200) + "live.");
  EXPECT_EQ(sockets.received[2].size(), sockets.received[3].size());
}

TEST_F(StreamTable, ClosesAStreamThatCatchesUpOnceItHasAll) {
  const auto slot = come_back(1, 1000, 200);
  table.run_slice(1000);
  table.close(slot, "bye.", now);
  run();
  EXPECT_EQ(sockets.received[1], "head|" + frames_of(1000, 200) + "bye.");
  EXPECT_TRUE(sockets.gone.contains(1));
}

TEST_F(StreamTable, GivesTheSlotOfAStreamThatEndsWhileItCatchesUpToAnother) {
  const auto slot = come_back(1, 1000, 200);
  table.run_slice(1000);
  table.drop(slot, end_reason::client_closed);
  EXPECT_EQ(open(2), slot);
  broadcast("live.");
  run();
  EXPECT_EQ(sockets.received[2], "head|live.");
  EXPECT_FALSE(table.has_work());
}

TEST_F(StreamTable, TakesInNoMoreThanAWindowAheadOfAPass) {
  for (int fd = 1; fd <= 10; ++fd)
    open(fd);
  run();
  int taken = 0;
  for (; table.room_for(50); ++taken)
    broadcast(std::string(50, 'x'));
  EXPECT_EQ(taken, 5);
  EXPECT_TRUE(table.run_slice(3));
  EXPECT_FALSE(table.room_for(50)) << "not all were served";
  run();
  EXPECT_TRUE(table.room_for(50));
}

TEST_F(StreamTable, FindsStreamsByTheWholeToken) {
  const auto slot = open(1);
  const auto stream = table.token_of(slot);
  EXPECT_EQ(table.find(stream), slot);
  EXPECT_EQ(table.find(token::from_bits(stream.high() + 1, stream.low())), std::nullopt);
  EXPECT_EQ(table.find(token::from_bits(stream.high(), stream.low() + 1)), std::nullopt);
  EXPECT_EQ(table.find(token::from_text("foreign")), std::nullopt);
  EXPECT_EQ(stream.str().at(14), '4') << "a version 4 UUID";
  EXPECT_EQ(stream.str().at(19), '8');

  table.drop(slot, end_reason::client_closed);
  EXPECT_EQ(table.find(stream), std::nullopt);
  EXPECT_EQ(open(2), slot) << "the slot is used again";
  EXPECT_EQ(table.find(stream), std::nullopt) << "for another token";
}

TEST_F(StreamTable, RefusesAWaitingStreamWithAnAnswer) {
  const auto slot = table.add(1, 0, 0);
  table.refuse(slot, "answer", false, now);
  run();
  EXPECT_EQ(sockets.received[1], "answer");
  EXPECT_FALSE(sockets.gone.at(1).report);
}

TEST_F(StreamTable, ClosesAClientThatFloods) {
  const auto slot = open(1);
  for (int i = 0; i < 64; ++i)
    table.received(slot, 10);
  EXPECT_FALSE(sockets.gone.contains(1));
  table.received(slot, 10);
  EXPECT_EQ(sockets.gone.at(1).reason, end_reason::error);
}

TEST_F(StreamTable, CountsThePlacesOfTinyFramesToo) {
  sockets.room[1] = 0;
  const auto slot = open(1);
  run();
  std::size_t taken = 0;
  while (table.push(slot, "x", service_type::version))
    ++taken;
  EXPECT_EQ(taken, (100 + 2 * place - (place + 5)) / (place + 1));
  EXPECT_EQ(table.tally().overflowed, 1u);
}

TEST_F(StreamTable, PushesOneTextToStreamsOfEachFraming) {
  const auto bare = open(1);
  const auto chunked = table.add(2, 2, 0);
  table.attach(chunked, {"head|", {}, framing::chunked});
  const auto other = open(3);
  run();
  const auto ticket = table.tickets().open(5);
  shared_frame frame{"shared.", service_type::event, ticket};
  for (const auto slot : {bare, chunked, other})
    EXPECT_TRUE(table.push(slot, frame));
  table.tickets().seal(ticket);
  EXPECT_EQ(sockets.received[1] + sockets.received[2] + sockets.received[3], "head|head|head|");
  broadcast("later.");
  run();
  EXPECT_EQ(sockets.received[1], "head|shared.later.");
  EXPECT_EQ(sockets.received[2], "head|7\r\nshared.\r\n6\r\nlater.\r\n");
  EXPECT_EQ(sockets.received[3], "head|shared.later.");
  EXPECT_EQ(table.tally().sent, (frame_counts{0, 0, 6}));
  const auto settled = table.tickets().take_settled();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].delivered, 3u);
}

TEST_F(StreamTable, PushesNothingToAStreamThatIsNotOpen) {
  shared_frame frame{"shared.", service_type::event};
  const auto waiting = table.add(1, 1, 0);
  EXPECT_FALSE(table.push(waiting, frame));
  const auto closing = open(2);
  table.close(closing, "bye.", now);
  EXPECT_FALSE(table.push(closing, frame));
  run();
  EXPECT_EQ(sockets.received[1], "");
  EXPECT_EQ(sockets.received[2], "head|bye.");
}

TEST_F(StreamTable, LetsOthersRunWhileItSendsWhatIsNotOnlyAnswersToWhoConnects) {
  using pauses = stream_io::pauses;
  open(1);
  open(2);
  run();
  EXPECT_EQ(sockets.last_pauses, pauses::none);
  shared_frame frame{"shared.", service_type::event};
  (void)table.push(0, frame);
  open(3);
  run();
  EXPECT_EQ(sockets.last_pauses, pauses::some) << "one has waited, one opens";
  open(4);
  run();
  EXPECT_EQ(sockets.last_pauses, pauses::none);
  table.broadcast("frame.", std::nullopt);
  run();
  EXPECT_EQ(sockets.last_pauses, pauses::some);
}

TEST_F(StreamTable, SendsSharedFramesInBatches) {
  for (int fd = 1; fd <= 10; ++fd)
    open(fd);
  run();
  sockets.batches = 0;
  shared_frame frame{"shared.", service_type::event};
  for (stream_slot slot = 0; slot < 10; ++slot)
    table.push(slot, frame);
  sockets.room[4] = 3;
  sockets.broken.insert(5);
  while (table.run_slice(100)) {
  }
  EXPECT_EQ(sockets.batches, 1u);
  EXPECT_EQ(sockets.received[10], "head|shared.");
  EXPECT_EQ(sockets.received[4], "head|sha");
  EXPECT_TRUE(sockets.gone.contains(5));
  release(4);
  EXPECT_EQ(sockets.received[4], "head|shared.");
  EXPECT_EQ(table.tally().sent, (frame_counts{0, 0, 9}));
  EXPECT_EQ(table.tally().failed, (frame_counts{0, 0, 1}));
  EXPECT_FALSE(table.check());
}

TEST_F(StreamTable, SendsOneStreamOnceThatHasSomethingInTheLogAndOfItsOwn) {
  std::vector<stream_slot> slots;
  for (int fd = 1; fd <= 4; ++fd)
    slots.push_back(open(fd));
  run();
  broadcast("a.");
  shared_frame frame{"shared.", service_type::event};
  table.push(slots[0], frame);
  table.push(slots[2], frame);
  broadcast("b.");
  sockets.writes = 0;
  while (table.run_slice(100)) {
  }
  EXPECT_EQ(sockets.writes, 4u);
  EXPECT_EQ(sockets.received[1], "head|a.shared.b.");
  EXPECT_EQ(sockets.received[2], "head|a.b.");
}

TEST_F(StreamTable, RepeatsNothingToOthersWhereAStreamOfABatchFails) {
  for (int fd = 1; fd <= 5; ++fd)
    open(fd);
  run();
  sockets.room[2] = 2;
  sockets.fails_to_watch = {2};
  shared_frame frame{"shared.", service_type::event};
  for (stream_slot slot = 0; slot < 5; ++slot)
    table.push(slot, frame);
  EXPECT_THROW((void)table.run_slice(10), std::bad_alloc);
  broadcast("two.");
  run();
  for (const int fd : {1, 3, 4, 5})
    EXPECT_EQ(sockets.received[fd], "head|shared.two.") << fd;
}

TEST_F(StreamTable, HoldsPushesBackWhileStreamsThatReadWellHaveTooMuchWaiting) {
  const auto fast = open(1);
  run();
  // The window is larger: half of what may wait for a stream is the bound.
  const auto bound = (100 + 2 * place) / 2;
  std::size_t bytes = 0;
  for (int i = 0;; ++i) {
    shared_frame frame{std::string(10, 'x'), service_type::event};
    if (!table.room_for(frame))
      break;
    ASSERT_TRUE(table.push(fast, frame)) << "a stream that reads well is not closed";
    EXPECT_TRUE(table.room_for(frame)) << "for other streams, once it is in";
    bytes += private_queue::cost(10);
  }
  EXPECT_LE(bytes, bound);
  EXPECT_GT(bytes + private_queue::cost(10), bound);
  sockets.writes = 0;
  run();
  EXPECT_EQ(sockets.writes, 1u) << "what has waited goes in one send";
  EXPECT_TRUE(table.room_for(shared_frame{"x", service_type::event}));
  EXPECT_TRUE(table.room_for(shared_frame{std::string(10'000, 'x'), service_type::event}))
    << "one that is larger goes alone";
  EXPECT_EQ(table.tally().overflowed, 0u);
}

TEST_F(StreamTable, HoldsPushesBackForTheNumberOfReferencesToo) {
  const auto most = 1024 / place;
  std::vector<stream_slot> slots;
  for (std::size_t i = 0; i < most + 5; ++i)
    slots.push_back(open(static_cast<int>(i + 1)));
  run();
  shared_frame frame{"x", service_type::event};
  std::size_t pushed = 0;
  for (; table.room_for(frame); ++pushed)
    ASSERT_TRUE(table.push(slots.at(pushed), frame));
  EXPECT_EQ(pushed, most);
  EXPECT_TRUE(table.run_slice(most / 2));
  EXPECT_FALSE(table.room_for(frame)) << "not all have got it";
  run();
  EXPECT_TRUE(table.room_for(frame));
}

TEST_F(StreamTable, HoldsPushesBackForNoStreamThatIsBlocked) {
  sockets.room[1] = 0;
  const auto stuck = open(1);
  run();
  for (std::size_t i = 0; i < 3; ++i) {
    shared_frame frame{std::string(60, 'x'), service_type::event};
    EXPECT_TRUE(table.room_for(frame));
    EXPECT_EQ(table.push(stuck, frame), i == 0) << i;
  }
  EXPECT_EQ(table.tally().overflowed, 1u) << "what waits for it has a bound of its own";
}

TEST_F(StreamTable, LeavesOthersTheirTurnBetweenPushes) {
  std::vector<stream_slot> slots;
  stream_table wide{{0, 1 << 20, 1 << 20, 1 << 18, milliseconds{5000}}, sockets};
  const auto count = stream_table::slice_pushes + 1;
  for (std::size_t i = 0; i < count; ++i) {
    slots.push_back(wide.add(static_cast<int>(i), i, 0));
    wide.attach(slots.back(), {"head|"});
  }
  while (wide.run_slice(1000)) {
  }
  shared_frame frame{"x", service_type::event};
  std::size_t pushed = 0;
  for (; wide.room_for(frame); ++pushed)
    ASSERT_TRUE(wide.push(slots.at(pushed), frame));
  EXPECT_EQ(pushed, stream_table::slice_pushes);
  (void)wide.run_slice(10);
  EXPECT_TRUE(wide.room_for(frame));
}

TEST_F(StreamTable, SharesASliceBetweenAPassAndStreamsWithSomethingOfTheirOwn) {
  std::vector<stream_slot> slots;
  for (int fd = 1; fd <= 20; ++fd)
    slots.push_back(open(fd));
  run();
  broadcast("all.");
  for (std::size_t i = 10; i < 20; ++i)
    table.push(slots[i], "mine.", service_type::event);
  EXPECT_TRUE(table.run_slice(4));
  const auto got = [&](int from, int to) {
    std::size_t count = 0;
    for (int fd = from; fd <= to; ++fd)
      count += sockets.received[fd] == "head|" ? 0U : 1U;
    return count;
  };
  EXPECT_EQ(got(1, 10), 2u);
  EXPECT_EQ(got(11, 20), 2u);
  EXPECT_EQ(sockets.received[11], "head|all.mine.") << "first come, first served";
}

TEST_F(StreamTable, LeavesStreamsOutOfABroadcastWithoutASend) {
  std::vector<stream_slot> slots;
  for (int fd = 1; fd <= 3; ++fd)
    slots.push_back(open(fd));
  run();
  const auto ticket = table.tickets().open(9);
  const std::vector<stream_slot> except{slots[0], slots[2]};
  sockets.writes = 0;
  table.broadcast("a.", service_type::event, ticket, except);
  table.tickets().seal(ticket);
  run();
  EXPECT_EQ(sockets.writes, 1u);
  const auto settled = table.tickets().take_settled();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].delivered, 1u);
  broadcast("b.");
  run();
  EXPECT_EQ(sockets.received[1], "head|b.");
  EXPECT_EQ(sockets.received[2], "head|a.b.");
  EXPECT_EQ(sockets.received[3], "head|b.");
  EXPECT_EQ(table.tally().sent, (frame_counts{0, 0, 4}));
  EXPECT_EQ(table.tally().failed, (frame_counts{}));
}

TEST_F(StreamTable, SettlesATicketOfABroadcastThatIsForNobody) {
  const auto slot = open(1);
  run();
  const auto ticket = table.tickets().open(9);
  table.broadcast("a.", service_type::event, ticket, std::vector{slot});
  table.broadcast(std::string(5000, 'x'), service_type::event, ticket, std::vector{slot});
  table.tickets().seal(ticket);
  const auto settled = table.tickets().take_settled();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].delivered, 0u);
  EXPECT_EQ(table.tally().failed, (frame_counts{}));
}

TEST_F(StreamTableWithRoom, LeavesAStreamOutWhateverItHasSent) {
  const std::string all = "head|a.mine.b.d.too.e.farewell";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    const int fd = 100 + static_cast<int>(cut);
    sockets.room[fd] = cut;
    const auto slot = open(fd);
    run();
    const auto leave_out = [&](std::string_view frame) {
      table.broadcast(frame, service_type::event, 0, std::vector{slot});
      run();
    };
    broadcast("a.");
    leave_out("not.");
    table.push(slot, "mine.", service_type::task);
    leave_out("nor.");
    broadcast("b.");
    run();
    leave_out("this.");
    leave_out("that.");
    broadcast("d.");
    leave_out("those.");
    table.push(slot, "too.", service_type::task);
    broadcast("e.");
    leave_out("these.");
    EXPECT_FALSE(table.check());
    table.close(slot, "farewell", now);
    run();
    EXPECT_EQ(sockets.received[fd], all.substr(0, cut));
    if (cut < all.size())
      release(fd);
    EXPECT_EQ(sockets.received[fd], all);
    ASSERT_TRUE(sockets.gone.contains(fd));
    EXPECT_EQ(sockets.gone.at(fd).reason, end_reason::server_closed);
  }
  EXPECT_EQ(table.tally().failed, (frame_counts{}));
  EXPECT_EQ(table.log_bytes(), 0u);
}

TEST_F(StreamTableWithRoom, LapsNoStreamForWhatItLeavesOut) {
  sockets.room[1] = 5;
  const auto slot = open(1);
  open(2);
  run();
  table.push(slot, "mine.", service_type::event);
  run();
  for (int i = 0; i < 30; ++i) {
    table.broadcast(std::string(100, 'x'), service_type::event, 0, std::vector{slot});
    run();
    ASSERT_FALSE(table.check()) << *table.check();
  }
  EXPECT_EQ(table.tally().lagged, 0u);
  table.push(slot, "last.", service_type::event);
  release(1);
  EXPECT_EQ(sockets.received[1], "head|mine.last.");
  EXPECT_EQ(table.tally().failed, (frame_counts{}));
}

TEST_F(StreamTable, ClosesAStreamInOrderThatOverflowsBehindTheLog) {
  sockets.room[1] = 5 + 2;
  const auto slot = open(1);
  open(2);
  run();
  table.push(slot, "mine.", service_type::event);
  run();
  for (int i = 0; i < 30; ++i) {
    table.broadcast(std::string(100, 'x'), service_type::event, 0, std::vector{slot});
    run();
  }
  EXPECT_FALSE(table.push(slot, std::string(200, 'y'), service_type::event));
  release(1);
  EXPECT_EQ(
    sockets.received[1], "head|mine.event: lagged\ndata: {\"reason\":\"read too slowly\"}\n\n");
}

TEST_F(StreamTableWithRoom, CountsOnlyWhatWasForAStreamAsFailed) {
  sockets.room[1] = 5;
  const auto slot = open(1);
  open(2);
  run();
  const auto ticket = table.tickets().open(9);
  for (int i = 0; i < 14; ++i) {
    const auto except = i % 2 == 0 ? std::vector<stream_slot>{} : std::vector{slot};
    table.broadcast(std::string(40, 'x'), service_type::event, ticket, except);
    run();
  }
  table.drop(slot, end_reason::client_closed);
  table.tickets().seal(ticket);
  EXPECT_EQ(table.tally().sent, (frame_counts{0, 0, 14}));
  EXPECT_EQ(table.tally().failed, (frame_counts{0, 0, 7}));
  const auto settled = table.tickets().take_settled();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].delivered, 14u);
  EXPECT_EQ(settled[0].pending, 0u);
}

TEST_F(StreamTable, LeavesAStreamOutThatCatchesUp) {
  const auto slot = come_back(1, 1000, 200);
  table.run_slice(1000);
  broadcast("a.");
  table.broadcast("not.", service_type::event, 0, std::vector{slot});
  broadcast("b.");
  run();
  EXPECT_EQ(sockets.received[1], "head|" + frames_of(1000, 200) + "a.b.");
}

TEST_F(StreamTable, BoundsTheStretchesThatABlockedStreamLeavesOut) {
  sockets.room[1] = 5;
  const auto slot = open(1);
  open(2);
  run();
  for (int i = 0; i < 20 && table.open(slot); ++i) {
    broadcast("x");
    run();
    table.broadcast("#", service_type::event, 0, std::vector{slot});
    run();
  }
  EXPECT_EQ(table.tally().overflowed, 1u);
  release(1);
  EXPECT_EQ(sockets.received[1].find('#'), std::string::npos) << "nor when it is closed for that";
}

TEST_F(StreamTable, TellsStreamsThatHearNoBroadcastsOnlyWhatIsForThem) {
  const auto slot = table.add(1, 1, 0);
  table.attach(slot, {"head|", {}, framing::bare, hearing::addressed});
  open(2);
  run();
  EXPECT_EQ(table.open_streams(hearing::addressed), 1u);
  EXPECT_EQ(table.open_streams(hearing::everything), 1u);
  broadcast("a.");
  table.push(slot, "mine.", service_type::event);
  tell(hearing::addressed, ":quiet.");
  tell(hearing::everything, ":busy.");
  broadcast("b.");
  run();
  EXPECT_EQ(sockets.received[1], "head|mine.:quiet.");
  EXPECT_EQ(sockets.received[2], "head|a.:busy.b.");
  EXPECT_EQ(table.tally().sent, (frame_counts{0, 0, 3}));
}

TEST_F(StreamTable, TellsSomeStreamsAtOnceUnlessTheyHaveMoreToSend) {
  std::vector<stream_slot> slots;
  for (int fd = 1; fd <= 4; ++fd)
    slots.push_back(open(fd));
  run();
  table.push(slots[1], "mine.", service_type::event);
  EXPECT_TRUE(table.tell(hearing::everything, slots[0], slots[3], {":h.", ":h."}));
  EXPECT_EQ(sockets.received[1], "head|:h.");
  EXPECT_EQ(sockets.received[2], "head|");
  EXPECT_EQ(sockets.received[3], "head|:h.");
  run();
  EXPECT_EQ(sockets.received[2], "head|mine.:h.");
  EXPECT_EQ(sockets.received[4], "head|");
  EXPECT_FALSE(tell(hearing::everything, ":i."));
  EXPECT_EQ(sockets.received[4], "head|:i.");
}

TEST_F(StreamTable, EndsATextThatASocketTakesInParts) {
  for (std::size_t taken = 0; taken < 6; ++taken) {
    const int fd = 10 + static_cast<int>(taken);
    sockets.room[fd] = 5 + taken;
    const auto slot = open(fd);
    run();
    tell(hearing::everything, ":text.");
    EXPECT_EQ(sockets.received[fd], std::string{"head|:text."}.substr(0, 5 + taken));
    EXPECT_FALSE(table.check());
    tell(hearing::everything, ":more.");
    release(fd);
    EXPECT_EQ(sockets.received[fd], "head|:text.:more.");
    table.drop(slot, end_reason::client_closed);
  }
}

TEST_F(StreamTable, SaysHowFarBehindAStreamIs) {
  sockets.room[1] = 5 + 2;
  const auto slot = open(1);
  open(2);
  run();
  EXPECT_EQ(table.backlog_of(slot), stream_backlog{});
  broadcast("one.");
  run();
  EXPECT_EQ(table.backlog_of(slot), (stream_backlog{1, 2, {}, false})) << "half of it is sent";
  broadcast("two.");
  table.push(slot, "mine.", service_type::version);
  table.push(slot, ": beat", std::nullopt);
  EXPECT_EQ(table.backlog_of(slot), (stream_backlog{3, 2 + 4 + 5 + 6, {}, false}));
  table.change_hearing(slot, hearing::addressed);
  broadcast("not for it.");
  run();
  EXPECT_EQ(table.backlog_of(slot), (stream_backlog{3, 2 + 4 + 5 + 6, {}, false}));
  EXPECT_EQ(table.backlog_of(1), stream_backlog{}) << "the other has all";
  release(1);
  EXPECT_EQ(table.backlog_of(slot), stream_backlog{});
}

TEST_F(StreamTable, SaysThatAStreamIsSentWhatItHasMissed) {
  sockets.room[1] = 5;
  const auto slot = come_back(1, 3);
  run();
  broadcast("new.");
  run();
  EXPECT_EQ(table.backlog_of(slot), (stream_backlog{1, 4, {}, true})) << "without what was missed";
  release(1);
  run();
  EXPECT_EQ(table.backlog_of(slot), stream_backlog{});
}

TEST_F(StreamTable, KnowsWhomItHasSentSomething) {
  const auto slot = open(1);
  EXPECT_FALSE(table.unacknowledged(slot));
  const auto was_sent = [&](auto send) {
    table.acknowledged(slot);
    EXPECT_FALSE(table.unacknowledged(slot));
    send();
    run();
    return table.unacknowledged(slot);
  };
  EXPECT_TRUE(was_sent([] {})) << "its head";
  EXPECT_FALSE(was_sent([] {}));
  EXPECT_TRUE(was_sent([&] { broadcast("a."); }));
  EXPECT_TRUE(was_sent([&] { table.push(slot, "mine.", service_type::event); }));
  EXPECT_TRUE(was_sent([&] { tell(hearing::everything, ":h."); }));
}

TEST_F(StreamTableWithRoom, ChangesWhatAStreamHearsAtOnePlaceOfTheOrder) {
  const std::string all = "head|a.:e.mine.b.:q.too.d.farewell";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    const int fd = 100 + static_cast<int>(cut);
    sockets.room[fd] = cut;
    const auto slot = open(fd);
    const auto other = table.add(fd + 1000, 1, 0);
    table.attach(other, {"head|", {}, framing::bare, hearing::addressed});
    run();
    broadcast("a.");
    tell(hearing::everything, ":e.");
    table.push(slot, "mine.", service_type::task);
    run();
    broadcast("b.");
    table.change_hearing(slot, hearing::addressed);
    broadcast("not.");
    run();
    tell(hearing::addressed, ":q.");
    table.push(slot, "too.", service_type::task);
    EXPECT_FALSE(table.check());
    broadcast("nor.");
    table.change_hearing(slot, hearing::everything);
    run();
    tell(hearing::addressed, ":x.");
    broadcast("d.");
    run();
    EXPECT_FALSE(table.check());
    table.close(slot, "farewell", now);
    table.drop(other, end_reason::client_closed);
    run();
    EXPECT_EQ(sockets.received[fd], all.substr(0, cut));
    if (cut < all.size())
      release(fd);
    EXPECT_EQ(sockets.received[fd], all);
    ASSERT_TRUE(sockets.gone.contains(fd));
  }
  EXPECT_EQ(table.tally().failed, (frame_counts{}));
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(StreamTable, TakesOnePlaceForChangesWithNothingBetween) {
  sockets.room[1] = 5;
  const auto slot = open(1);
  open(2);
  run();
  broadcast("a.");
  run();
  for (int i = 0; i < 6; ++i) {
    table.change_hearing(slot, hearing::addressed);
    broadcast("not.");
    run();
    table.change_hearing(slot, hearing::everything);
    table.broadcast("nor.", service_type::event, 0, std::vector{slot});
    run();
  }
  broadcast("b.");
  EXPECT_EQ(table.tally().overflowed, 0u);
  release(1);
  EXPECT_EQ(sockets.received[1], "head|a.b.");
}

TEST_F(StreamTable, LapsAStreamThatIsYetToComeToALog) {
  sockets.room[1] = 5;
  const auto slot = table.add(1, 1, 0);
  table.attach(slot, {"head|", {}, framing::bare, hearing::addressed});
  open(2);
  run();
  tell(hearing::addressed, ":quiet.");
  run();
  table.change_hearing(slot, hearing::everything);
  for (int i = 0; i < 20; ++i) {
    broadcast(std::string(100, 'x'));
    run();
    ASSERT_FALSE(table.check());
  }
  EXPECT_EQ(table.tally().lagged, 1u);
  release(1);
  EXPECT_EQ(sockets.received[1], "head|event: lagged\ndata: {\"reason\":\"read too slowly\"}\n\n");
  EXPECT_EQ(table.open_streams(hearing::addressed), 0u);
  EXPECT_EQ(table.open_streams(hearing::everything), 1u);
  EXPECT_FALSE(table.check());
}

TEST_F(StreamTable, CountsOnceWhatALappedStreamHasNotGotWhoseFrameIsTooLargeToCopy) {
  stream_table wide{{0, 1 << 16, 1 << 16, 1 << 16, milliseconds{5000}}, sockets};
  sockets.room[1] = 5 + 10;
  const auto slot = wide.add(1, 1, 0);
  wide.attach(slot, {"head|"});
  const auto put = [&](std::size_t bytes, std::vector<stream_slot> except = {}) {
    wide.broadcast(std::string(bytes, 'x'), service_type::event, 0, except);
    while (wide.run_slice(10)) {
    }
  };
  put(30'000);
  put(10, {slot});
  put(10);
  EXPECT_FALSE(sockets.gone.contains(1));
  put(40'000);
  EXPECT_TRUE(sockets.gone.contains(1));
  EXPECT_EQ(wide.tally().failed, (frame_counts{0, 0, 2}));
}

TEST_F(StreamTable, WaitsForNoStreamThatHasGoneOverToAnotherLog) {
  const auto slot = open(1);
  open(2);
  run();
  const auto ticket = table.tickets().open(9);
  broadcast("a.");
  table.change_hearing(slot, hearing::addressed);
  table.broadcast("b.", service_type::event, ticket);
  table.change_hearing(slot, hearing::everything);
  table.broadcast("c.", service_type::event, ticket);
  table.tickets().seal(ticket);
  run();
  EXPECT_EQ(sockets.received[1], "head|a.c.");
  const auto settled = table.tickets().take_settled();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].delivered, 3u);
  EXPECT_TRUE(table.tickets().idle());
}

TEST_F(StreamTable, SettlesATicketOnceAllHaveWrittenOrFailed) {
  const auto slot = open(1);
  open(2);
  sockets.room[3] = 5;
  open(3);
  run();
  const auto ticket = table.tickets().open(77);
  table.broadcast("a.", service_type::event, ticket);
  table.push(slot, "mine.", service_type::event, ticket);
  table.tickets().seal(ticket);
  run();
  EXPECT_TRUE(table.tickets().take_settled().empty()) << "the third has not written";
  sockets.broken.insert(3);
  table.writable(sockets.watched.at(3));
  const auto settled = table.tickets().take_settled();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].ticket, 77u);
  EXPECT_EQ(settled[0].delivered, 3u);
  EXPECT_EQ(sockets.gone.at(3).reason, end_reason::error);
  EXPECT_TRUE(table.tickets().idle());
}

TEST_F(StreamTable, AnswersATicketAtItsTimeWithWhatIsStillUnderWay) {
  const stream_table::time_point start{1000h};
  auto& tickets = table.tickets();
  open(1);
  sockets.room[2] = 5;
  const auto stuck = open(2);
  run();
  const auto ticket = tickets.open(77, start + 50ms);
  table.broadcast("a.", service_type::event, ticket);
  table.push(stuck, "mine.", service_type::event, ticket);
  EXPECT_FALSE(tickets.next_deadline()) << "the batch is not in";
  tickets.seal(ticket);
  const auto patient = tickets.open(78);
  table.broadcast("b.", service_type::event, patient);
  tickets.seal(patient);
  run();
  EXPECT_EQ(tickets.next_deadline(), start + 50ms);
  tickets.expire(start + 49ms);
  EXPECT_TRUE(tickets.take_settled().empty()) << "its time is not over";
  tickets.expire(start + 50ms);
  auto settled = tickets.take_settled();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].ticket, 77u);
  EXPECT_EQ(settled[0].delivered, 1u);
  EXPECT_EQ(settled[0].pending, 2u);
  EXPECT_FALSE(tickets.next_deadline());

  sockets.room.clear();
  table.writable(sockets.watched.at(2));
  settled = tickets.take_settled();
  ASSERT_EQ(settled.size(), 1u) << "a ticket is answered once";
  EXPECT_EQ(settled[0].ticket, 78u);
  EXPECT_EQ(settled[0].delivered, 2u);
  EXPECT_EQ(settled[0].pending, 0u);
  EXPECT_TRUE(tickets.idle());
}

TEST_F(StreamTable, HasNoDeadlineForATicketThatIsSettled) {
  open(1);
  run();
  const auto ticket = table.tickets().open(77, stream_table::time_point{1000h});
  table.broadcast("a.", service_type::event, ticket);
  table.tickets().seal(ticket);
  EXPECT_TRUE(table.tickets().next_deadline());
  run();
  EXPECT_FALSE(table.tickets().next_deadline());
  table.tickets().expire(stream_table::time_point{2000h});
  EXPECT_EQ(table.tickets().take_settled().size(), 1u);
}

TEST_F(StreamTable, SettlesATicketThatNobodyCanWrite) {
  const auto ticket = table.tickets().open(1);
  table.broadcast("a.", service_type::event, ticket);
  EXPECT_TRUE(table.tickets().take_settled().empty());
  table.tickets().seal(ticket);
  ASSERT_EQ(table.tickets().take_settled().size(), 1u);
}

TEST_F(StreamTable, KeepsNothingOnceEveryStreamHasItAll) {
  open(1);
  table.attach(table.add(2, 2, 0), {"head|", {}, framing::chunked});
  for (int i = 0; i < 1000; ++i) {
    broadcast("some bytes");
    run();
    ASSERT_EQ(table.log_bytes(), 0u);
  }
}

/// Tables with a bound on what waits for all of their streams.
class PrivateBytes : public StreamTable {
protected:
  PrivateBytes() : StreamTable{10'000, frame_text::held_bytes() + 2000} {}

  stream_slot open_blocked(int fd) {
    const auto slot = open(fd);
    run();
    sockets.room[fd] = 0;
    return slot;
  }

  bool push(stream_slot slot, std::size_t bytes) {
    const bool pushed = table.push(slot, std::string(bytes, 'x'), service_type::event);
    run();
    return pushed;
  }
};

TEST_F(PrivateBytes, OfStreamsThatDoNotReadMakeRoomForOthers) {
  const auto first = open_blocked(1);
  const auto second = open_blocked(2);
  const auto reader = open(3);
  run();
  EXPECT_TRUE(push(first, 900));
  EXPECT_TRUE(push(second, 900));
  EXPECT_EQ(table.tally().overflowed, 0u);
  EXPECT_TRUE(push(reader, 900));
  EXPECT_EQ(table.tally().overflowed, 1u);
  EXPECT_TRUE(table.open(first));
  EXPECT_FALSE(table.open(second));
  EXPECT_NE(sockets.received[3].find(std::string(900, 'x')), std::string::npos);
  release(2);
  run();
  EXPECT_NE(sockets.received[2].find("lagged"), std::string::npos);
  EXPECT_EQ(sockets.gone.at(2).reason, end_reason::error);
  EXPECT_EQ(table.check(), std::nullopt);
}

TEST_F(PrivateBytes, CountWhatManyStreamsShareOnce) {
  std::vector<stream_slot> slots;
  for (int fd = 1; fd <= 20; ++fd)
    slots.push_back(open_blocked(fd));
  shared_frame frame{std::string(900, 'x'), service_type::event};
  for (const auto slot : slots)
    EXPECT_TRUE(table.push(slot, frame));
  run();
  EXPECT_EQ(table.tally().overflowed, 0u);
}

TEST_F(PrivateBytes, CloseAStreamThatWouldHaveTooMuchItself) {
  const auto slow = open_blocked(1);
  EXPECT_TRUE(push(slow, 1500));
  EXPECT_FALSE(push(slow, 1500));
  EXPECT_FALSE(table.open(slow));
  const auto before = table.tally().overflowed;
  const auto reader = open(2);
  run();
  EXPECT_TRUE(push(reader, 5000)) << "one that reads has all of it at once";
  EXPECT_EQ(table.tally().overflowed, before);
}

} // namespace
} // namespace herald
