#include "http/admission/replay_budget.hpp"

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

constexpr client_address one{1};
constexpr client_address two{2};

class ReplayBudget : public ::testing::Test {
protected:
  static event_ptr
  made(std::string name, std::size_t bytes, service_type service = service_type::event) {
    event what;
    what.name = std::move(name);
    what.data.assign(bytes, 'x');
    what.service = service;
    return std::make_shared<const event>(std::move(what));
  }

  replay_budget budget{100};
  replay_budget::time_point now{1000h};
};

TEST_F(ReplayBudget, IsForEachClient) {
  EXPECT_TRUE(budget.limited());
  EXPECT_FALSE(replay_budget{0}.limited());
  EXPECT_TRUE(budget.spend(one, 60, now));
  EXPECT_FALSE(budget.spend(one, 41, now));
  EXPECT_TRUE(budget.spend(one, 40, now)) << "what was not sent is not spent";
  EXPECT_FALSE(budget.spend(one, 1, now));
  EXPECT_TRUE(budget.spend(two, 100, now));
  EXPECT_FALSE(budget.spend(two, static_cast<std::size_t>(-1), now));
}

TEST_F(ReplayBudget, BeginsAnewAfterAMinute) {
  EXPECT_TRUE(budget.spend(one, 100, now));
  EXPECT_TRUE(budget.spend(two, 100, now + 30s));
  EXPECT_FALSE(budget.spend(one, 1, now + 59s));
  EXPECT_TRUE(budget.spend(one, 100, now + 60s));
  EXPECT_FALSE(budget.spend(two, 1, now + 89s));
  EXPECT_TRUE(budget.spend(two, 1, now + 90s));
  EXPECT_FALSE(budget.spend(one, 1, now + 100s));
}

TEST_F(ReplayBudget, ForgetsTheOldestWhereThereAreTooMany) {
  EXPECT_TRUE(budget.spend(one, 100, now));
  EXPECT_TRUE(budget.spend(two, 100, now));
  for (std::size_t i = 0; i + 1 < replay_budget::max_clients; ++i) {
    client_address other{3};
    other[14] = static_cast<std::uint8_t>(i / 256);
    other[15] = static_cast<std::uint8_t>(i % 256);
    ASSERT_TRUE(budget.spend(other, 100, now));
  }
  EXPECT_TRUE(budget.spend(one, 100, now)) << "it was forgotten";
}

TEST_F(ReplayBudget, KnowsWhatAReplayTakes) {
  EXPECT_EQ(bytes_of({}), 0u);
  const missed_events all{{made("a", 100), made("b", 50)}, {}, {}, {}};
  EXPECT_GE(bytes_of(all), 150u);
  EXPECT_LE(bytes_of(all), 200u);
}

TEST_F(ReplayBudget, HasTheNewestVersionBehindAGap) {
  auto told = gap_instead_of(
    {{made("1", 1, service_type::version), made("x", 9), made("2", 2, service_type::version)},
     {},
     {},
     {}});
  EXPECT_EQ(told.next()->name, "gap");
  EXPECT_EQ(told.next()->name, "2");
  EXPECT_TRUE(told.empty());
  told = gap_instead_of({{made("x", 9)}, {}, {}, {}});
  EXPECT_EQ(told.next()->name, "gap");
  EXPECT_TRUE(told.empty());
}

TEST_F(ReplayBudget, TellsPagesApart) {
  EXPECT_EQ(counted_as_page("a"), counted_as_page("a"));
  EXPECT_NE(counted_as_page("a"), counted_as_page("b"));
  EXPECT_EQ(counted_as_page("a")[0], 0xff) << "nobody's address";
}

} // namespace
} // namespace herald
