#include "http/admission/stream_limits.hpp"

#include <optional>

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

constexpr auto owned = stream_limits::owned::by_a_subject;
constexpr client_address ann{0xa};
constexpr client_address bob{0xb};

stream_limits::lease admitted(stream_limits& limits, const std::optional<client_address>& from) {
  return std::get<stream_limits::lease>(limits.admit(from, owned));
}

TEST(StreamLimits, AdmitUpToTheLimitOfASubjectFromWhateverAddress) {
  stream_limits limits{10, 0, 2};
  const auto first = admitted(limits, one);
  EXPECT_EQ(limits.name(first, ann), std::nullopt);
  EXPECT_EQ(limits.name(first, ann), std::nullopt) << "it is counted once";
  EXPECT_EQ(limits.name(admitted(limits, two), ann), std::nullopt);
  const auto third = admitted(limits, std::nullopt);
  EXPECT_EQ(limits.name(third, ann), refusal::too_many_per_subject);
  EXPECT_EQ(limits.name(admitted(limits, one), bob), std::nullopt);
  limits.release(third);
  limits.release(first);
  EXPECT_EQ(limits.name(admitted(limits, std::nullopt), ann), std::nullopt);
  EXPECT_EQ(limits.name(admitted(limits, std::nullopt), ann), refusal::too_many_per_subject);
}

TEST(StreamLimits, CountAStreamToItsAddressAndItsSubject) {
  stream_limits limits{10, 1, 1};
  const auto first = admitted(limits, one);
  EXPECT_EQ(limits.name(first, ann), std::nullopt);
  EXPECT_EQ(std::get<refusal>(limits.admit(one, owned)), refusal::too_many_per_address);
  const auto second = admitted(limits, two);
  EXPECT_EQ(limits.name(second, ann), refusal::too_many_per_subject);
  limits.release(second);
  EXPECT_EQ(limits.admit(two, owned).index(), 0u) << "what was refused is given back whole";
  limits.release(first);
  const auto again = admitted(limits, one);
  EXPECT_EQ(limits.name(again, ann), std::nullopt);
}

TEST(StreamLimits, CountNobodyWhoseCredentialNamesNobody) {
  stream_limits limits{2, 0, 1};
  const auto first = admitted(limits, one);
  const auto second = admitted(limits, one);
  EXPECT_EQ(std::get<refusal>(limits.admit(one, owned)), refusal::too_many);
  limits.release(first);
  limits.release(second);
  EXPECT_EQ(limits.admit(one, owned).index(), 0u);
  const auto unowned = std::get<stream_limits::lease>(limits.admit(one));
  EXPECT_EQ(limits.name(unowned, ann), std::nullopt) << "where nobody is asked";
}

TEST(StreamLimits, ChangeForSubjectsThatAskLater) {
  stream_limits limits{10, 0, 0};
  const auto uncounted = admitted(limits, one);
  EXPECT_EQ(limits.name(uncounted, ann), std::nullopt);
  limits.change(10, 0, 1);
  EXPECT_EQ(limits.name(admitted(limits, one), ann), std::nullopt);
  EXPECT_EQ(limits.name(admitted(limits, one), ann), refusal::too_many_per_subject);
  limits.release(uncounted);
  EXPECT_EQ(limits.name(admitted(limits, one), ann), refusal::too_many_per_subject);
}

} // namespace
} // namespace herald
