#include <algorithm>
#include <csignal>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/no_more_threads.hpp"
#include "tests/support/sanitizer.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

std::string start_task(http_client& api, const std::string& type) {
  const auto answer = api.post("/api/tasks", json{{"type", type}}.dump());
  EXPECT_EQ(answer.status, 202) << answer.body;
  return json_of(answer)["task_id"];
}

/// The kinds of the task events that a stream has got.
std::vector<std::string> steps(const sse_client& stream) {
  std::vector<std::string> kinds;
  for (const auto& event : stream.events())
    if (event.name == "task_event")
      kinds.push_back(json::parse(event.data)["event_type"]);
  return kinds;
}

TEST(Shutdown, TellsEachStreamWhenToComeBackAndClosesIt) {
  herald_process herald{{"--shutdown-retry-window-ms", "9000"}};
  auto streams = open_streams(herald.stream_port(), 100);
  EXPECT_EQ(herald.terminate(), exited(0));
  std::set<std::uint64_t> told;
  for (auto& stream : streams) {
    EXPECT_TRUE(stream.wait_for_end());
    ASSERT_TRUE(stream.retry());
    EXPECT_GE(*stream.retry(), 1000u);
    EXPECT_LE(*stream.retry(), 10000u);
    told.insert(*stream.retry());
  }
  EXPECT_GT(told.size(), 50u) << "they must not all come back at once";
  EXPECT_GT(*told.rbegin(), 6000u) << "but over the whole window";
}

TEST(Shutdown, SendsWhatWasAnsweredBeforeItCloses) {
  herald_process herald;
  http_client api{herald.api_port()};
  auto streams = open_streams(herald.stream_port(), 20);
  auto batch = json::array();
  for (int i = 0; i < 500; ++i)
    batch.push_back({{"event", "n"}, {"data", std::string(200, 'x')}});
  EXPECT_EQ(api.post("/api/events", batch.dump()).status, 202);
  herald.signal(SIGTERM);
  for (auto& stream : streams) {
    EXPECT_TRUE(stream.wait_for_end());
    EXPECT_EQ(stream.events().size(), 500u);
  }
  EXPECT_EQ(herald.wait(), exited(0));
}

TEST(Shutdown, GivesARunningTaskItsGrace) {
  herald_process herald{{"--shutdown-grace-s", "60"}};
  http_client api{herald.api_port()};
  sse_client stream{herald.stream_port(), stream_target("page")};
  ASSERT_TRUE(stream.open());
  const auto task = "/api/tasks/" + start_task(api, "external");
  herald.signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return api.get("/readyz").status == 503; }));

  EXPECT_NE(api.get("/readyz").body.find("shutting down"), std::string::npos);
  EXPECT_EQ(api.get("/healthz").status, 200);
  const std::string version = R"({"request_id":"page","version":"1"})";
  const auto refused = [&](const std::string& target, const std::string& body) {
    const auto answer = api.post(target, body);
    EXPECT_EQ(answer.status, 503) << target << answer.body;
    EXPECT_FALSE(answer.header("retry-after").empty()) << target;
  };
  refused("/api/events", R"({"event":"n","data":1})");
  refused("/api/versions", version);
  refused("/api/tasks", R"({"type":"external"})");
  EXPECT_EQ(api.post(task + "/progress", R"({"value":0.5})").status, 200);
  EXPECT_EQ(api.post(task + "/complete", "{}").status, 200);

  EXPECT_EQ(herald.wait(), exited(0)) << "nothing runs any more: no reason to wait";
  EXPECT_TRUE(stream.wait_for_end());
  EXPECT_EQ(
    steps(stream), (std::vector<std::string>{"task_started", "progress_update", "task_completed"}));
}

TEST(Shutdown, IsInOrderWhereNoThreadCanBeMade) {
  if (built_with != sanitizer::none)
    GTEST_SKIP() << "a sanitizer takes more memory than there would be";
  herald_process herald{{"--shutdown-grace-s", "60"}};
  http_client api{herald.api_port()};
  sse_client stream{herald.stream_port(), stream_target("page")};
  ASSERT_TRUE(stream.open());
  const auto task = "/api/tasks/" + start_task(api, "external");
  allow_no_more_threads(herald.pid());
  herald.signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return api.get("/readyz").status == 503; }));
  EXPECT_EQ(api.post(task + "/complete", "{}").status, 200) << "it has its grace";
  EXPECT_EQ(herald.wait(), exited(0));
  EXPECT_TRUE(stream.wait_for_end());
  EXPECT_TRUE(stream.retry());
  EXPECT_EQ(steps(stream), (std::vector<std::string>{"task_started", "task_completed"}));
}

TEST(Shutdown, RefusesNewWorkFromTheMomentThatItIsNotReady) {
  herald_process herald{herald_options{{"--shutdown-grace-s", "60"}, {}, {}, HERALD_FAULTS_BINARY}};
  http_client api{herald.api_port()};
  start_task(api, "external");
  // The end waits for the registry, which hangs, before it waits for any other actor.
  EXPECT_EQ(
    api.post("/api/testing/faults", R"({"actor":"connection-registry","moment":"hang"})").status,
    202);
  http_client asking{herald.api_port()};
  ASSERT_TRUE(asking.ask("POST", "/api/events", R"({"event":"note","data":1})"));
  ASSERT_TRUE(eventually([&] { return json_of(api.get("/api/testing/faults"))["left"] == 0; }));
  herald.signal(SIGTERM);
  ASSERT_TRUE(eventually([&] { return api.get("/readyz").status == 503; }));
  EXPECT_EQ(api.post("/api/tasks", R"({"type":"external"})").status, 503);
  EXPECT_EQ(api.post("/api/versions", R"({"request_id":"page","version":"1"})").status, 503);
}

TEST(Shutdown, EndsWhatRunsWhenTheGraceIsOver) {
  herald_process herald{{"--shutdown-grace-s", "0"}};
  http_client api{herald.api_port()};
  sse_client stream{herald.stream_port(), stream_target("page")};
  ASSERT_TRUE(stream.open());
  start_task(api, "external");
  const json endless = {{"type", "demo"}, {"params", {{"steps", 1}, {"delay", 3600}}}};
  EXPECT_EQ(api.post("/api/tasks", endless.dump()).status, 202);
  EXPECT_EQ(herald.terminate(), exited(0));
  EXPECT_TRUE(stream.wait_for_end());
  const auto seen = steps(stream);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "task_started"), 2);
  EXPECT_EQ(seen.size(), 4u) << "each has an end, too";
}

TEST(Shutdown, EndsAtOnceAtASecondSignal) {
  for (const int second : {SIGTERM, SIGINT}) {
    herald_process herald{{"--shutdown-grace-s", "3600"}};
    http_client api{herald.api_port()};
    start_task(api, "external");
    herald.signal(SIGTERM);
    ASSERT_TRUE(eventually([&] { return api.get("/readyz").status == 503; }));
    EXPECT_TRUE(herald.running());
    herald.signal(second);
    EXPECT_EQ(herald.wait(), exited(128 + second));
    EXPECT_NE(
      herald.log().find("warning herald ended_by_second_signal signal=" + std::to_string(second)),
      std::string::npos);
  }
}

TEST(Shutdown, TakesAnInterruptAsWell) {
  herald_process herald;
  herald.signal(SIGINT);
  EXPECT_EQ(herald.wait(), exited(0));
}

TEST(Shutdown, IsNotHeldUpByIdleOrHalfSpokenClients) {
  herald_process herald;
  raw_client idle{herald.api_port()};
  raw_client half{herald.api_port()};
  ASSERT_TRUE(half.send("POST /api/events HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{"));
  raw_client silent_stream{herald.stream_port()};
  raw_client half_stream{herald.stream_port()};
  ASSERT_TRUE(half_stream.send("GET /api/sse/str"));
  EXPECT_EQ(herald.terminate(), exited(0));
}

} // namespace
} // namespace herald
