#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/callback_backend.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/webhook_receiver.hpp"

namespace herald {
namespace {

using namespace testing;
using arguments = std::vector<std::string>;
using lines = std::vector<std::string>;

class Webhook : public ::testing::Test {
protected:
  herald_process& begin_life(arguments more = {}) {
    more.insert(
      more.end(), {"--webhook-url", receiver.url(), "--webhook-secret-file", receiver.secret_file(),
                   "--webhook-min-backoff-ms", "10", "--webhook-max-backoff-ms", "50"});
    herald.reset();
    herald.emplace(std::move(more));
    api.emplace(herald->api_port());
    return *herald;
  }

  arguments with_journal() { return {"--journal-path", folder / "journal.db"}; }

  /// Whether these are all events that the receiver was told of, in this order.
  void expect_told(const lines& expected) { EXPECT_EQ(receiver.told(expected.size()), expected); }

  [[nodiscard]] nlohmann::json last_told() const {
    const auto events = receiver.events();
    return events.empty() ? nlohmann::json::object() : events.back();
  }

  temporary_folder folder;
  webhook_receiver receiver;
  std::optional<herald_process> herald;
  std::optional<http_client> api;
};

TEST_F(Webhook, TellsOfStreamsTopicsAndTasks) {
  receiver.start();
  begin_life();
  {
    sse_client page{
      herald->stream_port(), stream_target("page-1") + "&topic=orders/42&secret=hush"};
    ASSERT_TRUE(page.open());
    expect_told({"stream.opened page-1", "topic.occupied orders/42"});
    sse_client again{herald->stream_port(), stream_target("page-1")};
    ASSERT_TRUE(again.open());
    ASSERT_TRUE(page.wait_for_end());
    const auto task = json_of(api->post("/api/tasks", R"({"type":"external"})"));
    const auto id = task["task_id"].get<std::string>();
    EXPECT_EQ(api->post("/api/tasks/" + id + "/complete", R"({"result":7})").status, 200);
    expect_told(
      {"stream.opened page-1", "topic.occupied orders/42", "stream.closed page-1 replaced",
       "topic.vacant orders/42", "stream.opened page-1", "task.ended external completed"});
  }
  ASSERT_TRUE(eventually([&] { return receiver.events().size() == 7; }));
  const auto events = receiver.events();
  EXPECT_EQ(in_short(events[6]), "stream.closed page-1 client_closed");
  const auto& opened = events[0]["data"];
  EXPECT_EQ(opened["address"], "127.0.0.1");
  EXPECT_EQ(opened["topics"], nlohmann::json::array({"orders/42"}));
  EXPECT_EQ(opened["subject"], nullptr);
  EXPECT_EQ(events[2]["data"]["token"], opened["token"]);
  EXPECT_GE(events[2]["data"]["duration_s"], 0);
  EXPECT_EQ(events[5]["data"]["result"], 7);
  EXPECT_TRUE(eventually([&] { return metric(*api, "herald_webhook_events_total") == 7; }));
  EXPECT_EQ(herald->full_log().find("hush"), std::string::npos) << "of no URL";
}

TEST_F(Webhook, TellsOfTheEndOfAllStreamsAtAShutdown) {
  receiver.start();
  begin_life();
  auto streams = open_streams(herald->stream_port(), 20);
  EXPECT_EQ(herald->terminate(), exited(0));
  const auto events = receiver.events();
  EXPECT_EQ(events.size(), 40u);
  EXPECT_EQ(
    std::count_if(
      events.begin(), events.end(),
      [](const auto& event) { return in_short(event).ends_with(" server_closed"); }),
    20);
}

TEST_F(Webhook, TellsOfStreamsThatACrashHasEndedBeforeAnythingElse) {
  receiver.start();
  begin_life(with_journal());
  sse_client page{herald->stream_port(), stream_target("a") + "&topic=x"};
  ASSERT_TRUE(page.open());
  expect_told({"stream.opened a", "topic.occupied x"});
  herald->kill();
  begin_life(with_journal());
  page.reconnect(herald->stream_port());
  ASSERT_TRUE(page.open());
  expect_told(
    {"stream.opened a", "topic.occupied x", "stream.closed a restart", "topic.vacant x",
     "stream.opened a", "topic.occupied x"});
}

TEST_F(Webhook, TellsAfterARestartWhatTheReceiverCouldNotBeTold) {
  begin_life(with_journal());
  {
    sse_client page{herald->stream_port(), stream_target("a")};
    ASSERT_TRUE(page.open());
    const auto task = json_of(api->post("/api/tasks", R"({"type":"external"})"));
    const auto id = task["task_id"].get<std::string>();
    EXPECT_EQ(api->post("/api/tasks/" + id + "/fail", R"({"error":"no"})").status, 200);
    ASSERT_TRUE(eventually([&] { return metric(*api, "herald_webhook_queue_events") == 2; }));
  }
  ASSERT_TRUE(eventually([&] { return metric(*api, "herald_webhook_queue_events") == 3; }));
  EXPECT_EQ(herald->terminate(), exited(0));
  receiver.start();
  begin_life(with_journal());
  expect_told({"stream.opened a", "task.ended external failed", "stream.closed a client_closed"});
  EXPECT_EQ(receiver.arrivals().size(), 3u);
}

TEST_F(Webhook, TellsEachPairInOrderHoweverOftenTheReceiverIsKilled) {
  receiver.start();
  begin_life(with_journal());
  std::mt19937 random{7};
  constexpr std::size_t pages = 10;
  std::size_t opened = 0;
  for (int round = 0; round < 8; ++round) {
    for (std::size_t some = 0; some < 20; ++some) {
      sse_client page{
        herald->stream_port(), stream_target("page-" + std::to_string(random() % pages))};
      ASSERT_TRUE(page.open());
      ++opened;
      if (some == random() % 20) {
        receiver.kill();
        receiver.start();
      }
    }
    if (round == 4) {
      // Once the receiver has it, it has all before it.
      sse_client last{herald->stream_port(), stream_target("last")};
      ASSERT_TRUE(last.open());
      ++opened;
      ASSERT_TRUE(eventually([&] {
        const auto events = receiver.events();
        return std::any_of(events.begin(), events.end(), [](const auto& event) {
          return in_short(event) == "stream.opened last";
        });
      }));
      herald->kill();
      begin_life(with_journal());
    }
  }
  const auto told = [&](const char* type) {
    const auto events = receiver.events();
    return static_cast<std::size_t>(std::count_if(
      events.begin(), events.end(), [&](const auto& event) { return event["type"] == type; }));
  };
  EXPECT_TRUE(eventually([&] { return told("stream.closed") == opened; }));
  std::map<std::string, bool> open;
  std::uint64_t last = 0;
  std::size_t pairs = 0;
  for (const auto& event : receiver.events()) {
    ASSERT_FALSE(event.contains("refused")) << event;
    const auto number = std::stoull(event["id"].get<std::string>().substr(4));
    EXPECT_GT(number, last);
    last = number;
    auto& is_open = open[event["data"]["request_id"].get<std::string>()];
    EXPECT_NE(is_open, event["type"] == "stream.opened") << event;
    is_open = !is_open;
    pairs += is_open ? 0 : 1;
  }
  EXPECT_EQ(pairs, opened);
}

TEST_F(Webhook, CostsNothingElseWhereTheReceiverHangs) {
  receiver.start();
  receiver.stop();
  begin_life({"--webhook-max-queue-events", "50", "--webhook-max-batch-events", "5"});
  for (int i = 0; i < 200; ++i) {
    sse_client page{herald->stream_port(), stream_target("page-" + std::to_string(i))};
    ASSERT_TRUE(page.open());
    EXPECT_EQ(api->post("/api/events?wait=true", R"({"event":"note","data":1})").status, 200);
  }
  ASSERT_TRUE(
    eventually([&] { return metric(*api, R"(herald_webhook_lost_total{reason="full"})") >= 350; }));
  EXPECT_LE(metric(*api, "herald_webhook_queue_events"), 50);
  EXPECT_TRUE(herald->logs("events_lost"));
  EXPECT_EQ(api->get("/readyz").status, 200);
  receiver.go_on();
  EXPECT_TRUE(eventually([&] { return metric(*api, "herald_webhook_queue_events") == 0; }));
  EXPECT_EQ(in_short(receiver.events().back()), "stream.closed page-199 client_closed");
}

TEST_F(Webhook, SignsByOtherSecretsWhenTheFileHasOthersAndItIsToldTo) {
  receiver.start();
  const auto good = receiver.secret_file();
  const auto rotating = (folder / "rotating").string();
  const auto other = "whsec_" + std::string(32, 'A');
  std::ofstream{rotating} << other << "\n";
  herald.emplace(arguments{
    "--webhook-url", receiver.url(), "--webhook-secret-file", rotating, "--webhook-min-backoff-ms",
    "10", "--webhook-max-backoff-ms", "20"});
  sse_client page{herald->stream_port(), stream_target("a")};
  ASSERT_TRUE(page.open());
  ASSERT_TRUE(eventually([&] { return !receiver.arrivals().empty(); }));
  EXPECT_EQ(receiver.arrivals().front()["refused"], "no signature is good");
  std::string known;
  std::ifstream{good} >> known;
  std::ofstream{rotating} << other << "\n" << known << "\n";
  herald->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return in_short(last_told()) == "stream.opened a"; }));
  EXPECT_EQ(herald->full_log().find(known.substr(6)), std::string::npos);
}

TEST_F(Webhook, SignsByOtherSecretsWhereHeraldStandsInForAGatewayToo) {
  receiver.start();
  callback_backend backend;
  const auto rotating = (folder / "rotating").string();
  std::ofstream{rotating} << "whsec_" << std::string(32, 'A') << "\n";
  herald.emplace(arguments{
    "--callback-url", backend.url(), "--webhook-url", receiver.url(), "--webhook-secret-file",
    rotating, "--webhook-min-backoff-ms", "10", "--webhook-max-backoff-ms", "20"});
  {
    sse_client page{herald->stream_port(), "/any/path?request_id=a"};
    ASSERT_TRUE(page.open());
    ASSERT_TRUE(eventually([&] { return !receiver.arrivals().empty(); }));
    EXPECT_EQ(receiver.arrivals().front()["refused"], "no signature is good");
    std::string known;
    std::ifstream{receiver.secret_file()} >> known;
    std::ofstream{rotating} << known << "\n";
    herald->signal(SIGHUP);
    EXPECT_TRUE(eventually([&] { return in_short(last_told()) == "stream.opened a"; }));
  }
  // Or the backend waits for it.
  herald.reset();
}

TEST_F(Webhook, TellsOfStreamsWhereHeraldStandsInForAGateway) {
  receiver.start();
  callback_backend backend;
  begin_life({"--callback-url", backend.url()});
  {
    sse_client page{herald->stream_port(), "/any/path?request_id=a"};
    ASSERT_TRUE(page.open());
    expect_told({"stream.opened a"});
  }
  expect_told({"stream.opened a", "stream.closed a client_closed"});
  // Or the backend waits for it.
  herald.reset();
}

TEST_F(Webhook, TellsOfStreamsBehindAGatewayThatOutliveACrash) {
  receiver.start();
  auto settings = with_journal();
  settings.insert(
    settings.end(), {"--gateway-url", "http://127.0.0.1:" + std::to_string(free_port())});
  begin_life(settings);
  const auto connect = [&](const char* name) {
    const nlohmann::json callback = {
      {"action", "connect"},
      {"token", name},
      {"request", {{"url", "/s?topic=x&request_id=" + std::string{name}}}}};
    EXPECT_EQ(api->post("/api/sse/callback", callback.dump()).status, 200);
  };
  connect("a");
  expect_told({"stream.opened a", "topic.occupied x"});
  herald->kill();
  begin_life(settings);
  connect("b");
  EXPECT_EQ(
    api
      ->post("/api/sse/callback", R"({"action":"disconnect","token":"a","reason":"client_closed"})")
      .status,
    200);
  expect_told(
    {"stream.opened a", "topic.occupied x", "stream.opened b", "stream.closed a client_closed"});
}

} // namespace
} // namespace herald
