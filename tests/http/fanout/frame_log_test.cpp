#include "http/fanout/frame_log.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

std::string bytes_of(const frame_log& log, log_position from, log_position to) {
  const auto view = log.view(from, to);
  return std::string{view.first}.append(view.second);
}

TEST(FrameLog, KeepsWhatWasAppended) {
  frame_log log{1024};
  log.append("one", service_type::event);
  log.append("two", service_type::task);
  EXPECT_EQ(log.begin(), 0u);
  EXPECT_EQ(log.end(), 6u);
  EXPECT_EQ(bytes_of(log, 1, 5), "netw");
}

TEST(FrameLog, KnowsWhereFramesEnd) {
  frame_log log{1024};
  log.append("one", service_type::event);
  log.append("four", service_type::task);
  EXPECT_EQ(log.frame_end(0), 0u);
  EXPECT_EQ(log.frame_end(1), 3u);
  EXPECT_EQ(log.frame_end(3), 3u);
  EXPECT_EQ(log.frame_end(4), 7u);
}

TEST(FrameLog, CountsFramesByService) {
  frame_log log{1024};
  log.append("aa", service_type::event);
  log.append(": comment", std::nullopt);
  log.append("bb", service_type::task);
  log.append("cc", service_type::event);
  EXPECT_EQ(log.count(0, log.end()), (frame_counts{0, 1, 2}));
  EXPECT_EQ(log.count(0, 1), (frame_counts{0, 0, 0})) << "half a frame";
  EXPECT_EQ(log.count(1, 2), (frame_counts{0, 0, 1})) << "the other half";
  EXPECT_EQ(log.count(2, 13), (frame_counts{0, 1, 0}));
}

TEST(FrameLog, OverwritesTheOldestInLargeSteps) {
  frame_log log{1600};
  const std::string frame(40, 'x');
  for (int i = 0; i < 25; ++i)
    log.append(frame, service_type::event);
  EXPECT_EQ(log.begin(), 0u) << "25 frames is what fits, by bytes and by number";
  const auto begin = log.begin_after(frame.size());
  EXPECT_GE(begin, 40u);
  log.append(frame, service_type::event);
  EXPECT_EQ(log.begin(), begin);
  EXPECT_EQ(log.frame_end(begin), begin) << "begins with a whole frame";
}

TEST(FrameLog, TakesAFrameAsLargeAsItself) {
  frame_log log{64};
  log.append("small", service_type::event);
  log.append(std::string(64, 'y'), service_type::event);
  EXPECT_EQ(log.begin(), 5u);
  EXPECT_EQ(bytes_of(log, 5, 69), std::string(64, 'y'));
}

TEST(FrameLog, BoundsTheNumberOfFramesToo) {
  frame_log log{64 * 32};
  for (int i = 0; i < 1000; ++i)
    log.append("x", std::nullopt);
  EXPECT_LE(log.end() - log.begin(), 33u);
}

TEST(FrameLog, StartsOverInMemoryOnceAllIsTrimmed) {
  frame_log log{1024};
  log.append("one", service_type::event);
  const auto* first = log.view(0, 3).first.data();
  log.trim(log.end());
  EXPECT_EQ(log.begin(), 3u) << "positions go on";
  log.append("two", service_type::event);
  EXPECT_EQ(log.view(3, 6).first.data(), first) << "memory does not";
  EXPECT_EQ(bytes_of(log, 3, 6), "two");
}

TEST(FrameLog, TrimsWholeFramesOnly) {
  frame_log log{1024};
  log.append("one", service_type::event);
  log.append("two", service_type::event);
  log.trim(5);
  EXPECT_EQ(log.begin(), 3u);
}

TEST(FrameLog, AgreesWithAStringThatForgetsNothing) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random{seed};
    const auto below = [&](std::size_t n) {
      return std::uniform_int_distribution<std::size_t>{0, n - 1}(random);
    };
    frame_log log{64 + below(2000)};
    std::string all;
    std::vector<std::pair<log_position, std::optional<service_type>>> ends;
    for (int step = 0; step < 300; ++step) {
      std::string frame(1 + below(log.capacity() / (1 + below(20))), '\0');
      for (auto& c : frame)
        c = static_cast<char>('a' + below(26));
      std::optional<service_type> service;
      if (below(4) != 0)
        service = static_cast<service_type>(below(service_type_count));
      const auto begin = log.begin_after(frame.size());
      log.append(frame, service);
      ASSERT_EQ(log.begin(), begin);
      all += frame;
      ends.emplace_back(all.size(), service);
      if (below(10) == 0)
        log.trim(log.begin() + below(log.end() - log.begin() + 1));
      if (below(50) == 0)
        log.trim(log.end());
      log.release_memory();
      const auto from = log.begin() + below(log.end() - log.begin() + 1);
      const auto to = from + below(log.end() - from + 1);
      ASSERT_EQ(log.end(), all.size());
      ASSERT_EQ(bytes_of(log, from, to), all.substr(from, to - from)) << "seed " << seed;
      frame_counts expected{};
      for (const auto& [end, of] : ends)
        if (of && end > from && end <= to)
          ++expected.at(static_cast<std::size_t>(*of));
      ASSERT_EQ(log.count(from, to), expected) << "seed " << seed;
    }
  }
}

} // namespace
} // namespace herald
