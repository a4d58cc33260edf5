#include "http/service/stand_in_service.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <gtest/gtest.h>

#include "tests/support/callback_backend.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

/// The whole way from a page to a backend and back, as the service wires it.
class StandInService : public ::testing::Test {
protected:
  StandInService() {
    config settings;
    settings.api.port = 0;
    settings.stream.port = 0;
    settings.stream.threads = 1;
    settings.callback.url = backend.url();
    running = make_stand_in_service(settings, system, numbers, [this] { gave_up = true; });
    running->start();
  }

  ~StandInService() override {
    EXPECT_TRUE(!running || running->shut_down(shutdown_reason::asked).empty());
    EXPECT_FALSE(gave_up);
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
  callback_backend backend{[this](const json&) {
    return status.load();
  }};
  metrics numbers;
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

TEST_F(StandInService, IsNotMadeForABackendThatItCannotCall) {
  config settings;
  settings.callback.url = "https://backend/";
  EXPECT_THROW(
    (void)make_stand_in_service(settings, system, numbers, [] {}), std::invalid_argument);
}

} // namespace
} // namespace herald
