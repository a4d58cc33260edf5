#include "tests/bench/swarm/answer_reader.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald::bench {
namespace {

struct reading {
  std::vector<std::string> lines;
  answer_reader::state state = answer_reader::state::in_head;

  bool operator==(const reading&) const = default;
};

/// Reads an answer that comes in pieces of a size.
reading read(const std::string& answer, std::size_t piece) {
  answer_reader reader;
  reading result;
  std::vector<char> buffer(answer.size() + 1);
  for (std::size_t at = 0; at < answer.size(); at += piece) {
    const auto kept = reader.restore(buffer.data());
    const auto fresh = answer.copy(buffer.data() + kept, piece, at);
    result.state = reader.read(
      buffer.data(), fresh, [&](std::string_view line) { result.lines.emplace_back(line); });
  }
  return result;
}

constexpr const char* plain = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
                              "id: 1\ndata: one\r\n\r\n: x\n\ndata: two\n\n";
constexpr const char* chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "5\r\nid: 1\r\nC;x=y\r\n\ndata: one\r\n\r\n"
                                "13\r\n\r\n: x\n\ndata: two\n\n\n\r\n";

TEST(AnswerReader, ReadsTheLinesOfAStream) {
  const std::vector<std::string> lines = {"id: 1", "data: one", "", ": x", "", "data: two", ""};
  EXPECT_EQ(read(plain, 1000), (reading{lines, answer_reader::state::open}));
}

TEST(AnswerReader, TakesChunksApart) {
  const std::vector<std::string> lines = {"id: 1", "data: one", "", ": x", "", "data: two", "", ""};
  EXPECT_EQ(read(chunked, 1000), (reading{lines, answer_reader::state::open}));
}

TEST(AnswerReader, DoesNotMindWhereTheBytesAreCut) {
  for (const std::string answer : {plain, chunked})
    for (std::size_t piece = 1; piece < answer.size(); ++piece)
      ASSERT_EQ(read(answer, piece), read(answer, answer.size())) << piece;
}

TEST(AnswerReader, SeesTheLastChunk) {
  const std::string end = "0\r\n\r\n";
  EXPECT_EQ(read(chunked + end, 1000).state, answer_reader::state::ended);
}

TEST(AnswerReader, DoesNotTakeEverythingForAChunk) {
  const std::string bad = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
  EXPECT_EQ(read(bad, 1000).state, answer_reader::state::malformed);
}

TEST(AnswerReader, KnowsARefusal) {
  EXPECT_EQ(read("HTTP/1.1 503 Busy\r\n\r\n", 5).state, answer_reader::state::refused);
}

} // namespace
} // namespace herald::bench
