#include "http/protocol/request_head.hpp"

#include <gtest/gtest.h>

#include "messages/errors.hpp"

namespace herald {
namespace {

caf::expected<request_head> parse(const std::string& fields) {
  return parse_request_head("POST /x HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n");
}

std::string refusal(const caf::expected<request_head>& head, ec code = ec::malformed_request) {
  if (head)
    return "accepted";
  EXPECT_EQ(to_string(describe(head.error()).code), to_string(code));
  return describe(head.error()).detail;
}

TEST(RequestHead, ReadsWhatMatters) {
  const auto head =
    parse("content-length:\t12 \r\nContent-Type: Application/JSON ; charset=utf-8\r\nEXPECT: "
          "100-Continue\r\nContent-Encoding: identity\r\nX-Other: a\tb\xc3\xa9\r\nEmpty:\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->method, "POST");
  EXPECT_EQ(head->target, "/x");
  EXPECT_EQ(head->content_length, 12u);
  EXPECT_EQ(head->content_type, "application/json");
  EXPECT_TRUE(head->expects_continue);
  EXPECT_FALSE(head->encoded);
  EXPECT_FALSE(head->chunked);
  EXPECT_TRUE(head->keep_alive);
}

TEST(RequestHead, TellsHowTheConnectionGoesOn) {
  EXPECT_FALSE(parse("Connection: close\r\n")->keep_alive);
  EXPECT_FALSE(parse("Connection: x\r\nConnection: keep-alive , Close\r\n")->keep_alive);
  EXPECT_TRUE(parse("Connection: closed\r\n")->keep_alive);
  EXPECT_FALSE(parse_request_head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->keep_alive);
}

TEST(RequestHead, SeesEncodedBodies) {
  EXPECT_TRUE(parse("Content-Encoding: gzip\r\n")->encoded);
  EXPECT_TRUE(parse("Content-Encoding: identity\r\nContent-Encoding: br\r\n")->encoded);
}

TEST(RequestHead, SeesChunks) {
  EXPECT_TRUE(parse("Transfer-Encoding: Chunked\r\n")->chunked);
}

TEST(RequestHead, RefusesWhateverCouldHideABody) {
  for (const auto* fields :
       {"Content-Length: 1\r\nContent-Length: 1\r\n",
        "Content-Length: 1, 1\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x1\r\n",
        "Content-Length: 1 1\r\n",
        "Content-Length:\r\n",
        "Content-Length: 1a\r\n",
        "Content-Length: 9999999999999999999\r\n",
        "Content-Length: %31\r\n",
        "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding : chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "A: b\r\n Content-Length: 5\r\n",
        "Content-Length\r\n",
        ": 5\r\n",
        "X: a\rContent-Length: 5\r\n",
        "X: a\nContent-Length: 5\r\n",
        "Host: other\r\n",
        "X: \x01\r\n",
        "X: \x7f\r\n",
        "X y: 1\r\n",
        "X\x80: 1\r\n"})
    EXPECT_NE(refusal(parse(fields)), "accepted") << fields;
  EXPECT_NE(refusal(parse(std::string("X: a\0b\r\n", 8))), "accepted");
  EXPECT_EQ(
    refusal(parse_request_head("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")),
    "Transfer-Encoding in HTTP/1.0");
}

TEST(RequestHead, RefusesBrokenRequestLines) {
  for (const auto* line :
       {"", "GET", "GET /", "GET  HTTP/1.1", "GET / x HTTP/1.1", " GET / HTTP/1.1",
        "GET x HTTP/1.1", "GET * HTTP/1.1", "CONNECT h:80 HTTP/1.1", "GET / HTTP/1",
        "GET / HTTP/1.10", "GET / http/1.1", "GET / HTTP/1.1 ", "G(T / HTTP/1.1", "GET\t/ HTTP/1.1",
        "GET /a\tb HTTP/1.1", "GET /\x01 HTTP/1.1", "GET /a\rb HTTP/1.1"})
    EXPECT_NE(refusal(parse_request_head(std::string(line) + "\r\nHost: h\r\n\r\n")), "accepted")
      << line;
  EXPECT_NE(refusal(parse_request_head("GET / HTTP/1.1\r\nHost: h\r\n")), "accepted");
  EXPECT_NE(refusal(parse_request_head("\r\n")), "accepted");
  EXPECT_NE(refusal(parse_request_head("")), "accepted");
}

TEST(RequestHead, TakesEachFormOfATarget) {
  for (const auto* line :
       {"GET / HTTP/1.1", "GET http://h HTTP/1.1", "GET http://h/x?y HTTP/1.1",
        "OPTIONS * HTTP/1.1"})
    EXPECT_TRUE(parse_request_head(std::string(line) + "\r\nHost: h\r\n\r\n")) << line;
}

TEST(RequestHead, TellsWhatHttpHasButItHasNot) {
  for (const auto* version : {"HTTP/2.0", "HTTP/1.2", "HTTP/0.9"})
    EXPECT_EQ(
      refusal(
        parse_request_head(std::string("GET / ") + version + "\r\nHost: h\r\n\r\n"),
        ec::unsupported_version),
      "the version is neither HTTP/1.1 nor HTTP/1.0");
  EXPECT_EQ(
    refusal(parse("Expect: 200-ok\r\n"), ec::unsupported_expectation),
    "Expect is not 100-continue");
  for (const auto* codings : {"gzip, chunked", "gzip,Chunked", "a, b,\tchunked"})
    EXPECT_EQ(
      refusal(parse(std::string("Transfer-Encoding: ") + codings + "\r\n"), ec::unsupported_coding),
      "the only coding of a body may be chunked");
}

TEST(RequestHead, WantsAHost) {
  EXPECT_EQ(refusal(parse_request_head("GET / HTTP/1.1\r\n\r\n")), "no Host");
  EXPECT_TRUE(parse_request_head("GET / HTTP/1.0\r\n\r\n"));
}

TEST(RequestHead, BoundsFieldsAndLines) {
  std::string fields;
  for (int i = 0; i < 99; ++i)
    fields += "X: 1\r\n";
  EXPECT_TRUE(parse(fields));
  EXPECT_EQ(refusal(parse(fields + "X: 1\r\n"), ec::head_too_large), "more than 100 header fields");
  const std::string lengthy(8000, 'a');
  EXPECT_EQ(
    refusal(parse("X: " + lengthy + "\r\n"), ec::head_too_large), "a line of the head is too long");
  EXPECT_EQ(
    refusal(
      parse_request_head("GET /" + lengthy + " HTTP/1.1\r\nHost: h\r\n\r\n"), ec::target_too_long),
    "the request line is too long");
}

} // namespace
} // namespace herald
