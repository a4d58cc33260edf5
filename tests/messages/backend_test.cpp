#include "messages/backend.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

const auto stream = token::from_text("0b0e8a2c-5d0a-4a6e-9f3e-6a1d2c3b4a59");

std::shared_ptr<const std::string> request(std::string url, header_list headers) {
  return std::make_shared<const std::string>(render_callback_request(url, headers));
}

TEST(Callbacks, RenderAConnectWithTheRawTargetAndTheHeaders) {
  const call_backend call{
    callback_action::connect,
    stream,
    {},
    request("/api/sse/stream?request_id=a%20b", {{"Host", "x"}, {"User-Agent", "curl"}}),
    {}};
  EXPECT_EQ(
    render_callback(call), R"({"action":"connect","token":"0b0e8a2c-5d0a-4a6e-9f3e-6a1d2c3b4a59",)"
                           R"("request":{"url":"/api/sse/stream?request_id=a%20b",)"
                           R"("headers":{"host":"x","user-agent":"curl"}}})");
}

TEST(Callbacks, RenderADisconnectWithItsReason) {
  const call_backend call{
    callback_action::disconnect, stream, end_reason::server_closed, request("/s", {}), {}};
  EXPECT_EQ(
    render_callback(call),
    R"({"action":"disconnect","reason":"server_closed",)"
    R"("token":"0b0e8a2c-5d0a-4a6e-9f3e-6a1d2c3b4a59","request":{"url":"/s","headers":{}}})");
}

TEST(Callbacks, MakeAnArrayOfARepeatedHeader) {
  EXPECT_EQ(
    render_callback_request("/", {{"X-A", "1"}, {"b", "2"}, {"x-a", "3"}}),
    R"({"url":"/","headers":{"x-a":["1","3"],"b":"2"}})");
}

TEST(Callbacks, EscapeWhatJsonCannotHold) {
  EXPECT_EQ(
    render_callback_request("/\"\\", {{"a", "tab\there"}, {"b", "\xff"}}),
    "{\"url\":\"/\\\"\\\\\",\"headers\":{\"a\":\"tab\\there\",\"b\":\"\xef\xbf\xbd\"}}");
}

} // namespace
} // namespace herald
