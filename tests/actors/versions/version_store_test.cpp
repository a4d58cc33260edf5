#include "actors/versions/version_store.hpp"

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "messages/wire/version_json.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/audiences.hpp"
#include "tests/support/log_capture.hpp"

namespace herald {
namespace {

class VersionStore : public testing::actor_test {
protected:
  using patient_publisher = publisher_actor::extend<caf::reacts_to<flush>>;

  VersionStore() {
    const auto take =
      [this](patient_publisher::pointer self, const publish& m) -> result<publish_receipt> {
      once = m.once;
      for (const auto& d : m.drafts) {
        EXPECT_EQ(d.name, "version");
        EXPECT_EQ(d.service, service_type::version);
        sent.push_back((page_of(d.to) ? page_of(d.to)->str() : "all") + " " + d.data);
      }
      if (publisher_fails)
        return fail(ec::overloaded, "no room");
      if (held) {
        held_answers.push_back(self->make_response_promise<publish_receipt>());
        return held_answers.back();
      }
      publish_receipt receipt;
      receipt.recipients = open_streams;
      return receipt;
    };
    patient = own(patient_publisher{system().spawn(
      [this, take](patient_publisher::pointer self) -> patient_publisher::behavior_type {
        return {
          [take, self](const publish& m) { return take(self, m); },
          [this](const flush&) {
            publish_receipt receipt;
            receipt.recipients = 1;
            held_answers.front().deliver(std::move(receipt));
            held_answers.pop_front();
          }};
      })});
    publisher = patient;
  }

  /// The publisher answers the first that it has not answered.
  void answer_held() { tell(patient, flush{}); }

  void spawn(version_source_actor from = {}) {
    store = own(spawn_version_store(
      system(), {"version-store", {}, nullptr}, {}, publisher, std::move(from), numbers));
  }

  /// A source that answers only when it is told what.
  using slow_source_actor =
    version_source_actor::extend<caf::reacts_to<version_document>, caf::reacts_to<failure>>;

  version_source_actor slow_source() {
    auto start = [this](slow_source_actor::pointer self) -> slow_source_actor::behavior_type {
      using promise = caf::typed_response_promise<version_document>;
      auto asked = std::make_shared<promise>();
      return {
        [this, self, asked](const fetch_version&) -> result<version_document> {
          ++fetches;
          *asked = self->make_response_promise<version_document>();
          return *asked;
        },
        [asked](const version_document& document) { asked->deliver(document); },
        [asked](const failure& why) {
          asked->deliver(fail(why.code, why.detail));
        }};
    };
    source = own(slow_source_actor{system().spawn(start)});
    return source;
  }

  std::optional<std::string> pending(const char* id) {
    const auto found = ask<pending_version>(store, get_pending_version{request_id{id}});
    return found ? std::optional{found->version} : std::nullopt;
  }

  caf::expected<version_queued> queue(const char* id, const char* version) {
    return ask<version_queued>(store, queue_version{request_id{id}, version, std::nullopt});
  }

  static connections_opened opened(const char* id, std::vector<event_ptr> replayed = {}) {
    return {{{request_id{id}, std::move(replayed)}}};
  }

  static event_ptr replayed(const char* version) {
    event e;
    e.name = "version";
    e.data = version_data({version, std::nullopt});
    e.service = service_type::version;
    return std::make_shared<const event>(std::move(e));
  }

  metrics numbers;
  keyed_publish_ptr once;
  patient_publisher patient;
  publisher_actor publisher;
  version_store_actor store;
  std::vector<std::string> sent;
  std::size_t open_streams = 1;
  bool publisher_fails = false;
  /// Whether the publisher waits with its answers.
  bool held = false;
  std::deque<caf::typed_response_promise<publish_receipt>> held_answers;
  slow_source_actor source;
  int fetches = 0;
};

using lines = std::vector<std::string>;

TEST_F(VersionStore, BroadcastsAndKeepsAQueuedVersion) {
  spawn();
  const auto answer = ask<version_queued>(
    store, queue_version{request_id{"a"}, "1.2.3", std::optional<std::string>{"Bug \"fixes\""}});
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->delivered);
  EXPECT_EQ(sent, (lines{R"(all {"version":"1.2.3","changelog":"Bug \"fixes\""})"}));
  EXPECT_EQ(pending("a"), "1.2.3");
  EXPECT_EQ(pending("b"), std::nullopt);
}

TEST_F(VersionStore, StoresAVersionThatNobodyIsThereToHear) {
  spawn();
  open_streams = 0;
  EXPECT_FALSE(queue("a", "1")->delivered);
  EXPECT_EQ(pending("a"), "1");
}

TEST_F(VersionStore, SendsThePendingVersionAtEveryConnect) {
  spawn();
  queue("a", "1");
  sent.clear();
  tell(store, opened("a"));
  tell(store, connection_closed{request_id{"a"}});
  tell(store, opened("a"));
  EXPECT_EQ(sent, (lines{R"(a {"version":"1"})", R"(a {"version":"1"})"}));
}

TEST_F(VersionStore, GreetsEachOfThoseThatOpenTogether) {
  spawn(slow_source());
  queue("a", "1");
  queue("c", "3");
  sent.clear();
  tell(store, connections_opened{{{request_id{"a"}}, {request_id{"b"}}, {request_id{"c"}}}});
  EXPECT_EQ(sent, (lines{R"(a {"version":"1"})", R"(c {"version":"3"})"}));
  EXPECT_EQ(fetches, 1) << "for b";
}

TEST_F(VersionStore, SendsNothingToAStreamThatWasSentTheMissedVersion) {
  spawn(slow_source());
  queue("a", "1");
  sent.clear();
  tell(store, opened("a", {replayed("1"), replayed("2")}));
  EXPECT_TRUE(sent.empty());
  tell(store, opened("b", {replayed("2")}));
  EXPECT_EQ(fetches, 0) << "nothing is pending, and it has a version";
}

TEST_F(VersionStore, SendsThePendingVersionToAStreamThatWasSentAnotherOne) {
  spawn();
  queue("a", "1");
  queue("b", "2");
  sent.clear();
  tell(store, opened("a", {replayed("2")}));
  EXPECT_EQ(sent, (lines{R"(a {"version":"1"})"}));
}

TEST_F(VersionStore, KeepsThePendingVersionWhenSendingFails) {
  spawn();
  queue("a", "1");
  publisher_fails = true;
  tell(store, opened("a"));
  publisher_fails = false;
  open_streams = 0;
  tell(store, opened("a"));
  EXPECT_EQ(pending("a"), "1");
  sent.clear();
  tell(store, opened("a"));
  EXPECT_EQ(sent.size(), 1u);
}

TEST_F(VersionStore, SaysThatAPendingVersionCouldNotBeSent) {
  spawn();
  queue("a", "1");
  testing::log_capture log;
  open_streams = 0;
  tell(store, opened("a"));
  open_streams = 1;
  publisher_fails = true;
  tell(store, opened("a"));
  EXPECT_EQ(
    log.lines("pending_version_not_sent"),
    (lines{
      "error version-store pending_version_not_sent request_id=a why=\"no stream\"",
      "error version-store pending_version_not_sent request_id=a why=\"no room\""}));
}

TEST_F(VersionStore, OverwritesTheEarlierPendingVersion) {
  spawn();
  inject(store, queue_version{request_id{"a"}, "1", {}});
  inject(store, queue_version{request_id{"a"}, "2", {}});
  drain();
  EXPECT_EQ(pending("a"), "2") << "of two at once the last wins";
}

TEST_F(VersionStore, AnswersWithTheErrorOfABroadcastThatFailed) {
  spawn();
  publisher_fails = true;
  const auto answer = queue("a", "1");
  ASSERT_FALSE(answer);
  EXPECT_EQ(describe(answer.error()).code, ec::overloaded);
}

TEST_F(VersionStore, RefusesNewVersionsWhileShuttingDown) {
  spawn();
  tell(store, begin_shutdown{});
  const auto answer = queue("a", "1");
  ASSERT_FALSE(answer);
  EXPECT_EQ(describe(answer.error()).code, ec::shutting_down);
  EXPECT_EQ(pending("a"), std::nullopt);
  EXPECT_TRUE(sent.empty());
}

TEST_F(VersionStore, SendsTheCurrentVersionWhereNoneIsPending) {
  spawn(slow_source());
  tell(store, opened("a"));
  EXPECT_TRUE(sent.empty());
  tell(source, version_document{R"({"version":"9"})"});
  EXPECT_EQ(sent, (lines{R"(a {"version":"9"})"}));
}

TEST_F(VersionStore, SendsNothingWhereThereIsNoSource) {
  spawn();
  tell(store, opened("a"));
  EXPECT_TRUE(sent.empty());
}

TEST_F(VersionStore, SaysUnknownWhenTheSourceFails) {
  const testing::log_capture log;
  spawn(slow_source());
  tell(store, opened("a"));
  tell(source, failure{ec::upstream_timed_out, "no answer within 2 s", {}});
  EXPECT_EQ(sent, (lines{R"(a {"version":"unknown","error":"no answer within 2 s"})"}));
  EXPECT_EQ(
    log.lines("version_fetch_failed"),
    (lines{"warning version-store version_fetch_failed error=upstream_timed_out "
           "detail=\"no answer within 2 s\""}));
  tell(store, opened("a"));
  tell(source, version_document{R"({"version":"9"})"});
  EXPECT_EQ(sent.back(), R"(a {"version":"9"})") << "it is asked again at the next connect";
}

TEST_F(VersionStore, HoldsNobodyUpWhileTheSourceIsSlow) {
  spawn(slow_source());
  tell(store, opened("a"));
  tell(store, opened("b"));
  EXPECT_EQ(fetches, 1) << "one fetch for all who connect meanwhile";
  EXPECT_TRUE(queue("c", "1")) << "other requests are answered";
  tell(store, opened("c"));
  EXPECT_EQ(sent.back(), R"(c {"version":"1"})");
  sent.clear();
  tell(source, version_document{R"({"version":"9"})"});
  EXPECT_EQ(sent, (lines{R"(a {"version":"9"})", R"(b {"version":"9"})"}));
}

TEST_F(VersionStore, TellsNobodyOfTheFetchWhoHasLeftMeanwhile) {
  spawn(slow_source());
  for (const auto* id : {"a", "b", "a"})
    tell(store, opened(id));
  tell(store, connection_closed{request_id{"b"}});
  tell(source, version_document{"9"});
  EXPECT_EQ(sent, (lines{"a 9"})) << "once";
}

TEST_F(VersionStore, HasFewBytesUnderWayHoweverManyConnect) {
  spawn(slow_source());
  held = true;
  const std::string large(60'000, 'x');
  for (int i = 0; i < 1000; ++i)
    tell(store, opened(("page-" + std::to_string(i)).c_str()));
  tell(source, version_document{large});
  const auto first = sent.size();
  EXPECT_LT(first * large.size(), std::size_t{6} << 20U);
  EXPECT_GT(first, 0u);
  tell(store, connection_closed{request_id{"page-999"}});
  for (auto before = first; !held_answers.empty(); before = sent.size()) {
    answer_held();
    EXPECT_LT((sent.size() - before) * large.size(), std::size_t{2} << 20U);
  }
  EXPECT_EQ(sent.size(), 999u);
}

TEST_F(VersionStore, HasFewBytesOfPendingVersionsUnderWayHoweverOftenAPageConnects) {
  spawn();
  const std::string large(200'000, 'x');
  queue("a", large.c_str());
  sent.clear();
  held = true;
  for (int i = 0; i < 1000; ++i)
    tell(store, opened("a"));
  EXPECT_LT(sent.size(), 30u);
  while (!held_answers.empty())
    answer_held();
  EXPECT_LT(sent.size(), 60u) << "once for those that connect while it has to wait";
}

TEST_F(VersionStore, SendsNoPendingVersionToAPageThatHasLeftBeforeItsTurn) {
  spawn();
  queue("a", std::string(200'000, 'x').c_str());
  queue("b", "1");
  queue("c", "1");
  sent.clear();
  held = true;
  for (int i = 0; i < 30; ++i)
    tell(store, opened("a"));
  tell(store, opened("b"));
  tell(store, opened("c"));
  tell(store, connection_closed{request_id{"b"}});
  while (!held_answers.empty())
    answer_held();
  EXPECT_EQ(std::count(sent.begin(), sent.end(), R"(b {"version":"1"})"), 0);
  EXPECT_EQ(std::count(sent.begin(), sent.end(), R"(c {"version":"1"})"), 1) << "it had to wait";
}

TEST_F(VersionStore, PrefersAVersionQueuedDuringTheFetch) {
  spawn(slow_source());
  tell(store, opened("a"));
  queue("a", "10");
  sent.clear();
  tell(source, version_document{R"({"version":"9"})"});
  EXPECT_TRUE(sent.empty()) << "the newer one has been broadcast already";
}

/// A version store with a recorder that answers when it is told to.
class VersionStoreMemory : public VersionStore {
protected:
  using receipt_promise = caf::typed_response_promise<publish_receipt>;
  using interface = recorder_actor::extend<caf::reacts_to<flush>, caf::reacts_to<failure>>;

  void spawn_with(std::vector<version_kept> versions = {}, version_settings limits = {}) {
    auto start = [this](interface::pointer self) -> interface::behavior_type {
      return {
        [this, self](const publish_recorded& m) -> result<publish_receipt> {
          for (const auto& d : m.what.drafts)
            recorded.push_back("event " + d.data);
          for (const auto& entry : m.entries) {
            if (const auto* kept = std::get_if<version_kept>(&entry))
              recorded.push_back(kept->id.str() + "=" + kept->version.version);
            if (const auto* dropped = std::get_if<version_dropped>(&entry))
              recorded.push_back("-" + dropped->id.str());
          }
          asked = self->make_response_promise<publish_receipt>();
          return asked;
        },
        [](const publish_step&) { ADD_FAILURE() << "there are no tasks"; },
        [this](const flush&) {
          publish_receipt receipt;
          receipt.recipients = 1;
          asked.deliver(std::move(receipt));
        },
        [this](const failure& why) {
          asked.deliver(fail(why.code, why.detail));
        }};
    };
    recorder = own(interface{system().spawn(start)});
    store = own(spawn_version_store(
      system(), {"version-store", {}, nullptr}, limits, publisher, {}, numbers,
      {recorder, std::move(versions)}));
  }

  interface recorder;
  receipt_promise asked;
  lines recorded;
};

TEST_F(VersionStoreMemory, AnswersOnceTheVersionIsWritten) {
  spawn_with();
  caf::scoped_actor author{system(), true};
  auto pending_answer =
    author->request(store, caf::infinite, queue_version{request_id{"a"}, "1", std::nullopt});
  drain();
  EXPECT_EQ(recorded, (lines{R"(event {"version":"1"})", "a=1"})) << "together";
  EXPECT_TRUE(sent.empty()) << "once";
  EXPECT_FALSE(author->has_next_message());
  tell(recorder, flush{});
  pending_answer.receive(
    [](const version_queued& m) { EXPECT_TRUE(m.delivered); }, [](const caf::error&) { FAIL(); });
}

TEST_F(VersionStoreMemory, SaysSoWhereItCannotBeWritten) {
  spawn_with();
  caf::scoped_actor author{system(), true};
  auto pending_answer =
    author->request(store, caf::infinite, queue_version{request_id{"a"}, "1", std::nullopt});
  drain();
  tell(recorder, failure{ec::storage_full, "disk", {}});
  pending_answer.receive(
    [](const version_queued&) { FAIL(); },
    [](const caf::error& e) { EXPECT_EQ(describe(e).code, ec::storage_full); });
}

TEST_F(VersionStoreMemory, SendsVersionsOfAFormerLife) {
  spawn_with({{request_id{"a"}, {"1", "log"}}, {request_id{"b"}, {"2", std::nullopt}}});
  tell(store, opened("a"));
  EXPECT_EQ(sent, (lines{R"(a {"version":"1","changelog":"log"})"}));
  EXPECT_EQ(pending("b"), "2");
}

TEST_F(VersionStoreMemory, ForgetsInTheFileWhatItForgets) {
  spawn_with({{request_id{"a"}, {"1", {}}}, {request_id{"b"}, {"1", {}}}}, {{}, 2});
  tell(store, queue_version{request_id{"c"}, "1", std::nullopt});
  EXPECT_EQ(recorded, (lines{R"(event {"version":"1"})", "c=1", "-a"})) << "the one of longest ago";
}

TEST_F(VersionStore, HandsTheKeyOfARequestOnAndWhatIsAskedBehindIt) {
  spawn();
  bool asked = false;
  const auto registry =
    mock<claim_keeper_actor>([&asked](const release_claim& m) { asked = m.claim == 7; });
  keyed_publish made;
  made.key.claim = 7;
  queue_version order{request_id{"a"}, "1", {}};
  order.once = std::make_shared<const keyed_publish>(made);
  tell(store, order);
  ASSERT_NE(once, nullptr);
  EXPECT_EQ(once->key.claim, 7u);
  tell(store, release_claim{7, {}, {registry}});
  EXPECT_TRUE(asked);
}

} // namespace
} // namespace herald
