#include "http/protocol/http_reply.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

/// Without its date, which is another one each time.
std::string undated(std::string bytes) {
  const auto date = bytes.find("Date: ");
  EXPECT_NE(date, std::string::npos) << bytes;
  return bytes.erase(date, bytes.find('\n', date) + 1 - date);
}

TEST(HttpReply, EndsItsConnection) {
  api_reply reply;
  reply.status = 404;
  reply.body = "{}";
  reply.headers.emplace_back("X", "y");
  const std::string head = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n"
                           "Content-Type: application/json\r\nX: y\r\n\r\n";
  EXPECT_EQ(undated(render_reply(reply)), head + "{}");
  EXPECT_EQ(undated(render_reply(reply, false)), head) << "what GET would have got";
}

TEST(HttpReply, NamesNoLengthWhereThereIsNone) {
  api_reply reply;
  reply.status = 204;
  EXPECT_EQ(undated(render_reply(reply)), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  reply.status = 200;
  reply.content_type = "text/event-stream";
  EXPECT_EQ(
    undated(render_reply(reply)),
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n");
}

TEST(HttpReply, NamesTheLengthOfAStreamThatEnds) {
  api_reply reply;
  reply.content_type = "text/event-stream";
  reply.body = "retry: 1\n";
  EXPECT_EQ(
    undated(render_reply(reply)), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n"
                                  "Content-Type: text/event-stream\r\n\r\nretry: 1\n");
}

TEST(HttpReply, HasAPhraseForEachStatus) {
  const auto first_line = [](int status) {
    api_reply reply;
    reply.status = status;
    const auto bytes = render_reply(reply);
    return bytes.substr(0, bytes.find("\r\n"));
  };
  EXPECT_EQ(first_line(413), "HTTP/1.1 413 Payload Too Large");
  EXPECT_EQ(first_line(431), "HTTP/1.1 431 Request Header Fields Too Large");
  // A backend may answer anything.
  EXPECT_EQ(first_line(599), "HTTP/1.1 599 Network Connect Timeout Error");
  EXPECT_EQ(first_line(455), "HTTP/1.1 455 Other");
}

} // namespace
} // namespace herald
