#include "http/admission/stream_response.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(StreamResponse, HasTheHeadOfAStream) {
  auto head = render_stream_head(framing::chunked, {{"Access-Control-Allow-Origin", "*"}});
  const auto date = head.find("Date: ");
  ASSERT_NE(date, std::string::npos);
  head.erase(date, head.find('\n', date) + 1 - date);
  EXPECT_EQ(
    head, "HTTP/1.1 200 OK\r\n"
          "Content-Type: text/event-stream\r\n"
          "Cache-Control: no-cache, no-transform\r\n"
          "X-Accel-Buffering: no\r\n"
          "Connection: close\r\n"
          "Transfer-Encoding: chunked\r\n"
          "Access-Control-Allow-Origin: *\r\n"
          "\r\n");
}

TEST(StreamResponse, HasNoChunksForHttp10) {
  for (const bool of_gateway : {false, true}) {
    const auto head = render_stream_head(framing::bare, {}, of_gateway);
    EXPECT_NE(head.find("\r\nConnection: close\r\n"), std::string::npos) << head;
    EXPECT_EQ(head.find("Transfer-Encoding"), std::string::npos) << head;
  }
}

TEST(StreamResponse, SaysOfItsConnectionWhatAGatewaySays) {
  const auto head = render_stream_head(framing::chunked, {}, true);
  EXPECT_NE(head.find("\r\nConnection: keep-alive\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("\r\nTransfer-Encoding: chunked\r\n"), std::string::npos) << head;
}

TEST(StreamResponse, SaysToCachesWhatAGatewayDoes) {
  const auto head = render_stream_head(framing::chunked, {}, true);
  EXPECT_NE(head.find("\r\nCache-Control: no-cache\r\n"), std::string::npos) << head;
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
