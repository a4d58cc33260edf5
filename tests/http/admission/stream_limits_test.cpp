#include "http/admission/stream_limits.hpp"

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

TEST(StreamLimits, CountsWhoHasNoAddressInTheTotalAlone) {
  stream_limits limits{3, 1};
  const auto first = limits.admit(std::nullopt);
  EXPECT_EQ(limits.admit(std::nullopt).index(), 0u);
  EXPECT_EQ(limits.admit(one).index(), 0u);
  EXPECT_EQ(std::get<refusal>(limits.admit(std::nullopt)), refusal::too_many);
  limits.release(std::get<stream_limits::lease>(first));
  EXPECT_EQ(std::get<refusal>(limits.admit(one)), refusal::too_many_per_address);
}

TEST(StreamLimits, DoesNotCountWhatItRefuses) {
  stream_limits limits{2, 1};
  ASSERT_EQ(limits.admit(one).index(), 0u);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(std::get<refusal>(limits.admit(one)), refusal::too_many_per_address);
  EXPECT_EQ(limits.admit(two).index(), 0u);
}

TEST(StreamLimits, ChangeForWhoAsksLater) {
  stream_limits limits{1, 0};
  const auto uncounted = std::get<stream_limits::lease>(limits.admit(one));
  EXPECT_EQ(std::get<refusal>(limits.admit(one)), refusal::too_many);
  limits.change(3, 1);
  const auto counted = std::get<stream_limits::lease>(limits.admit(one));
  EXPECT_EQ(std::get<refusal>(limits.admit(one)), refusal::too_many_per_address);
  limits.change(2, 0);
  limits.release(counted);
  limits.release(uncounted);
  EXPECT_EQ(limits.admit(one).index(), 0u);
  limits.change(2, 1);
  EXPECT_EQ(limits.admit(one).index(), 0u) << "what was counted was given back";
}

} // namespace
} // namespace herald
