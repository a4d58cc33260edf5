#include "http/fanout/send_bursts.hpp"

#include <cstddef>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using sizes = std::vector<std::size_t>;

struct SendBursts : ::testing::Test {
  /// The sizes of the bursts in which so many go, with a 0 for each pause.
  sizes bursts_of(std::size_t count) {
    std::vector<int> all(count);
    std::iota(all.begin(), all.end(), 0);
    sizes seen;
    int next = 0;
    bursts.each(
      std::span{all},
      [&](std::span<int> some) {
        for (const auto one : some)
          EXPECT_EQ(one, next++);
        seen.push_back(some.size());
      },
      [&] { seen.push_back(0); });
    EXPECT_EQ(static_cast<std::size_t>(next), count);
    return seen;
  }

  send_bursts bursts;
};

TEST_F(SendBursts, AreFewAtFirstAndThenMore) {
  EXPECT_EQ(bursts_of(250), (sizes{8, 0, 16, 0, 32, 0, 64, 0, 64, 0, 64, 0, 2}));
}

TEST_F(SendBursts, GoOnGrowingWithinAPass) {
  EXPECT_EQ(bursts_of(20), (sizes{8, 0, 12}));
  EXPECT_EQ(bursts_of(100), (sizes{32, 0, 64, 0, 4}));
}

TEST_F(SendBursts, AreFewAgainWhereAPassBegins) {
  (void)bursts_of(1000);
  bursts.restart();
  EXPECT_EQ(bursts_of(9), (sizes{8, 0, 1}));
}

TEST_F(SendBursts, DoNotPauseForAFewStreams) {
  EXPECT_EQ(bursts_of(0), sizes{});
  EXPECT_EQ(bursts_of(8), sizes{8});
}

} // namespace
} // namespace herald
