#include "http/protocol/request_parser.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/support/fed_parser.hpp"

namespace herald {
namespace {

using state = request_parser::state;

constexpr std::string_view head = "GET /s?request_id=a HTTP/1.1\r\n"
                                  "Host: h\r\n"
                                  "X-Empty:\r\n"
                                  "Cookie: a=b; c=d\r\n"
                                  "Cookie: e\r\n\r\n";

/// As the stream port reads.
struct client : testing::fed_parser {
  explicit client(const request_limits& limits = {8192, 8192}) : fed_parser(limits) {}
};

void expect_whole(const request_head& request) {
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/s?request_id=a");
  EXPECT_EQ(request.version, 11u);
  const header_list headers{
    {"Host", "h"}, {"X-Empty", ""}, {"Cookie", "a=b; c=d"}, {"Cookie", "e"}};
  EXPECT_EQ(request.headers, headers);
}

void expect_whole_wherever_it_is_cut(std::string_view bytes) {
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    client reader;
    ASSERT_EQ(reader.feed(bytes.substr(0, cut)), state::head) << cut;
    ASSERT_EQ(reader.feed(bytes.substr(cut)), state::complete) << cut;
    expect_whole(reader.parser.head());
  }
}

TEST(RequestParser, ReadsAHeadInOnePiece) {
  client reader;
  EXPECT_EQ(reader.feed(head), state::complete);
  expect_whole(reader.parser.head());
}

TEST(RequestParser, ReadsAHeadCutAnywhere) {
  expect_whole_wherever_it_is_cut(head);
}

TEST(RequestParser, ReadsAHeadByteByByte) {
  client reader;
  for (std::size_t i = 0; i + 1 < head.size(); ++i)
    ASSERT_EQ(reader.feed(head.substr(i, 1)), state::head) << i;
  EXPECT_EQ(reader.feed(head.substr(head.size() - 1)), state::complete);
  expect_whole(reader.parser.head());
}

TEST(RequestParser, LeavesWhatFollowsTheHead) {
  client reader;
  EXPECT_EQ(reader.feed(std::string{head} + "GET /next"), state::complete);
  expect_whole(reader.parser.head());
  EXPECT_EQ(reader.unread, "GET /next");
}

TEST(RequestParser, RefusesAFaultBeforeTheHeadEnds) {
  for (const auto* bytes :
       {"\x01", "\n", "GET\r\n", "GET / HTTP/0.9\r\n", "foo bar\r\n", "GET / HTTP/1.1\n",
        "GET / HTTP/1.1\r\nA: b\r\n c\r\n", "GET / HTTP/1.1\r\nA: b\n"}) {
    client reader;
    EXPECT_EQ(reader.feed(bytes), state::refused) << bytes;
  }
}

TEST(RequestParser, KeepsWhatItHasReadOfAHeadThatItRefuses) {
  client reader;
  EXPECT_EQ(reader.feed("HEAD /x HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n"), state::refused);
  EXPECT_EQ(reader.parser.head().method, "HEAD");
  EXPECT_EQ(reader.parser.head().header("host"), "h");
}

TEST(RequestParser, IgnoresEmptyLinesBeforeTheHead) {
  expect_whole_wherever_it_is_cut("\r\n\r\n" + std::string{head});
  client reader;
  EXPECT_EQ(reader.feed("\r\n\r\n"), state::head);
  EXPECT_EQ(reader.unread, "") << "nothing has been said";
}

TEST(RequestParser, BoundsTheEmptyLinesBeforeTheHead) {
  const request_limits limits{1024, 1024};
  client reader{limits};
  auto got = state::head;
  std::size_t bytes = 0;
  for (; got == state::head && bytes < 4096; bytes += 2)
    got = reader.feed("\r\n");
  EXPECT_EQ(got, state::refused);
  EXPECT_EQ(bytes, 1024u);
  std::string empty_lines;
  while (empty_lines.size() < 2000)
    empty_lines += "\r\n";
  client at_once{limits};
  EXPECT_EQ(at_once.feed(empty_lines), state::refused);
  EXPECT_EQ(at_once.parser.refusal().code, ec::target_too_long);
  client with_a_head{limits};
  EXPECT_EQ(with_a_head.feed(empty_lines.substr(0, 1000)), state::head);
  EXPECT_EQ(with_a_head.feed(head), state::refused) << "together they are too large";
}

TEST(RequestParser, BoundsTheRequestLine) {
  const auto line = "GET /" + std::string(1024, 'x');
  for (const auto& bytes : {line, line + " HTTP/1.1\r\n\r\n"}) {
    client reader{{1024, 1024}};
    EXPECT_EQ(reader.feed(bytes), state::refused);
    EXPECT_EQ(reader.parser.refusal().code, ec::target_too_long);
    EXPECT_EQ(reader.parser.refusal().detail, "the request line is too long");
  }
}

TEST(RequestParser, BoundsTheHead) {
  const request_limits limits{1024, 1024};
  const auto expect_too_large = [](const client& reader) {
    EXPECT_EQ(reader.parser.now(), state::refused);
    EXPECT_EQ(reader.parser.refusal().code, ec::head_too_large);
    EXPECT_EQ(reader.parser.refusal().detail, "the head of a request may have at most 1024 bytes");
  };
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  client at_once{limits};
  at_once.feed(start + std::string(1024, 'x') + "\r\n\r\n");
  expect_too_large(at_once);
  client dripping{limits};
  auto got = dripping.feed(start);
  std::size_t bytes = start.size();
  for (; got == state::head && bytes < 4096; ++bytes)
    got = dripping.feed("x");
  expect_too_large(dripping);
  EXPECT_LE(bytes, 1024u);
  client cut_in_its_first_line{limits};
  EXPECT_EQ(cut_in_its_first_line.feed("GET / HT"), state::head);
  cut_in_its_first_line.feed("TP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x'));
  expect_too_large(cut_in_its_first_line);
  client in_headers{limits};
  got = in_headers.feed("GET / HTTP/1.1\r\n");
  const auto header = "A: " + std::string(45, 'b') + "\r\n";
  for (bytes = 16; got == state::head && bytes < 4096; bytes += header.size())
    got = in_headers.feed(header);
  expect_too_large(in_headers);
  EXPECT_LE(bytes, 1024u + header.size());
}

TEST(RequestParser, TakesAHeadOfExactlyTheBytesAllowed) {
  client fits{{head.size(), head.size()}};
  EXPECT_EQ(fits.feed(head), state::complete);
  client is_too_large{{head.size() - 1, head.size()}};
  EXPECT_EQ(is_too_large.feed(head), state::refused);
}

constexpr std::size_t max_body = 100;

/// After the head of a request with such a body.
client with_body(const std::string& field) {
  client reader;
  EXPECT_EQ(reader.feed("POST / HTTP/1.1\r\nHost: h\r\n" + field + "\r\n\r\n"), state::body);
  reader.parser.allow_body(max_body);
  return reader;
}

/// Reads a chunked body in pieces of many sizes; all must agree.
state outcome(const std::string& input, std::string* body = nullptr, ec code = ec::none) {
  auto whole = with_body("Transfer-Encoding: chunked");
  whole.feed(input);
  for (std::size_t size = 1; size < 8; ++size) {
    auto pieces = with_body("Transfer-Encoding: chunked");
    for (std::size_t at = 0; at < input.size() && pieces.parser.now() == state::body; at += size)
      pieces.feed(std::string_view{input}.substr(at, size));
    EXPECT_EQ(pieces.parser.now(), whole.parser.now()) << input;
    EXPECT_EQ(pieces.parser.body(), whole.parser.body()) << input;
  }
  if (body != nullptr)
    *body = whole.parser.body();
  if (code != ec::none) {
    EXPECT_EQ(to_string(whole.parser.refusal().code), to_string(code)) << input;
  }
  return whole.parser.now();
}

TEST(RequestParser, ReadsACountedBody) {
  auto reader = with_body("Content-Length: 5");
  EXPECT_EQ(reader.feed("hel"), state::body);
  EXPECT_EQ(reader.feed("lo, and more"), state::complete);
  EXPECT_EQ(reader.parser.body(), "hello");
  EXPECT_EQ(reader.unread, ", and more");
}

TEST(RequestParser, ReadsNoBodyBeforeItIsAllowed) {
  client reader;
  EXPECT_EQ(reader.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok"), state::body);
  EXPECT_EQ(reader.feed(""), state::body);
  EXPECT_EQ(reader.unread, "ok");
  reader.parser.allow_body(max_body);
  EXPECT_EQ(reader.feed(""), state::complete);
}

TEST(RequestParser, RefusesALengthOverTheLimitBeforeItComes) {
  auto reader = with_body("Content-Length: 101");
  EXPECT_EQ(reader.parser.now(), state::refused);
  EXPECT_EQ(reader.parser.refusal().code, ec::body_too_large);
  EXPECT_EQ(reader.parser.refusal().detail, "a body may have at most 100 bytes");
}

TEST(RequestParser, JoinsTheChunks) {
  std::string body;
  EXPECT_EQ(outcome("3\r\nabc\r\n0000A\r\n0123456789\r\n0\r\n\r\n", &body), state::complete);
  EXPECT_EQ(body, "abc0123456789");
  EXPECT_EQ(outcome("0\r\n\r\n", &body), state::complete);
  EXPECT_EQ(body, "");
}

TEST(RequestParser, DropsExtensionsAndTrailers) {
  std::string body;
  EXPECT_EQ(outcome("1;a=b;c=\"d\"\r\nx\r\n0;e\r\nT: 1\r\nU: 2\r\n\r\n", &body), state::complete);
  EXPECT_EQ(body, "x");
}

TEST(RequestParser, LeavesWhatComesAfterTheChunks) {
  auto reader = with_body("Transfer-Encoding: chunked");
  EXPECT_EQ(reader.feed("1\r\nx\r\n0\r\nT: 1\r\n\r\nGET / HTTP/1.1"), state::complete);
  EXPECT_EQ(reader.unread, "GET / HTTP/1.1");
  EXPECT_EQ(reader.parser.head().header("T"), std::nullopt) << "a trailer is no header";
}

TEST(RequestParser, WaitsForTheRestOfTheChunks) {
  for (const auto* input : {"", "1", "1\r", "1\r\n", "1\r\nx", "1\r\nx\r\n0\r\n", "0\r\nT: 1\r\n"})
    EXPECT_EQ(outcome(input), state::body) << input;
}

TEST(RequestParser, RefusesBrokenChunks) {
  for (const std::string input :
       {"x\r\n\r\n",
        "\r\n\r\n\r\n",
        "-1\r\n\r\n",
        "+1\r\n\r\n",
        "0x1\r\n\r\n",
        " 1\r\nx\r\n",
        "1 \r\nx\r\n",
        "5\nhello\r\n",
        "1\r\rx\r\n",
        "1\r\nxy\r\n0\r\n\r\n",
        "1\r\nx\n0\r\n\r\n",
        "1\r\nx\rx0\r\n\r\n",
        ";a\r\nx\r\n",
        "1;\nx\r\n",
        "5;a\nb\r\nhello\r\n",
        "0\r\n\n\r\n\r\n",
        "0\r\n\rx\r\n\r\n",
        "ggggg\r\n",
        "1;a?b\r\nx\r\n",
        "1;a=\"\n\"\r\nx\r\n0\r\n\r\n",
        "ffffffffffffffff1\r\nx\r\n",
        "0\r\nContent-Length: 1\r\n\r\n",
        "0\r\nno colon\r\n\r\n"})
    EXPECT_EQ(outcome(input, nullptr, ec::malformed_request), state::refused) << input;
  const std::string much(9000, 'a');
  for (const auto& input :
       {"1;" + much, "0\r\n" + much, "0\r\nA: " + much, "0\r\nA: " + much + "\r\n\r\n"})
    EXPECT_EQ(outcome(input, nullptr, ec::malformed_request), state::refused);
  std::string extensions;
  for (int i = 0; i < 90; ++i)
    extensions += "1;a=" + std::string(100, 'b') + "\r\nx\r\n";
  EXPECT_EQ(outcome(extensions, nullptr, ec::malformed_request), state::refused);
}

TEST(RequestParser, RefusesAChunkOverTheLimitBeforeItComes) {
  EXPECT_EQ(outcome("64\r\nx"), state::body);
  for (const auto& input :
       {std::string{"65\r\nx"}, std::string{"ffffffff\r\n"}, std::string{"100000000\r\n"},
        "63\r\n" + std::string(99, 'a') + "\r\n2\r\nx"})
    EXPECT_EQ(outcome(input, nullptr, ec::body_too_large), state::refused) << input;
}

} // namespace
} // namespace herald
