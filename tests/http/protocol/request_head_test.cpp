#include "http/protocol/request_head.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/expected.hpp>
#include <gtest/gtest.h>

#include "http/protocol/request_parser.hpp"

namespace herald {
namespace {

/// Of the API port, and of the stream port.
constexpr std::array<request_limits, 2> ports = {{{}, {8192, 8192}}};

caf::expected<request_head> parse_on(const request_limits& port, const std::string& head) {
  request_parser parser{port};
  const auto used = parser.read(head);
  if (parser.now() == request_parser::state::refused)
    return fail(parser.refusal().code, parser.refusal().detail);
  EXPECT_NE(parser.now(), request_parser::state::head) << "it waits for more: " << head;
  EXPECT_EQ(used, head.size()) << head;
  return parser.head();
}

std::string refusal(const caf::expected<request_head>& head, ec code = ec::malformed_request) {
  if (head)
    return "accepted";
  EXPECT_EQ(to_string(describe(head.error()).code), to_string(code));
  return describe(head.error()).detail;
}

/// A head that both ports must read in the same way.
caf::expected<request_head> parse_head(const std::string& head) {
  auto api = parse_on(ports[0], head);
  const auto stream = parse_on(ports[1], head);
  EXPECT_EQ(api.engaged(), stream.engaged()) << head;
  if (!api && !stream) {
    EXPECT_EQ(refusal(api, describe(stream.error()).code), describe(stream.error()).detail) << head;
  }
  return api;
}

caf::expected<request_head> parse(const std::string& fields) {
  return parse_head("POST /x HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n");
}

TEST(RequestHead, ReadsWhatMatters) {
  const auto head =
    parse("content-length:\t12 \r\nContent-Type: Application/JSON ; charset=utf-8\r\nEXPECT: "
          "100-Continue\r\nContent-Encoding: identity\r\nX-Other: a\tb\xc3\xa9\r\nEmpty:\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->method, "POST");
  EXPECT_EQ(head->target, "/x");
  EXPECT_EQ(head->version, 11u);
  EXPECT_EQ(head->content_length, 12u);
  EXPECT_EQ(head->content_type, "application/json");
  EXPECT_TRUE(head->expects_continue);
  EXPECT_FALSE(head->encoded);
  EXPECT_FALSE(head->chunked);
  EXPECT_TRUE(head->keep_alive);
  EXPECT_EQ(head->header("x-other"), "a\tb\xc3\xa9");
  EXPECT_EQ(head->header("Empty"), "");
  EXPECT_EQ(head->header("Absent"), std::nullopt);
}

TEST(RequestHead, TellsHowTheConnectionGoesOn) {
  EXPECT_FALSE(parse("Connection: close\r\n")->keep_alive);
  EXPECT_FALSE(parse("Connection: x\r\nConnection: keep-alive , Close\r\n")->keep_alive);
  EXPECT_TRUE(parse("Connection: closed\r\n")->keep_alive);
  EXPECT_TRUE(parse("Connection:\r\n")->keep_alive);
  EXPECT_FALSE(parse_head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->keep_alive);
}

TEST(RequestHead, SeesEncodedBodies) {
  EXPECT_TRUE(parse("Content-Encoding: gzip\r\n")->encoded);
  EXPECT_TRUE(parse("Content-Encoding: identity\r\nContent-Encoding: br\r\n")->encoded);
}

TEST(RequestHead, SeesChunks) {
  EXPECT_TRUE(parse("Transfer-Encoding: Chunked\r\n")->chunked);
}

TEST(RequestHead, RefusesWhateverCouldHideABody) {
  const std::string two_lengths = "more than one Content-Length";
  const std::string no_number = "Content-Length is not a sensible number";
  const std::string both = "both Content-Length and Transfer-Encoding";
  const std::string not_chunked = "Transfer-Encoding is not just chunked";
  const std::string no_name = "a header field has no proper name";
  const std::string control = "a control character in the head";
  const std::vector<std::pair<std::string, std::string>> rows = {
    {"Content-Length: 1\r\nContent-Length: 1\r\n", two_lengths},
    {"Content-Length: 1\r\nContent-Length: 2\r\n", two_lengths},
    {"Content-Length: 1\r\nContent-Length: x\r\n", two_lengths},
    {"Content-Length: 1, 1\r\n", no_number},
    {"Content-Length: 1, 2\r\n", two_lengths},
    {"Content-Length: +1\r\n", no_number},
    {"Content-Length: -1\r\n", no_number},
    {"Content-Length: 0x1\r\n", no_number},
    {"Content-Length: 1 1\r\n", no_number},
    {"Content-Length:\r\n", no_number},
    {"Content-Length: 1a\r\n", no_number},
    {"Content-Length: 9999999999999999999\r\n", no_number},
    {"Content-Length: 99999999999999999999999999\r\n", no_number},
    {"Content-Length: %31\r\n", no_number},
    {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", both},
    {"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", both},
    {"Transfer-Encoding: gzip\r\n", not_chunked},
    {"Transfer-Encoding: identity\r\n", not_chunked},
    {"Transfer-Encoding: chunked, chunked\r\n", not_chunked},
    {"Transfer-Encoding: chunked, identity\r\n", not_chunked},
    {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", not_chunked},
    {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", not_chunked},
    {"Transfer-Encoding: xchunked\r\n", not_chunked},
    {"Transfer-Encoding:\r\n", not_chunked},
    {"Transfer-Encoding : chunked\r\n", no_name},
    {" Transfer-Encoding: chunked\r\n", no_name},
    {"A: b\r\n Content-Length: 5\r\n", no_name},
    {"A: b\r\n\tc\r\n", no_name},
    {"A:\r\n b\r\n", no_name},
    {"Content-Length\r\n", no_name},
    {": 5\r\n", no_name},
    {"X y: 1\r\n", no_name},
    {"X\x80: 1\r\n", no_name},
    {"X: a\rContent-Length: 5\r\n", control},
    {"X: a\r\rContent-Length: 5\r\n", control},
    {"X: \x01\r\n", control},
    {"X: \x7f\r\n", control},
    {std::string("X: a\0b\r\n", 8), control},
    {"X: a\nContent-Length: 5\r\n", "a bare LF in the head"},
    {"Host: other\r\n", "more than one Host"},
    {"Connection: a b\r\n", "Connection is not a list of tokens"},
  };
  for (const auto& [fields, why] : rows)
    EXPECT_EQ(refusal(parse(fields)), why) << fields;
  EXPECT_EQ(
    refusal(parse_head("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")),
    "Transfer-Encoding in HTTP/1.0");
}

TEST(RequestHead, RefusesBrokenRequestLines) {
  const std::string no_line = "the request line is not METHOD TARGET VERSION";
  const std::string method = "the method is not a token";
  const std::string target = "the request target is empty or holds a space";
  const std::string form = "the request target is neither a path nor a URL";
  const std::string version = "the request line does not end with a version of HTTP";
  const std::string control = "a control character in the head";
  const std::vector<std::pair<std::string, std::string>> rows = {
    {"GET", no_line},
    {"GET /", no_line},
    {"GET\t/ HTTP/1.1", control},
    {" GET / HTTP/1.1", method},
    {"G(T / HTTP/1.1", method},
    {"GET  HTTP/1.1", target},
    {"GET / x HTTP/1.1", target},
    {"GET / HTTP/1.1 ", target},
    {"GET x HTTP/1.1", form},
    {"GET * HTTP/1.1", form},
    {"CONNECT h:80 HTTP/1.1", form},
    {"GET / H", version},
    {"GET / HTTP/1", version},
    {"GET / HTTP/1.10", version},
    {"GET / HTTP/x.y", version},
    {"GET / http/1.1", version},
    {"GET / http/2.0", version},
    {"GET /a\tb HTTP/1.1", control},
    {"GET /\x01 HTTP/1.1", control},
    {"GET /a\rb HTTP/1.1", control},
    {"\x16\x03\x01\x02", control},
    {"GET / HTTP/1.1\nHost: h\n", "a bare LF in the head"},
  };
  for (const auto& [line, why] : rows)
    EXPECT_EQ(refusal(parse_head(line + "\r\nHost: h\r\n\r\n")), why) << line;
}

TEST(RequestHead, TakesEachFormOfATarget) {
  for (const auto* line :
       {"GET / HTTP/1.1", "GET http://h HTTP/1.1", "GET http://h/x?y HTTP/1.1",
        "OPTIONS * HTTP/1.1"})
    EXPECT_TRUE(parse_head(std::string(line) + "\r\nHost: h\r\n\r\n")) << line;
}

TEST(RequestHead, TellsWhatHttpHasButItHasNot) {
  for (const auto* line : {"GET / HTTP/2.0", "GET / HTTP/1.2", "GET / HTTP/0.9", "PRI * HTTP/2.0"})
    EXPECT_EQ(
      refusal(parse_head(std::string(line) + "\r\nHost: h\r\n\r\n"), ec::unsupported_version),
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
  EXPECT_EQ(refusal(parse_head("GET / HTTP/1.1\r\n\r\n")), "no Host");
  EXPECT_TRUE(parse_head("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(
    refusal(parse_head("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n")), "more than one Host");
}

TEST(RequestHead, BoundsFieldsAndLines) {
  std::string fields;
  for (int i = 0; i < 99; ++i)
    fields += "X: 1\r\n";
  EXPECT_TRUE(parse(fields));
  EXPECT_EQ(refusal(parse(fields + "X: 1\r\n"), ec::head_too_large), "more than 100 header fields");
  const std::string lengthy(8000, 'a');
  EXPECT_EQ(
    refusal(parse_on(ports[0], "GET / HTTP/1.1\r\nX: " + lengthy + "\r\n\r\n"), ec::head_too_large),
    "a line of the head is too long");
  EXPECT_EQ(
    refusal(
      parse_head("GET /" + lengthy + lengthy + " HTTP/1.1\r\nHost: h\r\n\r\n"),
      ec::target_too_long),
    "the request line is too long");
  EXPECT_EQ(
    refusal(
      parse_on(ports[0], "GET /" + lengthy + " HTTP/1.1\r\nHost: h\r\n\r\n"), ec::target_too_long),
    "the request line is too long");
  EXPECT_TRUE(parse_on(ports[1], "GET /" + lengthy + " HTTP/1.1\r\nHost: h\r\n\r\n"));
}

TEST(RequestHead, SaysHowLongAHeadMayTake) {
  const auto late = head_timed_out(std::chrono::milliseconds{10'000});
  EXPECT_EQ(to_string(late.code), to_string(ec::request_timed_out));
  EXPECT_EQ(late.detail, "the head of a request must be here after 10000 ms");
}

TEST(RequestHead, IsWrittenAsItWasRead) {
  request_head head;
  head.method = "POST";
  head.target = "/internal/send?x=%20";
  head.headers = {{"Host", "h"}, {"Content-Length", "2"}};
  EXPECT_EQ(
    render_request_head(head),
    "POST /internal/send?x=%20 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n");
}

} // namespace
} // namespace herald
