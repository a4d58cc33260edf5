#include "actors/gateway/gateway_body.hpp"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

namespace herald {
namespace {

using json = nlohmann::json;

json body_of(const event& what, bool close) {
  std::string out;
  write_send_body(out, token::from_text("t\"1"), prepare(what).get(), close);
  return json::parse(out);
}

TEST(GatewayBody, HoldsTokenNameAndDataAsTheyAre) {
  event what;
  what.name = "ver\"sion";
  for (char c = 1; c != 0x7f; ++c)
    what.data += c;
  what.data += "\x7f \u00e4\u2028\U0001f600";
  what.data += '\0';
  const auto body = body_of(what, false);
  EXPECT_EQ(body, (json{{"token", "t\"1"}, {"event", {{"name", what.name}, {"data", what.data}}}}));
}

TEST(GatewayBody, LeavesOutAnEmptyName) {
  event what;
  what.data = "x";
  EXPECT_EQ(
    body_of(what, true), (json{{"token", "t\"1"}, {"event", {{"data", "x"}}}, {"close", true}}));
}

TEST(GatewayBody, IsAProbeWithNeitherEventNorClose) {
  std::string out = "left over";
  write_send_body(out, token::from_text("t"), nullptr, false);
  EXPECT_EQ(out, R"({"token":"t"})");
}

} // namespace
} // namespace herald
