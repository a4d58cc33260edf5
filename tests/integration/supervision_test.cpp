#include <algorithm>
#include <csignal>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "actors/supervision/supervision_options.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/no_more_threads.hpp"
#include "tests/support/sanitizer.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using nlohmann::json;

/// A herald whose actors fail on request.
class Supervision : public ::testing::Test {
protected:
  explicit Supervision(const std::string& config = quick, bool with_journal = false)
    : herald(herald_options{
      with_journal ? keeping_a_journal() : std::vector<std::string>{},
      {},
      config,
      HERALD_FAULTS_BINARY}),
      api(herald.api_port()) {}

  [[nodiscard]] std::vector<std::string> keeping_a_journal() const {
    return {"--journal-path", folder / "journal.db"};
  }

  /// Restarts that cost no time.
  static constexpr const char* quick = R"({"supervision": {"intensity": 100000, "children": {
    "connection-registry": {"min_backoff_ms": 1, "max_backoff_ms": 5},
    "version-store": {"min_backoff_ms": 1, "max_backoff_ms": 5},
    "task-runner": {"min_backoff_ms": 1, "max_backoff_ms": 5},
    "task-worker": {"min_backoff_ms": 1, "max_backoff_ms": 5},
    "stream-loop": {"min_backoff_ms": 1, "max_backoff_ms": 5}}}})";

  void inject(const json& plan) {
    EXPECT_EQ(api.post("/api/testing/faults", plan.dump()).status, 202);
  }
  json faults() { return json_of(api.get("/api/testing/faults")); }

  /// The id of the event, if it was acknowledged; its data is `number`.
  std::string publish(http_client& by, int number) {
    const json event = {{"event", "note"}, {"data", number}};
    const auto answer = by.post("/api/events", event.dump());
    EXPECT_TRUE(answer.status == 202 || answer.status == 500) << answer.status << answer.body;
    return answer.status == 202 ? json_of(answer)["id"].get<std::string>() : std::string{};
  }

  json actor(const std::string& name) {
    const auto tree = json_of(api.get("/api/actors"));
    for (const auto& one : tree["actors"])
      if (one["name"] == name)
        return one;
    return {};
  }

  temporary_folder folder;
  herald_process herald;
  http_client api;
};

std::vector<std::string> ids_of(const sse_client& stream) {
  std::vector<std::string> ids;
  for (const auto& event : stream.events())
    if (event.name == "note")
      ids.push_back(event.id);
  return ids;
}

/// Whether all streams have this event, and so, since it is the last, all that come.
bool all_have(const std::vector<sse_client>& streams, const std::string& id) {
  return std::all_of(streams.begin(), streams.end(), [&](const sse_client& stream) {
    return stream.last_event_id() == id;
  });
}

TEST_F(Supervision, CostsThePublishThatAnActorFailedAtAndNothingElse) {
  auto streams = open_streams(herald.stream_port(), 3);
  const auto first = publish(api, 1);
  inject({{"actor", "connection-registry"}, {"moment", "before"}});
  EXPECT_EQ(publish(api, 2), "");
  const auto last = publish(api, 3);
  ASSERT_TRUE(read_until(streams, [&] { return all_have(streams, last); }));
  for (const auto& stream : streams)
    EXPECT_EQ(ids_of(stream), (std::vector<std::string>{first, last}));
  EXPECT_EQ(actor("connection-registry")["restarts"], 1);
  EXPECT_EQ(actor("connection-registry")["last_error"], "injected before a handler");
}

TEST_F(Supervision, DeliversEveryAcknowledgedEventOnceWhicheverActorFails) {
  constexpr int publishers = 3;
  constexpr int each = 400;
  auto streams = open_streams(herald.stream_port(), 20);
  inject({{"count", 150}, {"every", 20}, {"seed", 1}});
  std::vector<std::set<std::string>> acknowledged(publishers);
  std::vector<std::thread> publishing;
  for (int p = 0; p < publishers; ++p)
    publishing.emplace_back([&, p] {
      http_client by{herald.api_port()};
      for (int i = 0; i < each; ++i)
        if (const auto id = publish(by, i); !id.empty())
          acknowledged[p].insert(id);
    });
  for (auto& thread : publishing)
    thread.join();
  inject({{"count", 0}});
  std::string last;
  while (last.empty())
    last = publish(api, 0);
  ASSERT_TRUE(read_until(streams, [&] { return all_have(streams, last); }));
  const auto thrown = faults();
  EXPECT_GT(thrown["before"], 20);
  EXPECT_GT(thrown["after"], 20);
  for (const auto& stream : streams) {
    const auto ids = ids_of(stream);
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
    const std::set<std::string> once{ids.begin(), ids.end()};
    EXPECT_EQ(once.size(), ids.size());
    for (const auto& known : acknowledged)
      EXPECT_TRUE(std::includes(once.begin(), once.end(), known.begin(), known.end()));
  }
  EXPECT_EQ(herald.terminate(), exited(0));
}

TEST_F(Supervision, ServesStreamsOnLoopsThatFail) {
  auto streams = open_streams(herald.stream_port(), 10);
  inject({{"actor", "stream-loop"}, {"count", 60}, {"every", 2}});
  std::vector<std::string> published;
  for (int i = 0; i < 100; ++i)
    published.push_back(publish(api, i));
  ASSERT_TRUE(read_until(streams, [&] { return all_have(streams, published.back()); }));
  for (const auto& stream : streams)
    EXPECT_EQ(ids_of(stream), published);
  sse_client late{herald.stream_port(), stream_target("late")};
  EXPECT_TRUE(late.open()) << "loops still take clients";
  EXPECT_GT(actor("stream-loop")["restarts"], 10);
}

TEST_F(Supervision, KeepsItsWorkersWhenTheRunnerFails) {
  // Each task comes and goes by messages of the runner that nobody would say again.
  inject({{"actor", "task-runner"}, {"count", 30}, {"every", 4}, {"moment", "before"}});
  const auto start = [this] {
    return api.post("/api/tasks", R"({"type":"demo","params":{"steps":2,"delay":0}})").status
           == 202;
  };
  for (int i = 0; i < 20; ++i)
    start();
  inject({{"count", 0}});
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(eventually(start));
  EXPECT_TRUE(eventually([this] {
    const auto tasks = json_of(api.get("/api/tasks"))["tasks"];
    return std::all_of(tasks.begin(), tasks.end(), [](const json& task) {
      return task["status"] == "completed" || task["status"] == "failed";
    });
  }))
    << api.get("/api/tasks").body;
}

TEST_F(Supervision, ShowsItsActorsInTheOrderInWhichTheyDependOnEachOther) {
  const auto tree = json_of(api.get("/api/actors"));
  EXPECT_EQ(tree["strategy"], "one_for_one");
  EXPECT_EQ(tree["intensity"], 100000);
  std::size_t last = 0;
  for (const auto& actor : tree["actors"]) {
    const auto place = start_order(actor["name"].get<std::string>());
    EXPECT_GE(place, last);
    last = place;
    EXPECT_EQ(actor["state"], "running");
    EXPECT_EQ(actor["restart"], "permanent");
    EXPECT_EQ(actor["mailbox_depth"], 0);
    EXPECT_EQ(actor["last_error"], nullptr);
  }
  EXPECT_EQ(actor("task-worker")["instances"], 4);
  EXPECT_EQ(actor("task-worker")["actors"].size(), 4u);
  EXPECT_EQ(actor("connection-registry")["instances"], 1);
}

TEST_F(Supervision, CountsWhatEveryActorDoes) {
  auto streams = open_streams(herald.stream_port(), 3);
  EXPECT_EQ(api.get("/api/versions/page-1").status, 404);
  EXPECT_EQ(
    api.post("/api/tasks", R"({"type":"demo","params":{"steps":1,"delay":0}})").status, 202);
  ASSERT_TRUE(streams[0].next("task_event"));
  const auto page = api.get("/metrics").body;
  const auto has = [&](const std::string& series) {
    EXPECT_NE(page.find("\n" + series + "\"} "), std::string::npos) << series;
  };
  const auto tree = json_of(api.get("/api/actors"));
  for (const auto& kind : tree["actors"]) {
    has("herald_actor_handling_seconds_count{actor=\"" + kind["name"].get<std::string>());
    const auto instances = kind.contains("actors") ? kind["actors"] : json::array({kind});
    for (const auto& one : instances)
      for (const auto* number : {"restarts_total", "failures_total", "mailbox_depth"})
        has("herald_actor_" + std::string{number} + "{actor=\"" + one["name"].get<std::string>());
  }
}

/// A loop is a thread and not an actor of CAF, and the journal blocks in one.
class SupervisionOf : public Supervision, public ::testing::WithParamInterface<const char*> {
protected:
  SupervisionOf()
    : Supervision(
      R"({"supervision": {"children": {
    "journal": {"shutdown_ms": 100}, "stream-loop": {"shutdown_ms": 100}}}})",
      true) {}
};

TEST_P(SupervisionOf, EndsThoughItHangs) {
  auto streams = open_streams(herald.stream_port(), 10);
  const std::string kind = GetParam();
  inject({{"actor", kind}, {"moment", "hang"}});
  http_client asking{herald.api_port()};
  ASSERT_TRUE(asking.ask("POST", "/api/events", R"({"event":"note","data":1})"));
  ASSERT_TRUE(eventually([this] { return faults()["left"] == 0; }));
  EXPECT_EQ(herald.terminate(), exited(0));
  EXPECT_NE(herald.log().find("child_left_behind actor=" + kind), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(, SupervisionOf, ::testing::Values("journal", "stream-loop"));

TEST_F(Supervision, EndsThoughAnActorHangs) {
  inject({{"actor", "version-store"}, {"moment", "hang"}});
  http_client asking{herald.api_port()};
  ASSERT_TRUE(asking.ask("GET", "/api/versions/page-1"));
  ASSERT_TRUE(eventually([this] { return faults()["left"] == 0; }));
  EXPECT_EQ(herald.terminate(), exited(0));
  EXPECT_NE(herald.log().find("child_left_behind actor=version-store"), std::string::npos);
  EXPECT_NE(herald.log().find("error herald stopped left_behind=1"), std::string::npos);
}

TEST(SupervisionOfHerald, HasNoFaultsOnPurpose) {
  herald_process herald;
  http_client api{herald.api_port()};
  EXPECT_EQ(api.post("/api/testing/faults", "{}").status, 404);
}

/// A herald whose streams another one holds, in the place of an SSE Gateway.
class SupervisionBehindAGateway : public ::testing::Test {
protected:
  static constexpr const char* quick = R"({"gateway": {"url": "http://127.0.0.1:%"},
    "supervision": {"intensity": 100000, "children": {
      "connection-registry": {"min_backoff_ms": 1, "max_backoff_ms": 5},
      "gateway-sender": {"min_backoff_ms": 1, "max_backoff_ms": 5, "instances": 2}}}})";

  static std::string with_port(std::string config, std::uint16_t port) {
    return config.replace(config.find('%'), 1, std::to_string(port));
  }

  std::uint16_t backend_port = free_port();
  herald_process gateway{
    {"--callback-url", "http://127.0.0.1:" + std::to_string(backend_port) + "/api/sse/callback"}};
  herald_process backend{herald_options{
    {"--api-port", std::to_string(backend_port)},
    {},
    with_port(quick, gateway.api_port()),
    HERALD_FAULTS_BINARY}};
  http_client api{backend_port};
};

TEST_F(SupervisionBehindAGateway, DeliversEveryAcknowledgedEventOnceWhicheverActorFails) {
  auto streams = open_streams(gateway.stream_port(), 10);
  EXPECT_EQ(
    api.post("/api/testing/faults", R"({"count": 100, "every": 10, "seed": 2})").status, 202);
  std::vector<std::string> acknowledged;
  for (int i = 0; i < 300; ++i)
    if (api.post("/api/events", json{{"event", "note"}, {"data", i}}.dump()).status == 202)
      acknowledged.push_back(std::to_string(i));
  EXPECT_EQ(api.post("/api/testing/faults", R"({"count": 0})").status, 202);
  EXPECT_EQ(api.post("/api/events", R"({"event": "last", "data": 0})").status, 202);
  ASSERT_TRUE(read_until(streams, [&] {
    return std::all_of(streams.begin(), streams.end(), [](const sse_client& stream) {
      return !stream.events().empty() && stream.events().back().name == "last";
    });
  }));
  EXPECT_LT(acknowledged.size(), 300u);
  for (const auto& stream : streams) {
    std::vector<std::string> got;
    for (const auto& event : stream.events())
      if (event.name == "note")
        got.push_back(event.data);
    const std::set<std::string> once{got.begin(), got.end()};
    EXPECT_EQ(once.size(), got.size());
    const auto in_order = [](const std::string& a, const std::string& b) {
      return std::stoi(a) < std::stoi(b);
    };
    EXPECT_TRUE(std::is_sorted(got.begin(), got.end(), in_order));
    EXPECT_TRUE(
      std::includes(got.begin(), got.end(), acknowledged.begin(), acknowledged.end(), in_order));
  }
}

class SupervisionWithoutPatience : public Supervision {
protected:
  SupervisionWithoutPatience()
    : Supervision(
      R"({"supervision": {"intensity": 2, "children": {
        "connection-registry": {"min_backoff_ms": 1, "max_backoff_ms": 1}}}})",
      true) {}

  void break_registry() {
    inject({{"actor", "connection-registry"}, {"moment", "before"}, {"count", 3}});
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(publish(api, i), "");
  }
};

TEST_F(SupervisionWithoutPatience, EndsWithThreeWhenAnActorFailsTooOften) {
  auto streams = open_streams(herald.stream_port(), 3);
  break_registry();
  EXPECT_EQ(herald.wait(), exited(3));
  EXPECT_NE(
    herald.log().find("error supervisor intensity_exceeded actor=connection-registry"),
    std::string::npos);
  for (auto& stream : streams)
    EXPECT_TRUE(stream.wait_for_end());
}

TEST_F(SupervisionWithoutPatience, EndsWithThreeWhereNoThreadCanBeMade) {
  if (built_with != sanitizer::none)
    GTEST_SKIP() << "a sanitizer takes more memory than there would be";
  auto streams = open_streams(herald.stream_port(), 3);
  ASSERT_EQ(faults()["left"], 0) << "its connection has a thread";
  allow_no_more_threads(herald.pid());
  break_registry();
  EXPECT_EQ(herald.wait(), exited(3));
  for (auto& stream : streams) {
    EXPECT_TRUE(stream.wait_for_end());
    EXPECT_TRUE(stream.retry()) << "it is told when to come back";
  }
}

TEST_F(Supervision, OutlivesRequestsForWhichThereIsNoMemory) {
  const auto reply = api.post("/api/testing/out-of-memory", R"({"allocations": 20})");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(json_of(reply)["title"], "Out of memory");
  EXPECT_TRUE(eventually([this] { return api.get("/healthz").status == 200; }));
  EXPECT_TRUE(herald.running());
}

TEST_F(SupervisionWithoutPatience, FlushesWhatWasAcknowledgedBeforeItEnds) {
  auto streams = open_streams(herald.stream_port(), 3);
  std::vector<std::string> published;
  for (int i = 0; i < 200; ++i)
    published.push_back(publish(api, i));
  break_registry();
  EXPECT_EQ(herald.wait(), exited(3));
  for (auto& stream : streams) {
    EXPECT_TRUE(stream.wait_for_end());
    EXPECT_EQ(ids_of(stream), published);
    EXPECT_TRUE(stream.retry()) << "it is told when to come back";
  }
  // A new life goes on from where this one was.
  herald_process next{keeping_a_journal()};
  auto& page = streams[0];
  page.reconnect(next.stream_port());
  http_client again{next.api_port()};
  published.push_back(publish(again, 0));
  ASSERT_TRUE(read_until(streams, [&] { return page.last_event_id() == published.back(); }));
  EXPECT_EQ(ids_of(page), published);
  EXPECT_TRUE(std::none_of(page.events().begin(), page.events().end(), [](const auto& event) {
    return event.name == "gap";
  }));
}

TEST_F(SupervisionWithoutPatience, EndsWithThreeThoughAnotherActorHangs) {
  inject({{"actor", "version-store"}, {"moment", "hang"}});
  http_client asking{herald.api_port()};
  ASSERT_TRUE(asking.ask("GET", "/api/versions/page-1"));
  ASSERT_TRUE(eventually([this] { return faults()["left"] == 0; }));
  break_registry();
  EXPECT_EQ(herald.wait(), exited(3));
}

class SupervisionThatWaits : public Supervision {
protected:
  SupervisionThatWaits()
    : Supervision(R"({"supervision": {"children": {
        "version-store": {"min_backoff_ms": 600000, "max_backoff_ms": 600000, "max_mailbox": 1},
        "task-runner": {"restart": "temporary"}}}})") {}
};

TEST_F(SupervisionThatWaits, NamesTheActorThatIsNotReady) {
  EXPECT_EQ(api.get("/readyz").status, 200);
  inject({{"actor", "version-store"}, {"moment", "before"}});
  EXPECT_EQ(api.get("/api/versions/page-1").status, 500);
  const auto answer = api.get("/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json_of(answer)["detail"], "not ready: version-store");
  EXPECT_EQ(actor("version-store")["state"], "restarting");
}

TEST_F(SupervisionThatWaits, RefusesWhatAFullMailboxCannotTake) {
  inject({{"actor", "version-store"}, {"moment", "before"}});
  EXPECT_EQ(api.get("/api/versions/page-1").status, 500);
  // The actor is away; one request may wait for it.
  http_client waiting{herald.api_port()};
  ASSERT_TRUE(waiting.ask("GET", "/api/versions/page-1"));
  ASSERT_TRUE(eventually([this] { return actor("version-store")["mailbox_depth"] == 1; }));
  const auto answer = api.get("/api/versions/page-2");
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.has("retry-after:")) << answer.head;
}

class SupervisionThatDropsTheOldest : public Supervision {
protected:
  SupervisionThatDropsTheOldest()
    : Supervision(R"({"supervision": {"children": {"version-store": {"min_backoff_ms": 600000,
        "max_backoff_ms": 600000, "max_mailbox": 1, "when_full": "drop_oldest"}}}})") {}
};

TEST_F(SupervisionThatDropsTheOldest, AnswersWhoHasWaitedLongestAndCountsIt) {
  inject({{"actor", "version-store"}, {"moment", "before"}});
  EXPECT_EQ(api.get("/api/versions/page-1").status, 500);
  http_client first{herald.api_port()};
  ASSERT_TRUE(first.ask("GET", "/api/versions/page-1"));
  ASSERT_TRUE(eventually([this] { return actor("version-store")["mailbox_depth"] == 1; }));
  http_client second{herald.api_port()};
  ASSERT_TRUE(second.ask("GET", "/api/versions/page-2"));
  const auto answer = first.answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.has("retry-after:")) << answer.head;
  EXPECT_EQ(metric(api, "herald_actor_refused_total{actor=\"version-store\",why=\"dropped\"}"), 1);
  EXPECT_EQ(actor("version-store")["mailbox_depth"], 1) << "the other one waits";
}

TEST_F(SupervisionThatWaits, GoesOnWithoutATemporaryActor) {
  inject({{"actor", "task-runner"}, {"moment", "before"}});
  const std::string task = R"({"type":"demo","params":{"steps":1,"delay":0}})";
  EXPECT_EQ(api.post("/api/tasks", task).status, 500);
  EXPECT_TRUE(eventually([&] { return api.post("/api/tasks", task).status == 503; }));
  EXPECT_EQ(actor("task-runner")["state"], "stopped");
  EXPECT_EQ(api.get("/readyz").status, 200);
  EXPECT_NE(publish(api, 1), "");
}

} // namespace
} // namespace herald
