#include "http/protocol/gateway_error.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/gateway_facts.hpp"

namespace herald {
namespace {

using namespace testing;
using nlohmann::json;

gateway_format format_of(const std::string& generation) {
  if (generation == "1")
    return gateway_format::v1;
  return generation == "mid" ? gateway_format::mid : gateway_format::v2;
}

failure refused() {
  return {ec::upstream_refused, "", {}};
}

TEST(GatewayError, PassesTheStatusOfABackendOnWithACodeOfTheGateway) {
  const auto& codes = gateway_facts().at("page").at("refusals").at("backend_refused");
  for (const auto& [generation, ways] : gateway_facts().at("generations").items())
    for (const int status : {400, 401, 403, 404, 409, 429, 500, 503}) {
      const auto reply = gateway_refusal(refused(), status, format_of(generation));
      const auto& rejected = ways.at("rejected_statuses");
      if (std::find(rejected.begin(), rejected.end(), status) != rejected.end())
        continue;
      EXPECT_EQ(reply.status, status);
      EXPECT_EQ(reply.content_type, "application/json");
      const auto code = codes.at("codes").value(std::to_string(status), codes.at("code"));
      const json error = {{"error", {{"message", codes.at("message")}, {"code", code}}}};
      EXPECT_EQ(json::parse(reply.body), error) << generation << ' ' << status;
    }
}

TEST(GatewayError, RejectsAPageInAStreamThatEndsWhereTheGenerationDoes) {
  const auto reply = gateway_refusal(refused(), 401, gateway_format::v2);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content_type, "text/event-stream");
  EXPECT_EQ(reply.body, "event: rejected\ndata: {\"status\":401,\"message\":\"Unauthorized\"}\n\n");
}

TEST(GatewayError, SaysThatTheBackendIsAwayOrLate) {
  const auto& facts = gateway_facts().at("page").at("refusals");
  const auto expect = [](const api_reply& reply, const json& fact) {
    EXPECT_EQ(reply.status, fact.at("status"));
    const json error = {{"message", fact.at("message")}, {"code", fact.at("code")}};
    EXPECT_EQ(json::parse(reply.body).at("error"), error);
  };
  const failure away{ec::upstream_unavailable, "", {}};
  const failure late{ec::upstream_timed_out, "", {}};
  expect(gateway_refusal(away, 0, gateway_format::v2), facts.at("backend_away"));
  expect(gateway_refusal(late, 0, gateway_format::v1), facts.at("backend_late"));
}

TEST(GatewayError, PassesNoStatusOnThatRefusesNothing) {
  EXPECT_EQ(gateway_refusal(refused(), 302, gateway_format::v1).status, 502);
}

} // namespace
} // namespace herald
