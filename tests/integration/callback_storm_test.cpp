#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

constexpr int connections = 500;
constexpr int rounds = 4;
constexpr const char* target = "/api/sse/callback?secret=s";

std::string callback(const char* action, int round, int connection) {
  const auto name = std::to_string(round) + "-" + std::to_string(connection);
  return json{
    {"action", action},
    {"reason", "client_closed"},
    {"token", "token-" + name},
    {"request", {{"url", "/api/sse/stream?request_id=" + name}, {"headers", json::object()}}}}
    .dump();
}

/// One callback on each of the gateway's connections, all under way at once.
void call_on_all(std::vector<http_client>& gateway, const char* action, int round) {
  for (int i = 0; i < connections; ++i)
    ASSERT_TRUE(
      gateway[static_cast<std::size_t>(i)].ask("POST", target, callback(action, round, i)));
  for (auto& connection : gateway)
    ASSERT_EQ(connection.answer().status, 200);
}

TEST(CallbackStorm, LosesNoneAndStarvesNobody) {
  // A gateway that is never sent anything need not be there.
  herald_process herald{
    {"--gateway-url", "http://127.0.0.1:1", "--callback-secret", "s", "--gateway-probe-interval-s",
     "0"}};
  std::vector<http_client> gateway;
  for (int i = 0; i < connections; ++i)
    gateway.emplace_back(herald.api_port());

  std::atomic<bool> over = false;
  int served = 0;
  std::thread other{[&] {
    http_client api{herald.api_port()};
    do {
      ASSERT_EQ(api.get("/healthz").status, 200);
      ASSERT_EQ(api.get("/api/connections?limit=1").status, 200);
      ASSERT_EQ(api.get("/api/versions/nobody").status, 404);
      ++served;
    } while (!over);
    EXPECT_EQ(api.connections(), 1u) << "kept alive, too";
  }};
  for (int round = 0; round < rounds; ++round)
    call_on_all(gateway, "connect", round);
  http_client api{herald.api_port()};
  EXPECT_EQ(json_of(api.get("/api/connections?limit=1"))["total"], connections * rounds);
  for (int round = 0; round < rounds; ++round)
    call_on_all(gateway, "disconnect", round);
  over = true;
  other.join();
  EXPECT_GT(served, 0);

  EXPECT_TRUE(
    eventually([&] { return json_of(api.get("/api/connections?limit=1"))["total"] == 0; }));
  const double all = connections * rounds;
  EXPECT_EQ(metric(api, R"(sse_gateway_connections_total{action="connect"})"), all);
  EXPECT_EQ(metric(api, R"(sse_gateway_connections_total{action="disconnect"})"), all);
  for (const auto& connection : gateway)
    EXPECT_EQ(connection.connections(), 1u) << "none was closed";
}

/// The same page again and again, as a gateway's callbacks can overtake each other.
TEST(CallbackStorm, LeavesOneConnectionForEachPage) {
  herald_process herald{
    {"--gateway-url", "http://127.0.0.1:1", "--callback-secret", "s", "--gateway-probe-interval-s",
     "0"}};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread)
    threads.emplace_back([port = herald.api_port(), thread] {
      http_client connection{port};
      for (int i = 0; i < 50; ++i) {
        const auto url = "/api/sse/stream?request_id=page-" + std::to_string(i % 5);
        const auto token = std::to_string(thread) + "-" + std::to_string(i);
        json call = {
          {"action", "connect"},
          {"token", token},
          {"request", {{"url", url}, {"headers", json::object()}}}};
        ASSERT_EQ(connection.post(target, call.dump()).status, 200);
        if (i < 40) {
          call["action"] = "disconnect";
          ASSERT_EQ(connection.post(target, call.dump()).status, 200);
          ASSERT_EQ(connection.post(target, call.dump()).status, 200) << "twice";
        }
      }
    });
  for (auto& thread : threads)
    thread.join();
  http_client api{herald.api_port()};
  EXPECT_TRUE(eventually([&] { return json_of(api.get("/api/connections"))["total"] == 5; }));
}

} // namespace
} // namespace herald
