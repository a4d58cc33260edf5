#include "messages/wire/callback_json.hpp"

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "messages/errors.hpp"

namespace herald {
namespace {

TEST(CallbackJson, ReadsAConnect) {
  const auto read = parse_callback(
    R"({"action":"connect","token":"t1","request":{"url":"/s?request_id=a","headers":)"
    R"({"host":"h","x":["1","2"]}},"later":{"unknown":[1]}})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->action, gateway_callback::kind::connect);
  EXPECT_EQ(read->stream.str(), "t1");
  EXPECT_EQ(read->url, "/s?request_id=a");
}

TEST(CallbackJson, ReadsADisconnectByItsTokenAlone) {
  const auto read = parse_callback(R"({"action":"disconnect","token":"t1"})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->action, gateway_callback::kind::disconnect);
  EXPECT_EQ(read->reason, end_reason::error);
}

TEST(CallbackJson, MapsTheReason) {
  const std::vector<std::pair<const char*, end_reason>> reasons = {
    {R"("client_closed")", end_reason::client_closed},
    {R"("server_closed")", end_reason::server_closed},
    {R"("error")", end_reason::error},
    {R"("something new")", end_reason::error},
    {"17", end_reason::error},
  };
  for (const auto& [text, expected] : reasons) {
    const auto read =
      parse_callback(std::string{R"({"action":"disconnect","token":"t1","reason":)"} + text + "}");
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->reason, expected) << text;
  }
}

TEST(CallbackJson, NamesWhatIsWrong) {
  const auto long_token = R"({"action":"disconnect","token":")" + std::string(257, 'x') + "\"}";
  const std::vector<std::tuple<std::string, ec, const char*>> bodies = {
    {"", ec::invalid_json, ""},
    {"{", ec::invalid_json, ""},
    {"[]", ec::invalid_field, ""},
    {std::string{"{}\0{}", 5}, ec::invalid_json, ""},
    {"\xff\xfe", ec::invalid_json, ""},
    {"{}", ec::invalid_field, "action"},
    {R"({"action":"jump","token":"t"})", ec::invalid_field, "action"},
    {R"({"action":1,"token":"t"})", ec::invalid_field, "action"},
    {R"({"action":"connect","request":{"url":"/"}})", ec::invalid_field, "token"},
    {R"({"action":"connect","token":"","request":{"url":"/"}})", ec::invalid_field, "token"},
    {R"({"action":"connect","token":5,"request":{"url":"/"}})", ec::invalid_field, "token"},
    {R"({"action":"disconnect","token":"a","token":"b"})", ec::invalid_field, "token"},
    {R"({"action":"disconnect","token":null})", ec::invalid_field, "token"},
    {long_token, ec::invalid_field, "token"},
    {R"({"action":"connect","token":"t"})", ec::invalid_field, "request.url"},
    {R"({"action":"connect","token":"t","request":"x"})", ec::invalid_field, "request.url"},
    {R"({"action":"connect","token":"t","request":{}})", ec::invalid_field, "request.url"},
    {R"({"action":"connect","token":"t","request":{"url":1}})", ec::invalid_field, "request.url"},
  };
  for (const auto& [body, code, field] : bodies) {
    const auto read = parse_callback(body);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(describe(read.error()).code, code) << body;
    EXPECT_EQ(describe(read.error()).field, field) << body;
  }
}

TEST(CallbackJson, BuildsNothingOfWhatIsNestedWithoutEnd) {
  // A tree of it would take a hundred times the memory of the text.
  const auto deep = R"({"action":"disconnect","token":"t","x":)" + std::string(1'000'000, '[');
  const auto read = parse_callback(deep);
  ASSERT_FALSE(read);
  EXPECT_EQ(describe(read.error()).code, ec::invalid_json);
}

} // namespace
} // namespace herald
