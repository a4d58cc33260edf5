#include "actors/system/child_output.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using lines = std::vector<std::string>;

/// A splitter, and the lines that it has found.
struct split {
  explicit split(std::size_t max_line) : splitter(max_line) {}

  split& feed(std::string_view bytes) {
    splitter.feed(bytes, [this](std::string_view line) { found.emplace_back(line); });
    return *this;
  }
  split& end() {
    splitter.flush([this](std::string_view line) { found.emplace_back(line); });
    return *this;
  }

  line_splitter splitter;
  lines found;
};

TEST(LineSplitter, FindsLinesHoweverTheBytesCome) {
  const std::string text = "one\ntwo\n\nthree\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    split s{100};
    for (std::size_t at = 0; at < text.size(); at += piece)
      s.feed(std::string_view{text}.substr(at, piece));
    EXPECT_EQ(s.found, (lines{"one", "two", "three"})) << piece;
  }
}

TEST(LineSplitter, TakesTheLastLineWithoutALineBreak) {
  split s{100};
  s.feed("one\ntw").feed("o");
  EXPECT_EQ(s.found, (lines{"one"}));
  EXPECT_EQ(s.end().found, (lines{"one", "two"}));
  EXPECT_EQ(s.end().found, (lines{"one", "two"})) << "and only once";
}

TEST(LineSplitter, DropsALongLineWholeAndGoesOn) {
  split s{5};
  s.feed("12345\n123456\nok\n");
  EXPECT_EQ(s.found, (lines{"12345", "ok"}));
  EXPECT_EQ(s.splitter.dropped(), 1u);
  for (int i = 0; i < 100; ++i)
    s.feed("123");
  s.feed("\nok\n");
  EXPECT_EQ(s.found, (lines{"12345", "ok", "ok"}));
  EXPECT_EQ(s.splitter.dropped(), 2u);
  s.feed("123456").end();
  EXPECT_EQ(s.found.size(), 3u);
  EXPECT_EQ(s.splitter.dropped(), 3u);
}

TEST(StreamTail, KeepsAllOfAShortStream) {
  stream_tail tail{10};
  EXPECT_EQ(tail.text(), "");
  tail.feed("0123");
  tail.feed("456789");
  EXPECT_EQ(tail.text(), "0123456789");
}

TEST(StreamTail, KeepsTheEndOfALongStream) {
  stream_tail tail{10};
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    const auto piece = std::to_string(i) + " ";
    all += piece;
    tail.feed(piece);
    if (all.size() > 10) {
      EXPECT_EQ(tail.text(), all.substr(all.size() - 10));
    }
  }
  tail.feed(std::string(100, 'x') + "the end..");
  EXPECT_EQ(tail.text(), "xthe end..");
}

TEST(StreamTail, StartsWithNoHalfOfACharacter) {
  for (const std::string character : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    stream_tail tail{20};
    for (int i = 0; i < 50; ++i)
      tail.feed(character);
    tail.feed(".");
    std::string expected = ".";
    while (expected.size() + character.size() <= 20)
      expected.insert(0, character);
    EXPECT_EQ(tail.text(), expected);
    EXPECT_EQ(tail.text(), expected) << "asking changes nothing";
  }
}

TEST(StreamTail, LeavesTheStartOfAShortStreamAsItIs) {
  stream_tail tail{10};
  tail.feed("\xa9x");
  EXPECT_EQ(tail.text(), "\xa9x");
}

} // namespace
} // namespace herald
