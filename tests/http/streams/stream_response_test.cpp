#include "http/streams/stream_response.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(StreamResponse, HasTheHeadOfAStream) {
  auto head = render_stream_head(false, {{"Access-Control-Allow-Origin", "*"}});
  const auto date = head.find("Date: ");
  ASSERT_NE(date, std::string::npos);
  head.erase(date, head.find('\n', date) + 1 - date);
  EXPECT_EQ(
    head, "HTTP/1.1 200 OK\r\n"
          "Content-Type: text/event-stream\r\n"
          "Cache-Control: no-cache, no-transform\r\n"
          "X-Accel-Buffering: no\r\n"
          "Connection: keep-alive\r\n"
          "Access-Control-Allow-Origin: *\r\n"
          "\r\n");
  EXPECT_NE(render_stream_head(true, {}).find("Connection: close\r\n"), std::string::npos);
}

TEST(StreamResponse, EndsAtOnceWhereAClientIsToComeBack) {
  const auto reply = stream_that_ends(std::chrono::milliseconds{1500}, "not now");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content_type, "text/event-stream");
  EXPECT_EQ(reply.body, "retry: 1500\n: not now\n");
  EXPECT_EQ(stream_that_ends({}, "one\rdata: x").body, "retry: 0\n: one\n") << "one comment";
}

} // namespace
} // namespace herald
