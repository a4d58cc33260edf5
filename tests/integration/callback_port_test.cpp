#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

/// herald with a gateway that is not there: what it answers to its callbacks.
class CallbackPort : public ::testing::Test {
protected:
  static constexpr const char* target = "/api/sse/callback?secret=open%20sesame";

  http_client::reply call(const json& callback) { return api.post(target, callback.dump()); }

  static json connect(const std::string& url, const std::string& token = "t-1") {
    return {
      {"action", "connect"},
      {"token", token},
      {"request", {{"url", url}, {"headers", {{"host", "h"}, {"x", {"1", "2"}}}}}},
      {"unknown", "is ignored"}};
  }

  static json disconnect(const std::string& token = "t-1") {
    return {{"action", "disconnect"}, {"token", token}, {"reason", "client_closed"}};
  }

  json connections() { return json_of(api.get("/api/connections")); }

  herald_process herald{
    {"--gateway-url", "http://127.0.0.1:1", "--callback-secret", "open sesame",
     "--gateway-probe-interval-s", "0"}};
  http_client api{herald.api_port()};
};

TEST_F(CallbackPort, TakesAConnect) {
  const auto answer = call(connect("/api/sse/stream?x=1&request_id=a+b%2Fc"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json_of(answer)["request_id"], "6120622f63~t-1");
  EXPECT_EQ(json_of(answer)["bindings"], (json{"broadcast", "connection.6120622f63"}));
  const auto list = connections();
  EXPECT_EQ(list["total"], 1);
  EXPECT_EQ(list["connections"][0]["request_id"], "a b/c");
  EXPECT_EQ(list["connections"][0]["token"], "t-1");
  EXPECT_EQ(list["connections"][0]["transport"], "gateway");
}

TEST_F(CallbackPort, SaysHowFarBehindTheStreamsOfTheGatewayAre) {
  call(connect("/api/sse/stream?request_id=page"));
  EXPECT_EQ(connections()["connections"][0]["behind"]["events"], 0);
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(api.post("/api/events", R"({"event":"n","data":1})").status, 202);
  const auto behind = connections()["connections"][0]["behind"];
  EXPECT_EQ(behind["events"], 3) << "the gateway is not there";
  EXPECT_GT(behind["bytes"], 0);
  EXPECT_EQ(behind["unacknowledged_bytes"], nullptr);
}

TEST_F(CallbackPort, CountsAConnectThatComesAgainOnce) {
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(call(connect("/api/sse/stream?request_id=page")).status, 200);
  EXPECT_EQ(connections()["total"], 1);
  EXPECT_EQ(metric(api, R"(sse_gateway_connections_total{action="connect"})"), 1);
}

TEST_F(CallbackPort, TakesDisconnectsHoweverLateAndOften) {
  const std::string url = "/api/sse/stream?request_id=page";
  call(connect(url, "old"));
  call(connect(url, "new"));
  for (const auto* token : {"old", "old", "never"}) {
    const auto answer = call(disconnect(token));
    EXPECT_EQ(answer.status, 200) << token;
    EXPECT_EQ(json_of(answer), json::object()) << token;
  }
  EXPECT_EQ(connections()["connections"][0]["token"], "new") << "the newer one stays";
  EXPECT_EQ(call(disconnect("new")).status, 200);
  EXPECT_TRUE(eventually([&] { return connections()["total"] == 0; }));
}

TEST_F(CallbackPort, RefusesWhoeverDoesNotKnowTheSecret) {
  const auto body = connect("/api/sse/stream?request_id=page").dump();
  for (const std::string query : {"", "?secret=", "?secret=open", "?secret=open%20sesame1"}) {
    const auto answer = api.post("/api/sse/callback" + query, body);
    EXPECT_EQ(answer.status, 401) << query;
    EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  }
  EXPECT_EQ(connections()["total"], 0);
}

TEST_F(CallbackPort, RefusesWhatItDoesNotUnderstand) {
  const std::string url = "/api/sse/stream?request_id=page";
  auto without_token = connect(url);
  without_token.erase("token");
  auto without_request = connect(url);
  without_request.erase("request");
  auto unknown_action = connect(url);
  unknown_action["action"] = "reconnect";
  const std::vector<std::pair<std::string, std::string>> rows = {
    {"", ""},
    {"not json", ""},
    {"[]", ""},
    {unknown_action.dump(), "action"},
    {json{{"token", "t"}}.dump(), "action"},
    {without_token.dump(), "token"},
    {connect(url, "").dump(), "token"},
    {without_request.dump(), "request.url"},
    {connect("/api/sse/stream").dump(), "request.url"},
    {connect("/api/sse/stream?request_id=").dump(), "request.url"},
    {connect("/api/sse/stream?request_id=a:b").dump(), "request.url"},
    {connect("/api/sse/stream?request_id=a%3Ab").dump(), "request.url"},
    {connect("/api/sse/stream?request_id=%0A").dump(), "request.url"},
    {connect("/api/sse/stream?request_id=%ff").dump(), "request.url"},
    {connect("/api/sse/stream?request_id=" + std::string(129, 'x')).dump(), "request.url"},
  };
  for (const auto& [body, field] : rows) {
    const auto answer = api.post(target, body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(json_of(answer).value("field", ""), field) << body;
  }
  EXPECT_EQ(connections()["total"], 0);
}

} // namespace
} // namespace herald
