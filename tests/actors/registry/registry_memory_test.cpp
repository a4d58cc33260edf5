#include "actors/registry/connection_registry.hpp"

#include <string>
#include <vector>

#include "tests/support/actor_test.hpp"
#include "tests/support/audiences.hpp"
#include "tests/support/journal_entries.hpp"
#include "tests/support/log_capture.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::make_event;
using lines = std::vector<std::string>;

/// A registry with a journal that answers when it is told to.
class RegistryMemory : public testing::actor_test {
protected:
  RegistryMemory() {
    log = mock<journal_actor>(
      [this](const record_entries& m) {
        for (const auto& entry : m.entries)
          entries.push_back(entry);
        ++messages;
        if (m.ticket != 0) {
          listener = m.listener;
          last = m.ticket;
        }
        if (answers && m.ticket != 0)
          inject(m.listener, entries_recorded{m.ticket, m.ticket, {*answers, "disk", {}}});
      },
      [](const flush&) {});
    via = mock<delivery_actor>(
      [this](const attach_stream& m) {
        told.push_back("attach " + m.stream.str() + (m.doubtful ? " doubtful" : ""));
        cursor = m.cursor;
        auto missed = m.missed;
        while (const auto what = missed.next())
          told.push_back(what->name + "=" + what->data);
      },
      [this](const refuse_stream&) { told.push_back("refuse"); },
      [this](const close_stream& m) { told.push_back("close " + m.stream.str()); },
      [](const change_reach&) { ADD_FAILURE() << "nobody asked for it"; },
      [](const get_backlogs&) { return stream_backlogs{}; },
      [this](const deliver& m) {
        for (const auto& item : *m.batch)
          told.push_back(item.what->name + "=" + item.what->data);
        ticket = m.ticket;
      });
  }

  void spawn(registry_memory memory = {}, const history_limits& limits = {1000, 1 << 20, 1h}) {
    memory.journal = log;
    if (memory.last_id == event_id{})
      memory.last_id = {1000};
    if (memory.history_floor == event_id{})
      memory.history_floor = memory.last_id;
    registry = own(connection_registry_actor{spawn_connection_registry(
      system(), {"connection-registry", {}, &numbers}, {limits}, numbers, std::move(memory))});
  }

  static publish note(const char* data, bool wait = false, std::optional<std::string> only = {}) {
    draft d;
    d.name = "note";
    d.data = data;
    if (only)
      d.to = audience_of_page(request_id{*only});
    publish command;
    command.drafts.push_back(std::move(d));
    command.wait = wait;
    return command;
  }

  open_connection connect(
    const char* id, const char* name, transport_kind kind = transport_kind::embedded,
    std::optional<std::string> cursor = {}) {
    return {request_id{id}, token::from_text(name), "/url", kind, via, nullptr, std::move(cursor)};
  }

  /// A publisher that waits.
  struct asker {
    explicit asker(caf::actor_system& system) : self(system, true) {}
    caf::scoped_actor self;
    std::optional<publish_receipt> receipt;
    std::optional<failure> why;
    void take() {
      self->receive(
        [this](publish_receipt& r) { receipt = std::move(r); },
        [this](caf::error& e) { why = describe(e); });
    }
  };

  /// Publishes; gives whether there is an answer by now.
  bool ask_publish(asker& who, publish command) {
    who.self->send(registry, std::move(command));
    drain();
    return who.self->has_next_message();
  }

  void answer(ec code = ec::none) { tell(listener, entries_recorded{1, last, {code, "disk", {}}}); }

  template <class Entry>
  std::vector<Entry> recorded() const {
    std::vector<Entry> found;
    for (const auto& entry : entries)
      if (const auto* one = std::get_if<Entry>(&entry))
        found.push_back(*one);
    return found;
  }

  metrics numbers;
  journal_actor log;
  delivery_actor via;
  connection_registry_actor registry;
  std::optional<ec> answers;
  std::vector<journal_entry> entries;
  int messages = 0;
  journal_listener_actor listener;
  ticket_id last = 0;
  ticket_id ticket = 0;
  /// Where the last stream became live.
  event_id cursor;
  lines told;
};

TEST_F(RegistryMemory, AnswersAPublisherOnceItsEventIsWrittenAndDeliversBefore) {
  spawn();
  tell(registry, connect("a", "t1"));
  asker who{system()};
  EXPECT_FALSE(ask_publish(who, note("1")));
  EXPECT_EQ(told, (lines{"attach t1", "note=1"})) << "not held up by the disk";
  answer();
  who.take();
  ASSERT_TRUE(who.receipt);
  EXPECT_EQ(who.receipt->ids, (std::vector<event_id>{{1001}}));
  EXPECT_EQ(who.receipt->recipients, 1u);
}

TEST_F(RegistryMemory, RecordsABatchWithOneMessageInItsOrder) {
  answers = ec::none;
  spawn();
  publish batch;
  for (int i = 0; i < 100; ++i)
    batch.drafts.push_back({"n", std::to_string(i), {}, service_type::event});
  batch.drafts[7].to = audience_of_page(request_id{"me"});
  asker who{system()};
  EXPECT_TRUE(ask_publish(who, std::move(batch)));
  EXPECT_EQ(messages, 1);
  const auto kept = recorded<events_kept>();
  ASSERT_EQ(kept.size(), 1u);
  ASSERT_EQ(kept[0].events.size(), 100u);
  EXPECT_EQ(page_of(kept[0].events[7].to), request_id{"me"});
  EXPECT_EQ(kept[0].events[99].what->id, event_id{1100});
  EXPECT_EQ(kept[0].events[99].what->data, "99");
}

TEST_F(RegistryMemory, AnswersWhoWaitsForDeliveryOnceBothAreDone) {
  for (const bool disk_first : {true, false}) {
    entries.clear();
    spawn();
    tell(registry, connect("a", "t1"));
    asker who{system()};
    EXPECT_FALSE(ask_publish(who, note("1", true)));
    const auto settle = [&] {
      tell(registry, delivery_settled{ticket, 1});
    };
    disk_first ? answer() : settle();
    EXPECT_FALSE(who.self->has_next_message());
    disk_first ? settle() : answer();
    ASSERT_TRUE(who.self->has_next_message());
    who.take();
    EXPECT_EQ(who.receipt->delivered, 1u);
  }
}

TEST_F(RegistryMemory, TellsThePublisherWhatTheJournalSays) {
  spawn();
  tell(registry, connect("a", "t1"));
  asker one{system()};
  asker two{system()};
  ask_publish(one, note("1"));
  ask_publish(two, note("2", true));
  answer(ec::storage_full);
  one.take();
  two.take();
  ASSERT_TRUE(one.why && two.why);
  EXPECT_EQ(one.why->code, ec::storage_full);
  EXPECT_EQ(one.why->detail, "disk");
  EXPECT_EQ(two.why->code, ec::storage_full);
  EXPECT_EQ(told.back(), "note=2") << "streams go on live";
  tell(registry, delivery_settled{ticket, 1});
}

TEST_F(RegistryMemory, LetsNobodyWaitForAnAnswerThatDoesNotCome) {
  spawn();
  tell(registry, connect("a", "t1"));
  asker lost{system()};
  asker waits{system()};
  asker written{system()};
  ask_publish(waits, note("1", true));
  answer();
  const auto settles = ticket;
  ask_publish(lost, note("2"));
  ask_publish(written, note("3"));
  tell(listener, entries_recorded{last, last, {ec::none, {}, {}}});
  written.take();
  EXPECT_TRUE(written.receipt);
  lost.take();
  ASSERT_TRUE(lost.why);
  EXPECT_EQ(lost.why->code, ec::actor_failed);
  EXPECT_FALSE(waits.self->has_next_message()) << "is written, and waits for its delivery";
  tell(registry, delivery_settled{settles, 1});
  waits.take();
  EXPECT_TRUE(waits.receipt);
}

TEST_F(RegistryMemory, NeverGivesAnIdOutTwiceWhateverTheJournalSays) {
  answers = ec::storage_full;
  spawn();
  tell(registry, note("1"));
  tell(registry, note("2"));
  answers = ec::none;
  asker who{system()};
  ask_publish(who, note("3"));
  who.take();
  EXPECT_EQ(who.receipt->ids, (std::vector<event_id>{{1003}}));
}

TEST_F(RegistryMemory, RefusesPublishersWhileTheJournalIsBehind) {
  registry_memory memory;
  memory.max_queue_events = 3;
  spawn(std::move(memory));
  tell(registry, connect("a", "t1"));
  for (const auto* data : {"1", "2", "3"})
    tell(registry, note(data));
  const auto before = told.size();
  asker who{system()};
  ASSERT_TRUE(ask_publish(who, note("4")));
  who.take();
  EXPECT_EQ(who.why->code, ec::overloaded);
  EXPECT_EQ(told.size(), before) << "and sends nothing of it";
  auto inner = note("task");
  inner.drafts[0].service = service_type::task;
  tell(registry, std::move(inner));
  EXPECT_EQ(told.back(), "note=task") << "what is our own goes on";
  answer();
  asker again{system()};
  answers = ec::none;
  ask_publish(again, note("5"));
  again.take();
  EXPECT_TRUE(again.receipt);
}

TEST_F(RegistryMemory, RecordsNoGreetingsAndAnswersThemAtOnce) {
  spawn();
  auto greeting = note("v", false, "a");
  greeting.drafts[0].service = service_type::version;
  asker who{system()};
  EXPECT_TRUE(ask_publish(who, std::move(greeting)));
  EXPECT_EQ(messages, 0);
}

TEST_F(RegistryMemory, GivesOutOnlyIdsThatAreReserved) {
  registry_memory memory;
  memory.ids_reserved = {1002};
  spawn(std::move(memory));
  asker who{system()};
  EXPECT_FALSE(ask_publish(who, note("1")));
  ASSERT_EQ(recorded<ids_reserved>().size(), 1u);
  EXPECT_FALSE(ask_publish(who, note("2")));
  asker late{system()};
  ASSERT_TRUE(ask_publish(late, note("3")));
  late.take();
  EXPECT_EQ(late.why->code, ec::storage_failed);
  answer();
  asker after{system()};
  EXPECT_FALSE(ask_publish(after, note("4")));
  EXPECT_EQ(recorded<ids_reserved>().size(), 1u) << "once for many";
  answer();
  after.take();
  EXPECT_EQ(after.receipt->ids, (std::vector<event_id>{{1003}}));
}

/// Nobody waits for the answer to what herald itself says.
TEST_F(RegistryMemory, LogsWhatOfItsOwnItCannotSay) {
  registry_memory memory;
  memory.ids_reserved = {1002};
  spawn(std::move(memory));
  tell(registry, note("1"));
  tell(registry, note("2"));
  testing::log_capture log;
  tell(registry, note("3"));
  auto version = note("4");
  version.drafts[0].service = service_type::version;
  tell(registry, version);
  EXPECT_EQ(
    log.lines("events_not_published"),
    (std::vector<std::string>{
      "error connection-registry events_not_published count=1 service=version "
      "why=\"the journal has not been written for too many events\""}));
}

TEST_F(RegistryMemory, AsksAgainForIdsThatTheJournalHasLeftOut) {
  registry_memory memory;
  memory.ids_reserved = {1003};
  spawn(std::move(memory));
  tell(registry, note("1"));
  tell(registry, note("2"));
  ASSERT_EQ(recorded<ids_reserved>().size(), 1u);
  tell(listener, entries_recorded{last, last, {ec::none, {}, {}}});
  tell(registry, note("3"));
  EXPECT_EQ(recorded<ids_reserved>().size(), 2u);
}

TEST_F(RegistryMemory, GoesOnOnceIdsCanBeReservedAgain) {
  registry_memory memory;
  memory.ids_reserved = {1002};
  answers = ec::storage_full;
  spawn(std::move(memory));
  tell(registry, note("1"));
  tell(registry, note("2"));
  answers = ec::none;
  asker early{system()};
  ask_publish(early, note("3"));
  early.take();
  EXPECT_EQ(early.why->code, ec::storage_failed) << "asks, but does not wait";
  asker late{system()};
  ask_publish(late, note("4"));
  late.take();
  ASSERT_TRUE(late.receipt);
  EXPECT_EQ(late.receipt->ids, (std::vector<event_id>{{1003}}));
}

TEST_F(RegistryMemory, TrimsTheFileInBulk) {
  answers = ec::none;
  spawn({}, {100, 1 << 20, 1h});
  for (int i = 0; i < 1000; ++i)
    tell(registry, note("x"));
  const auto evicted = recorded<events_evicted>();
  ASSERT_FALSE(evicted.empty());
  EXPECT_LT(evicted.size(), 20u);
  EXPECT_GT(evicted.back().upto, event_id{1700});
  EXPECT_LE(evicted.back().upto, event_id{1900});
}

registry_memory former_life(std::uint64_t from, std::uint64_t to, wall_time at) {
  registry_memory memory;
  for (auto id = from; id <= to; ++id)
    memory.events.push_back({make_event(id, std::to_string(id)), at});
  memory.history_floor = {from - 1};
  memory.last_id = {to + 500};
  return memory;
}

TEST_F(RegistryMemory, ReplaysWhatAFormerLifeHasPublished) {
  answers = ec::none;
  spawn(former_life(11, 14, std::chrono::system_clock::now()));
  tell(registry, connect("a", "t1", transport_kind::embedded, "12"));
  EXPECT_EQ(told, (lines{"attach t1", "note=13", "note=14"}));
  asker who{system()};
  ask_publish(who, note("new"));
  who.take();
  EXPECT_EQ(who.receipt->ids, (std::vector<event_id>{{515}}));
  told.clear();
  tell(registry, connect("b", "t2", transport_kind::embedded, "14"));
  EXPECT_EQ(told, (lines{"attach t2", "note=new"}));
}

TEST_F(RegistryMemory, TakesACursorBetweenTheLivesForAGoodOne) {
  spawn(former_life(11, 14, std::chrono::system_clock::now()));
  // Of an event that nobody may ask for again, or that was not written any more.
  tell(registry, connect("a", "t1", transport_kind::embedded, "300"));
  EXPECT_EQ(told, (lines{"attach t1"}));
}

TEST_F(RegistryMemory, SaysThatThereIsAGapBeforeWhatIsKnown) {
  spawn(former_life(11, 14, std::chrono::system_clock::now()));
  tell(registry, connect("a", "t1", transport_kind::embedded, "9"));
  ASSERT_EQ(told.size(), 6u);
  EXPECT_EQ(told[1].substr(0, 4), "gap=");
  EXPECT_EQ(told[2], "note=11");
  told.clear();
  tell(registry, connect("b", "t2", transport_kind::embedded, "99999"));
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].substr(0, 4), "gap=") << "of the future";
}

TEST_F(RegistryMemory, ReplaysToAPageThatHadNoEventInAFormerLife) {
  spawn();
  tell(registry, connect("a", "t1"));
  const auto before = cursor;
  EXPECT_EQ(before, event_id{1000}) << "the first event has the next id";
  told.clear();
  spawn(former_life(1001, 1002, std::chrono::system_clock::now()));
  tell(registry, connect("a", "t2", transport_kind::embedded, to_string(before)));
  EXPECT_EQ(told, (lines{"attach t2", "note=1001", "note=1002"}));
  EXPECT_EQ(cursor, event_id{1502});
  told.clear();
  tell(registry, connect("a", "t3", transport_kind::embedded, to_string(cursor)));
  EXPECT_EQ(told, (lines{"attach t3", "close t2"})) << "nothing again";
}

TEST_F(RegistryMemory, CountsTheAgeOfEventsThroughTheRestart) {
  spawn(former_life(11, 14, std::chrono::system_clock::now() - 50min));
  advance(5min);
  tell(registry, connect("a", "t1", transport_kind::embedded, "12"));
  EXPECT_EQ(told.size(), 3u) << "55 minutes old, kept for an hour";
  told.clear();
  advance(6min);
  tell(registry, connect("b", "t2", transport_kind::embedded, "12"));
  ASSERT_EQ(told.size(), 2u) << "too old, though nothing was published since";
  EXPECT_EQ(told[1].substr(0, 4), "gap=");
}

TEST_F(RegistryMemory, KeepsWithinTheLimitsOfThisLife) {
  spawn(former_life(1001, 1300, std::chrono::system_clock::now()), {100, 1 << 20, 1h});
  tell(registry, connect("a", "t1", transport_kind::embedded, "1200"));
  EXPECT_EQ(told.size(), 101u);
  EXPECT_EQ(told[1], "note=1201");
}

TEST_F(RegistryMemory, NotesThatTheReplayHadTheVersion) {
  auto memory = former_life(11, 12, std::chrono::system_clock::now());
  auto version = *memory.events[1].what.what;
  version.name = "version";
  version.service = service_type::version;
  memory.events[1].what.what = std::make_shared<const event>(version);
  spawn(std::move(memory));
  std::vector<std::size_t> replayed;
  tell(
    registry, add_observer{mock<observer_actor>(
                [&](const connections_opened& m) {
                  replayed.push_back(m.all.at(0).replayed_versions.size());
                },
                [](const connection_closed&) {})});
  tell(registry, connect("a", "t1", transport_kind::embedded, "11"));
  tell(registry, connect("b", "t2", transport_kind::embedded, "12"));
  tell(registry, connect("c", "t3"));
  auto quiet = connect("d", "t4", transport_kind::embedded, "11");
  reach asks;
  asks.broadcast = false;
  quiet.asks = std::make_shared<const reach>(std::move(asks));
  tell(registry, std::move(quiet));
  EXPECT_EQ(replayed, (std::vector<std::size_t>{1, 0, 0, 0}))
    << "the last hears no broadcasts: it is owed the version still";
}

TEST_F(RegistryMemory, RemembersTheStreamsOfAGateway) {
  answers = ec::none;
  spawn();
  tell(registry, connect("a", "t1", transport_kind::gateway));
  tell(registry, connect("a", "t2", transport_kind::gateway));
  const auto kept = recorded<stream_kept>();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[1].id, request_id{"a"});
  EXPECT_EQ(kept[1].stream, token::from_text("t2"));
  EXPECT_EQ(kept[1].url, "/url");
  ASSERT_EQ(recorded<stream_dropped>().size(), 1u);
  EXPECT_EQ(recorded<stream_dropped>()[0].stream, token::from_text("t1"));
  tell(registry, stream_closed{token::from_text("t2")});
  EXPECT_EQ(recorded<stream_dropped>().size(), 2u);
  tell(registry, connect("b", "t3", transport_kind::gateway));
  tell(registry, delivery_failed{token::from_text("t3"), "404"});
  EXPECT_EQ(recorded<stream_dropped>().size(), 3u);
}

TEST_F(RegistryMemory, RemembersNoStreamOfItsOwnEndpoint) {
  spawn();
  EXPECT_TRUE(ask<void>(registry, connect("a", "t1")));
  tell(registry, stream_closed{token::from_text("t1")});
  EXPECT_EQ(messages, 0);
}

TEST_F(RegistryMemory, AnswersAGatewayOnceTheStreamIsWrittenButDoesNotWaitForASlowDisk) {
  spawn();
  caf::scoped_actor gateway{system(), true};
  auto pending =
    gateway->request(registry, caf::infinite, connect("a", "t1", transport_kind::gateway));
  drain();
  EXPECT_FALSE(gateway->has_next_message());
  EXPECT_EQ(told, (lines{"attach t1"}));
  answer();
  EXPECT_TRUE(gateway->has_next_message());
  pending.receive([] {}, [](const caf::error&) { FAIL(); });
  auto slow =
    gateway->request(registry, caf::infinite, connect("b", "t2", transport_kind::gateway));
  drain();
  EXPECT_FALSE(gateway->has_next_message());
  advance(connect_wait);
  EXPECT_TRUE(gateway->has_next_message());
  slow.receive([] {}, [](const caf::error&) { FAIL(); });
  answer(ec::storage_full);
}

TEST_F(RegistryMemory, KnowsTheStreamsOfAFormerLifeAtOnce) {
  answers = ec::none;
  spawn();
  int opened = 0;
  tell(
    registry, add_observer{mock<observer_actor>(
                [&](const connections_opened&) { ++opened; }, [](const connection_closed&) {})});
  const wall_time at{5s};
  adopt_streams known;
  known.streams.push_back({request_id{"a"}, token::from_text("t1"), "/u", at, via});
  known.streams.push_back({request_id{"b"}, token::from_text("t2"), "/u", at, via});
  tell(registry, known);
  EXPECT_EQ(told, (lines{"attach t1 doubtful", "attach t2 doubtful"}));
  EXPECT_EQ(opened, 0) << "nobody has connected";
  asker who{system()};
  ask_publish(who, note("1"));
  who.take();
  EXPECT_EQ(who.receipt->recipients, 2u);
  const auto page = ask<connection_page>(registry, list_connections{});
  EXPECT_EQ(page->connections.at(0).connected_at, at);
  EXPECT_EQ(page->connections.at(0).transport, transport_kind::gateway);
  tell(registry, delivery_failed{token::from_text("t1"), "404"});
  ASSERT_EQ(recorded<stream_dropped>().size(), 1u) << "and forgets for good those that are gone";
}

TEST_F(RegistryMemory, ForgetsAStreamOfAFormerLifeForGoodThatAnotherOneHasReplaced) {
  spawn();
  adopt_streams known;
  known.streams.push_back({request_id{"a"}, token::from_text("t1"), "/u", {}, via});
  known.streams.push_back({request_id{"a"}, token::from_text("t2"), "/u", {}, via});
  tell(registry, known);
  EXPECT_EQ(told, (lines{"attach t1 doubtful", "close t1", "attach t2 doubtful"}));
  ASSERT_EQ(recorded<stream_dropped>().size(), 1u);
  EXPECT_EQ(recorded<stream_dropped>()[0].stream, token::from_text("t1"));
}

/// A close that is not taken in this life is ordered in the next one.
TEST_F(RegistryMemory, KeepsAStreamThatIsToEndUntilItHas) {
  registry_memory memory;
  memory.ending = {token::from_text("t1"), token::from_text("t2")};
  spawn(std::move(memory));
  EXPECT_EQ(recorded<stream_dropped>().size(), 0u);
  tell(registry, delivery_failed{token::from_text("t1"), "404"});
  tell(registry, stream_closed{token::from_text("t1"), end_reason::server_closed});
  tell(registry, delivery_failed{token::from_text("unknown"), "404"});
  ASSERT_EQ(recorded<stream_dropped>().size(), 1u) << "once";
  EXPECT_EQ(recorded<stream_dropped>()[0].stream, token::from_text("t1"));
  tell(registry, stream_closed{token::from_text("t2"), end_reason::client_closed});
  EXPECT_EQ(recorded<stream_dropped>().size(), 2u) << "the gateway says so first";
}

TEST_F(RegistryMemory, EndsAPageOfThePastBehindFourMebibytes) {
  answers = ec::none;
  spawn({}, {1000, std::size_t{64} << 20U, 1h});
  const std::string data(std::size_t{3} << 19U, 'x');
  std::vector<event_id> ids;
  for (int i = 0; i < 4; ++i) {
    asker who{system()};
    ask_publish(who, note(data.c_str()));
    who.take();
    ids.push_back(who.receipt->ids.front());
  }
  const auto page = ask<event_page>(registry, list_events{});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->events.size(), 3u);
  EXPECT_EQ(page->last, ids[2]) << "where to go on";
  list_events rest;
  rest.after = page->last;
  const auto next = ask<event_page>(registry, rest);
  ASSERT_EQ(next->events.size(), 1u);
  EXPECT_EQ(next->events[0].event.what->id, ids[3]);
}

} // namespace
} // namespace herald
