#include "tests/bench/swarm/latency_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace herald::bench {
namespace {

TEST(LatencyHistogram, HasNothingToSayOfNothing) {
  const latency_histogram empty;
  EXPECT_EQ(empty.percentile(50), 0u);
  EXPECT_EQ(empty.max(), 0u);
}

TEST(LatencyHistogram, KeepsSmallTimesExactly) {
  latency_histogram times;
  for (nanos t = 1; t <= 60; ++t)
    times.add(t);
  EXPECT_EQ(times.percentile(50), 30u);
  EXPECT_EQ(times.percentile(100), 60u);
}

TEST(LatencyHistogram, IsWithinTwoPercentOfTheTruth) {
  std::mt19937_64 random{7};
  std::vector<nanos> all;
  latency_histogram times;
  for (int i = 0; i < 20'000; ++i) {
    const auto t = nanos{1} << (random() % 40);
    all.push_back(t + random() % t);
    times.add(all.back());
  }
  std::sort(all.begin(), all.end());
  for (const double percent : {0.1, 1.0, 25.0, 50.0, 90.0, 99.0, 99.9}) {
    const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * 20'000));
    const auto truth = static_cast<double>(all[rank - 1]);
    EXPECT_NEAR(static_cast<double>(times.percentile(percent)), truth, truth * 0.016 + 1);
  }
  EXPECT_EQ(times.percentile(100), all.back());
  EXPECT_EQ(times.max(), all.back());
}

TEST(LatencyHistogram, TakesTheLongestTimeThereIs) {
  latency_histogram times;
  times.add(~nanos{0});
  EXPECT_EQ(times.percentile(50), ~nanos{0});
}

TEST(LatencyHistogram, AddsUpWithOthers) {
  latency_histogram one;
  latency_histogram two;
  one.add(10);
  two.add(20);
  two.add(30);
  one.merge(two);
  EXPECT_EQ(one.count(), 3u);
  EXPECT_EQ(one.percentile(50), 20u);
  EXPECT_EQ(one.max(), 30u);
}

} // namespace
} // namespace herald::bench
