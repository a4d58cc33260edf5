#include "http/streams/stream_limits.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using refusal = stream_limits::refusal;

constexpr client_address one{1};
constexpr client_address two{2};

TEST(StreamLimits, AdmitsUpToTheTotal) {
  stream_limits limits{2, 0};
  const auto first = limits.admit(one);
  ASSERT_EQ(first.index(), 0u);
  EXPECT_EQ(limits.admit(one).index(), 0u);
  EXPECT_EQ(std::get<refusal>(limits.admit(one)), refusal::too_many);
  limits.release(std::get<stream_limits::lease>(first));
  EXPECT_EQ(limits.admit(one).index(), 0u);
}

TEST(StreamLimits, AdmitsUpToTheLimitOfAnAddress) {
  stream_limits limits{3, 1};
  const auto first = limits.admit(one);
  ASSERT_EQ(first.index(), 0u);
  EXPECT_EQ(std::get<refusal>(limits.admit(one)), refusal::too_many_per_address);
  EXPECT_EQ(limits.admit(two).index(), 0u);
  limits.release(std::get<stream_limits::lease>(first));
  EXPECT_EQ(limits.admit(one).index(), 0u);
}

TEST(StreamLimits, DoesNotCountWhatItRefuses) {
  stream_limits limits{2, 1};
  ASSERT_EQ(limits.admit(one).index(), 0u);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(std::get<refusal>(limits.admit(one)), refusal::too_many_per_address);
  EXPECT_EQ(limits.admit(two).index(), 0u);
}

} // namespace
} // namespace herald
