#include "http/protocol/chunked_body.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using state = chunked_body::state;

/// Reads a body in pieces of every size; all must agree.
state outcome(const std::string& input, std::string* body = nullptr, std::size_t limit = 100) {
  chunked_body whole{limit};
  const auto used = whole.feed(input);
  for (std::size_t size = 1; size < 8; ++size) {
    chunked_body pieces{limit};
    std::size_t at = 0;
    while (at < input.size() && pieces.now() == state::more)
      at += pieces.feed(std::string_view{input}.substr(at, size));
    EXPECT_EQ(pieces.now(), whole.now()) << input;
    EXPECT_EQ(pieces.body(), whole.body()) << input;
    EXPECT_EQ(at, used) << input;
  }
  if (body != nullptr)
    *body = whole.body();
  return whole.now();
}

TEST(ChunkedBody, JoinsTheChunks) {
  std::string body;
  EXPECT_EQ(outcome("3\r\nabc\r\n0000A\r\n0123456789\r\n0\r\n\r\n", &body), state::done);
  EXPECT_EQ(body, "abc0123456789");
  EXPECT_EQ(outcome("0\r\n\r\n", &body), state::done);
  EXPECT_EQ(body, "");
}

TEST(ChunkedBody, DropsExtensionsAndTrailers) {
  std::string body;
  EXPECT_EQ(outcome("1;a=b;c=\"d\"\r\nx\r\n0;e\r\nT: 1\r\nU: 2\r\n\r\n", &body), state::done);
  EXPECT_EQ(body, "x");
}

TEST(ChunkedBody, LeavesWhatComesAfterIt) {
  const std::string input = "1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1";
  chunked_body decoder{10};
  EXPECT_EQ(input.substr(decoder.feed(input)), "GET / HTTP/1.1");
}

TEST(ChunkedBody, WaitsForMore) {
  for (const auto* input : {"", "1", "1\r", "1\r\n", "1\r\nx", "1\r\nx\r\n0\r\n", "0\r\nT: 1\r\n"})
    EXPECT_EQ(outcome(input), state::more) << input;
}

TEST(ChunkedBody, RefusesBrokenChunks) {
  for (const auto* input :
       {"x\r\n", "\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 \r\n", "1\n", "1\r\r",
        "1\r\nxy", "1\r\nx\n", "1\r\nx\rx", "100000000\r\n", ";a\r\n", "1;\n", "0\r\n\n",
        "0\r\n\rx", "g"})
    EXPECT_EQ(outcome(input), state::malformed) << input;
  EXPECT_EQ(outcome("1;" + std::string(9000, 'a')), state::malformed);
  EXPECT_EQ(outcome("0\r\n" + std::string(9000, 'a')), state::malformed);
}

TEST(ChunkedBody, RefusesAChunkOverTheLimitBeforeItComes) {
  EXPECT_EQ(outcome("64\r\n"), state::more);
  EXPECT_EQ(outcome("65\r\n"), state::too_large);
  EXPECT_EQ(outcome("ffffffff\r\n"), state::too_large);
  EXPECT_EQ(outcome("63\r\n" + std::string(99, 'a') + "\r\n2\r\n"), state::too_large);
}

} // namespace
} // namespace herald
