// What can be reached on the one port of `herald gateway`: /internal/send and pages, whatever way a
// request comes. The API has its own.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/callback_backend.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/gateway_facts.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/raw_client.hpp"

namespace herald {
namespace {

using namespace testing;

const std::string host = " HTTP/1.1\r\nHost: gateway:3000\r\n";
const std::string unknown_order = R"({"token":"t"})";

std::string order_with_length(const std::string& target = "/internal/send") {
  return "POST " + target + host + "Content-Length: " + std::to_string(unknown_order.size())
         + "\r\n\r\n" + unknown_order;
}

std::string order_in_chunks() {
  return "POST /internal/send" + host + "Transfer-Encoding: chunked\r\n\r\nd\r\n" + unknown_order
         + "\r\n0\r\n\r\n";
}

/// How a request comes to be read.
struct way {
  const char* name;
  /// What is sent over its connection before it.
  std::vector<std::string> before;
  /// All at once, or each when the one before is answered.
  bool at_once = false;
  /// What its target begins with.
  const char* origin = "";
};

const std::vector<way>& ways() {
  static const std::vector<way> all = {
    {"first", {}},
    {"first, absolute", {}, false, "http://gateway:3000"},
    {"after an order", {order_with_length()}},
    {"after an order, absolute", {order_with_length()}, false, "http://localhost"},
    {"after an order in chunks", {order_in_chunks()}},
    {"after three orders", {order_with_length(), order_in_chunks(), order_with_length()}},
    {"pipelined behind an order", {order_with_length()}, true},
    {"pipelined behind an order in chunks", {order_in_chunks()}, true},
    {"pipelined behind three", {order_with_length(), order_in_chunks(), order_with_length()}, true},
    {"pipelined, absolute", {order_with_length()}, true, "http://127.0.0.1:8080"},
  };
  return all;
}

/// What the API has, and some that look like what is allowed.
const std::vector<std::string>& targets() {
  static const std::vector<std::string> all = {
    "/metrics",
    "/api/actors",
    "/api/connections?limit=1",
    "/api/tasks",
    "/api/events",
    "/api/versions",
    "/api/sse/callback?secret=s",
    "/",
    "/internal/send/",
    "/internal/send/../../metrics",
    "/internal/send%2f..%2f..%2fmetrics",
    "//internal/send",
    "/Internal/Send",
  };
  return all;
}

class OnePort : public ::testing::Test {
protected:
  /// The head of the answer to the last request of a way.
  raw_client::reply answer(const way& by, const std::string& method, const std::string& target) {
    raw_client client{herald.stream_port()};
    std::string requests;
    for (const auto& one : by.before) {
      requests += one;
      if (by.at_once)
        continue;
      EXPECT_TRUE(client.send(std::exchange(requests, {})));
      expect_order_answered(client);
    }
    // A body that nobody may take for the next request.
    const std::string body = method == "POST" || method == "PUT" ? "GET /metrics" + host : "";
    requests += method + ' ' + by.origin + target + host
                + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    EXPECT_TRUE(client.send(requests));
    if (by.at_once)
      for (std::size_t i = 0; i < by.before.size(); ++i)
        expect_order_answered(client);
    return client.read_reply(true);
  }

  static void expect_order_answered(raw_client& client) {
    const auto reply = client.read_reply();
    EXPECT_EQ(reply.status, send_answer_of("unknown_token").status) << reply.head << reply.body;
  }

  [[nodiscard]] bool has_called_back(const std::string& url) const {
    const auto all = backend.callbacks();
    return std::any_of(all.begin(), all.end(), [&](const nlohmann::json& callback) {
      return callback["action"] == "connect" && callback["request"]["url"] == url;
    });
  }

  callback_backend backend;
  herald_process herald{{"gateway", "--callback-url", backend.url()}};
};

TEST_F(OnePort, TakesAnyPathForAPageWhateverWayItComes) {
  for (const auto& by : ways())
    for (const auto& target : targets()) {
      const auto reply = answer(by, "GET", target);
      EXPECT_EQ(reply.status, 200) << by.name << ": " << target << reply.head;
      EXPECT_EQ(reply.header("content-type"), "text/event-stream") << by.name << ": " << target;
      EXPECT_TRUE(has_called_back(by.origin + target)) << by.name << ": " << target;
    }
}

TEST_F(OnePort, HasNothingElseUnderOtherMethodsEither) {
  const std::vector<std::pair<const char*, int>> methods = {
    {"HEAD", 200}, {"OPTIONS", 204}, {"POST", 405}, {"PUT", 405}, {"DELETE", 405}, {"PATCH", 405}};
  for (const auto& by : ways())
    for (const auto& target : targets())
      for (const auto& [method, status] : methods) {
        const auto reply = answer(by, method, target);
        EXPECT_EQ(reply.status, status) << by.name << ": " << method << ' ' << target << reply.head;
        EXPECT_EQ(reply.header("access-control-allow-origin"), "*") << "of the pages' port";
      }
  EXPECT_TRUE(backend.callbacks().empty());
}

TEST_F(OnePort, AnswersProbesWhateverWayTheyCome) {
  for (const auto& by : ways())
    for (const auto* method : {"GET", "HEAD"})
      for (const auto* target : {"/healthz", "/readyz"}) {
        const auto reply = answer(by, method, target);
        EXPECT_EQ(reply.status, 200) << by.name << ": " << method << ' ' << target;
        EXPECT_EQ(reply.header("content-type"), "application/json");
      }
  EXPECT_TRUE(backend.callbacks().empty()) << "no streams";
}

TEST_F(OnePort, TakesOrdersInEveryForm) {
  raw_client client{herald.stream_port()};
  for (const auto* target :
       {"/internal/send", "/internal/send?x=1", "http://gateway:3000/internal/send"}) {
    ASSERT_TRUE(client.send(order_with_length(target)));
    expect_order_answered(client);
  }
}

TEST_F(OnePort, KeepsItsApiOnAPortOfLoopbackThatChecksHosts) {
  http_client api{herald.api_port()};
  EXPECT_EQ(api.get("/metrics").status, 200);
  EXPECT_EQ(api.get("/api/actors").status, 200);
  raw_client rebound{herald.api_port()};
  ASSERT_TRUE(rebound.send("GET /metrics" + host + "\r\n"));
  EXPECT_EQ(rebound.read_reply().status, 421);
}

TEST_F(OnePort, RefusesOrdersOfWebPages) {
  http_client page{herald.stream_port()};
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(
      page.post("/internal/send", unknown_order, "Origin: https://evil.example\r\n").status, 403);
}

TEST_F(OnePort, ServesAStreamOverAConnectionThatHasCarriedOrders) {
  raw_client client{herald.stream_port()};
  ASSERT_TRUE(client.send(order_with_length()));
  expect_order_answered(client);
  ASSERT_TRUE(client.send("GET /page" + host + "\r\n"));
  EXPECT_EQ(client.read_reply(true).status, 200);
  const nlohmann::json order = {
    {"token", backend.callbacks().at(0)["token"]}, {"event", {{"data", "hello"}}}};
  http_client sender{herald.stream_port()};
  EXPECT_EQ(json_of(sender.post("/internal/send", order.dump())), send_answer_of("sent").body);
  EXPECT_TRUE(client.wait_for("data: hello\n\n"));
}

TEST(GatewayCommand, TakesOrdersInPiecesAndUnderAnyNameOfItsMachine) {
  callback_backend backend;
  herald_process herald{{"gateway", "--callback-url", backend.url()}};
  raw_client sender{herald.stream_port()};
  const std::string body = R"({"token":"t"})";
  http_client api{herald.api_port()};
  ASSERT_TRUE(sender.send("POST /internal/send HTTP/1.1\r\nHost: gateway:3000\r\nContent-"));
  ASSERT_TRUE(eventually([&] { return metric(api, "herald_stream_accepted_total") == 1; }));
  ASSERT_TRUE(sender.send("Length: " + std::to_string(body.size()) + "\r\n\r\n{"));
  ASSERT_TRUE(eventually([&] { return metric(api, "herald_api_connections_open") == 2; }))
    << "this and the sender's";
  ASSERT_TRUE(sender.send(body.substr(1)));
  EXPECT_EQ(sender.read_reply().status, send_answer_of("unknown_token").status);
}

TEST(GatewayCommand, EndsInOrderWithSendersThatKeepTheirConnections) {
  callback_backend backend;
  herald_process herald{{"gateway", "--callback-url", backend.url()}};
  http_client sender{herald.stream_port()};
  EXPECT_EQ(sender.post("/internal/send", "{}").status, 400);
  EXPECT_EQ(herald.terminate(), exited(0));
}

TEST(OnePortHosts, AreThoseOfThePages) {
  callback_backend backend;
  herald_process herald{
    {"gateway", "--callback-url", backend.url(), "--stream-hosts", "gateway.internal"}};
  raw_client client{herald.stream_port()};
  for (const auto& [name, status] :
       {std::pair{"gateway.internal", send_answer_of("unknown_token").status},
        std::pair{"evil.example", 421}}) {
    ASSERT_TRUE(client.send(
      "POST /internal/send HTTP/1.1\r\nHost: " + std::string{name} + "\r\nContent-Length: "
      + std::to_string(unknown_order.size()) + "\r\n\r\n" + unknown_order));
    EXPECT_EQ(client.read_reply().status, status) << name;
  }
}

} // namespace
} // namespace herald
