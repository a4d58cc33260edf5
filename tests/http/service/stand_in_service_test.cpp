#include "http/service/stand_in_service.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <gtest/gtest.h>

#include "http/auth/digests.hpp"
#include "http/keys/api_key.hpp"
#include "tests/support/callback_backend.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/loopback_server.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using json = nlohmann::json;

/// The whole way from a page to a backend and back, as the service wires it.
class StandInService : public ::testing::Test {
protected:
  StandInService() {
    settings.api.port = 0;
    settings.stream.port = 0;
    settings.stream.threads = 1;
    settings.callback.url = backend.url();
    start();
  }

  void start() {
    running = make_stand_in_service(settings, system, numbers, [this] { gave_up = true; });
    running->start();
  }

  ~StandInService() override {
    EXPECT_TRUE(!running || running->shut_down(shutdown_reason::asked).empty());
    EXPECT_FALSE(gave_up);
  }

  /// With these settings instead.
  void restart() {
    EXPECT_TRUE(running->shut_down(shutdown_reason::asked).empty());
    running.reset();
    start();
  }

  [[nodiscard]] sse_client page() const { return {*running->ports().stream, "/s"}; }

  http_client::reply send(json order) {
    order["token"] = backend.callbacks().at(0)["token"];
    return api().post("/internal/send", order.dump());
  }

  [[nodiscard]] http_client api() const { return http_client{running->ports().api}; }

  /// What the backend was told, and why, once that were `count` callbacks.
  std::vector<std::string> told(std::size_t count) {
    EXPECT_TRUE(eventually([&] { return backend.callbacks().size() >= count; }));
    std::vector<std::string> lines;
    for (const auto& callback : backend.callbacks())
      lines.push_back(
        callback["action"].get<std::string>()
        + (callback.contains("reason") ? " " + callback["reason"].get<std::string>() : ""));
    return lines;
  }

  std::atomic<int> status{200};
  /// What the backend does before it answers a connect.
  std::function<void(const json& callback)> before_answer = [](const json&) {
  };
  callback_backend backend{[this](const json& callback) {
    before_answer(callback);
    return status.load();
  }};
  metrics numbers;
  config settings;
  std::atomic<bool> gave_up = false;
  caf::actor_system_config actors;
  caf::actor_system system{actors};
  std::unique_ptr<service> running;
};

using lines = std::vector<std::string>;

TEST_F(StandInService, TakesAStreamThroughItsLife) {
  auto stream = page();
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(send({{"event", {{"name", "e"}, {"data", "x"}}}, {"close", true}}).status, 200);
  EXPECT_EQ(stream.next(), (sse_event{"", "e", "x"}));
  EXPECT_TRUE(stream.wait_for_end());
  EXPECT_EQ(told(2), (lines{"connect", "disconnect server_closed"}));
  EXPECT_EQ(send({{"event", {{"data", "y"}}}}).status, 404);
}

TEST_F(StandInService, PassesARefusalOn) {
  status = 403;
  auto stream = page();
  EXPECT_FALSE(stream.open());
  EXPECT_EQ(stream.status(), 403);
}

TEST_F(StandInService, IsReadyAndSaysThatItIsNoBackend) {
  EXPECT_EQ(api().get("/readyz").status, 200);
  EXPECT_EQ(api().post("/api/sse/callback", "{}").status, 404);
}

TEST_F(StandInService, HasToldTheBackendOfTheEndOfAllStreamsWhenItHasEnded) {
  auto stream = page();
  ASSERT_TRUE(stream.open());
  EXPECT_TRUE(running->shut_down(shutdown_reason::asked).empty());
  running.reset();
  EXPECT_EQ(backend.callbacks().size(), 2u) << "not only afterwards";
  EXPECT_EQ(told(2).front(), "connect");
  EXPECT_TRUE(stream.wait_for_end());
}

TEST_F(StandInService, KeepsWhatIsSentBeforeTheAnswerToAConnectWithinItsSettings) {
  struct row {
    std::size_t events;
    std::size_t stream_bytes;
    std::size_t total_bytes;
    std::vector<int> answers;
  };
  const row rows[] = {
    {2, 1000, 1000, {200, 200, 503}},
    {9, 11, 1000, {200, 200, 503}},
    {9, 1000, 5, {200, 503, 503}},
    {0, 1000, 1000, {503, 503, 503}},
  };
  double refused = 0;
  for (const auto& [events, stream_bytes, total_bytes, expected] : rows) {
    settings.callback.max_buffered_events = events;
    settings.callback.max_buffered_bytes = stream_bytes;
    settings.callback.max_buffered_total_bytes = total_bytes;
    restart();
    std::vector<int> answers;
    before_answer = [&](const json& callback) {
      const json order = {
        {"token", callback["token"]}, {"event", {{"name", "n"}, {"data", "1234"}}}};
      for (int i = 0; i < 3; ++i)
        answers.push_back(api().post("/internal/send", order.dump()).status);
    };
    auto stream = page();
    ASSERT_TRUE(stream.open());
    EXPECT_EQ(answers, expected);
    const auto kept = std::count(expected.begin(), expected.end(), 200);
    for (int i = 0; i < kept; ++i)
      EXPECT_EQ(stream.next(), (sse_event{"", "n", "1234"}));
    refused += static_cast<double>(expected.size()) - static_cast<double>(kept);
    EXPECT_EQ(metric(numbers, "herald_callback_buffer_refused_total"), refused);
  }
}

TEST_F(StandInService, KeepsNoMoreOfRequestsThanItsSettingSays) {
  {
    auto one = page();
    ASSERT_TRUE(one.open());
    const auto bytes = metric(numbers, "herald_callback_kept_bytes");
    EXPECT_GT(bytes, 0);
    settings.callback.max_kept_bytes = static_cast<std::size_t>(bytes * 3 / 2);
  }
  EXPECT_EQ(told(2).back(), "disconnect client_closed");
  restart();
  auto first = page();
  ASSERT_TRUE(first.open());
  auto second = page();
  EXPECT_FALSE(second.open());
  EXPECT_EQ(second.status(), 503);
  EXPECT_EQ(backend.callbacks().size(), 3u);
  EXPECT_EQ(metric(numbers, "herald_callback_streams_refused_total"), 1);
}

TEST_F(StandInService, TakesAKeyBackAtAReload) {
  const auto key = new_api_key();
  auto& entry = settings.api.keys.emplace_back();
  entry.name = "ops";
  entry.sha256 = hex_of(sha256_of(key));
  entry.scopes.add(scope::connections_read);
  restart();
  const auto status = [&] {
    return api()
      .send("GET", "/api/connections", {}, "Authorization: Bearer " + key + "\r\n")
      .status;
  };
  EXPECT_EQ(status(), 200);
  auto now = settings;
  now.api.keys[0].sha256 = hex_of(sha256_of(new_api_key()));
  running->reconfigure(now);
  EXPECT_EQ(status(), 401);
}

TEST_F(StandInService, ChangesWhatTheApiTakesAtAReload) {
  auto stream = page();
  ASSERT_TRUE(stream.open());
  const json order = {{"event", {{"name", "n"}, {"data", std::string(200, 'x')}}}};
  EXPECT_EQ(send(order).status, 200);
  auto now = settings;
  now.api.max_body_bytes = 100;
  running->reconfigure(now);
  EXPECT_EQ(send(order).status, 413);
}

TEST_F(StandInService, HasToldTheWebhookOfTheEndOfAllStreamsWhenItHasEnded) {
  loopback_server receiver;
  // Refuses at first, so that it would not be told of anything else for an hour.
  std::atomic<int> verdict = 503;
  std::mutex mutex;
  std::string told;
  receiver.Post("/hooks", [&](const httplib::Request& batch, httplib::Response& answer) {
    answer.status = verdict;
    const std::lock_guard lock{mutex};
    told += batch.body;
  });
  receiver.start();
  settings.webhook.url = receiver.url("/hooks");
  settings.webhook.keys = {std::string(32, 's')};
  settings.webhook.min_backoff_ms = settings.webhook.max_backoff_ms = 1h;
  restart();
  auto stream = page();
  ASSERT_TRUE(stream.open());
  ASSERT_TRUE(eventually([&] { return metric(numbers, "herald_webhook_failing") == 1; }));
  verdict = 200;
  EXPECT_TRUE(running->shut_down(shutdown_reason::asked).empty());
  running.reset();
  receiver.end();
  const std::lock_guard lock{mutex};
  EXPECT_NE(told.find("stream.closed"), std::string::npos) << told;
}

TEST_F(StandInService, IsNotMadeForABackendThatItCannotCall) {
  settings.callback.url = "ftp://backend/";
  EXPECT_THROW(
    (void)make_stand_in_service(settings, system, numbers, [] {}), std::invalid_argument);
}

} // namespace
} // namespace herald
