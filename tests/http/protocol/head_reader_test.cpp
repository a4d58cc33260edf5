#include "http/protocol/head_reader.hpp"

#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

using state = head_reader::state;

constexpr std::string_view head = "GET /s?request_id=a HTTP/1.1\r\n"
                                  "Host: h\r\n"
                                  "X-Empty:\r\n"
                                  "Cookie: a=b; c=d\r\n"
                                  "Cookie: e\r\n\r\n";

void expect_whole(const stream_request& request) {
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/s?request_id=a");
  EXPECT_EQ(request.version, 11u);
  const header_list headers{
    {"Host", "h"}, {"X-Empty", ""}, {"Cookie", "a=b; c=d"}, {"Cookie", "e"}};
  EXPECT_EQ(request.headers, headers);
}

void expect_whole_wherever_it_is_cut(std::string_view bytes) {
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    head_reader reader{8192};
    ASSERT_EQ(reader.feed(bytes.substr(0, cut)), state::more) << cut;
    ASSERT_EQ(reader.feed(bytes.substr(cut)), state::complete) << cut;
    expect_whole(reader.request());
  }
}

TEST(HeadReader, ReadsAHeadInOnePiece) {
  head_reader reader{8192};
  EXPECT_EQ(reader.feed(head), state::complete);
  expect_whole(reader.request());
}

TEST(HeadReader, ReadsAHeadCutAnywhere) {
  expect_whole_wherever_it_is_cut(head);
}

TEST(HeadReader, ReadsAHeadByteByByte) {
  head_reader reader{8192};
  for (std::size_t i = 0; i + 1 < head.size(); ++i)
    ASSERT_EQ(reader.feed(head.substr(i, 1)), state::more) << i;
  EXPECT_EQ(reader.feed(head.substr(head.size() - 1)), state::complete);
  expect_whole(reader.request());
}

TEST(HeadReader, IgnoresWhatFollowsTheHead) {
  head_reader reader{8192};
  EXPECT_EQ(reader.feed(std::string{head} + "GET /next"), state::complete);
  expect_whole(reader.request());
}

TEST(HeadReader, RefusesWhatIsNotHttp) {
  for (const auto* bytes :
       {"\x01\x02 garbage\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/11\r\n\r\n",
        "GET / HTTP/x.y\r\n\r\n", "GET / http/2.0\r\n\r\n", "\n\nGET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\nHost: h\n\nGET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\nHTTP/2.0\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\nA: b\r\n c\nd\r\n\r\n",
        "GET / HTTP/1.1\r\nBad Name: x\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"}) {
    head_reader reader{8192};
    EXPECT_EQ(reader.feed(bytes), state::malformed) << bytes;
  }
}

TEST(HeadReader, KnowsARequestOfAnotherVersion) {
  for (const auto* bytes :
       {"GET / HTTP/9.9\r\nHost: h\r\n\r\n", "GET / HTTP/0.9\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    head_reader reader{8192};
    EXPECT_EQ(reader.feed(bytes), state::unsupported_version) << bytes;
  }
}

TEST(HeadReader, IgnoresEmptyLinesBeforeTheHead) {
  expect_whole_wherever_it_is_cut("\r\n\r\n" + std::string{head});
}

TEST(HeadReader, BoundsTheEmptyLinesBeforeTheHead) {
  head_reader reader{1024};
  auto got = state::more;
  std::size_t bytes = 0;
  for (; got == state::more && bytes < 4096; bytes += 2)
    got = reader.feed("\r\n");
  EXPECT_EQ(got, state::line_too_long);
  EXPECT_EQ(bytes, 1024u);
  std::string empty_lines;
  while (empty_lines.size() < 2000)
    empty_lines += "\r\n";
  head_reader at_once{1024};
  EXPECT_EQ(at_once.feed(empty_lines), state::line_too_long);
  head_reader with_a_head{1024};
  EXPECT_EQ(with_a_head.feed(empty_lines.substr(0, 1000)), state::more);
  EXPECT_NE(with_a_head.feed(head), state::complete) << "together they are too large";
}

TEST(HeadReader, BoundsTheRequestLine) {
  const auto line = "GET /" + std::string(1024, 'x');
  head_reader at_once{1024};
  EXPECT_EQ(at_once.feed(line + " HTTP/1.1\r\n\r\n"), state::line_too_long);
  head_reader unfinished{1024};
  EXPECT_EQ(unfinished.feed(line), state::line_too_long);
}

TEST(HeadReader, BoundsTheHead) {
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  head_reader at_once{1024};
  EXPECT_EQ(at_once.feed(start + std::string(1024, 'x') + "\r\n\r\n"), state::too_large);
  head_reader dripping{1024};
  auto got = dripping.feed(start);
  std::size_t bytes = start.size();
  for (; got == state::more && bytes < 4096; ++bytes)
    got = dripping.feed("x");
  EXPECT_EQ(got, state::too_large);
  EXPECT_LE(bytes, 1024u);
  head_reader cut_in_its_first_line{1024};
  EXPECT_EQ(cut_in_its_first_line.feed("GET / HT"), state::more);
  EXPECT_EQ(
    cut_in_its_first_line.feed("TP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x')),
    state::too_large);
  head_reader many_headers{1024};
  got = many_headers.feed("GET / HTTP/1.1\r\n");
  for (bytes = 16; got == state::more && bytes < 4096; bytes += 6)
    got = many_headers.feed("A: b\r\n");
  EXPECT_EQ(got, state::too_large);
  EXPECT_LE(bytes, 1024u + 6u);
}

} // namespace
} // namespace herald
