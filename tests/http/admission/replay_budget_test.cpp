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
  EXPECT_TRUE(budget.spend(one, 60, now).allowed);
  EXPECT_FALSE(budget.spend(one, 41, now).allowed);
  EXPECT_TRUE(budget.spend(one, 40, now).allowed) << "what was not sent is not spent";
  EXPECT_FALSE(budget.spend(one, 1, now).allowed);
  EXPECT_TRUE(budget.spend(two, 100, now).allowed);
  EXPECT_FALSE(budget.spend(two, static_cast<std::size_t>(-1), now).allowed);
}

TEST_F(ReplayBudget, BeginsAnewAfterAMinute) {
  EXPECT_TRUE(budget.spend(one, 100, now).allowed);
  EXPECT_TRUE(budget.spend(two, 100, now + 30s).allowed);
  EXPECT_FALSE(budget.spend(one, 1, now + 59s).allowed);
  EXPECT_TRUE(budget.spend(one, 100, now + 60s).allowed);
  EXPECT_FALSE(budget.spend(two, 1, now + 89s).allowed);
  EXPECT_TRUE(budget.spend(two, 1, now + 90s).allowed);
  EXPECT_FALSE(budget.spend(one, 1, now + 100s).allowed);
}

TEST_F(ReplayBudget, ForgetsTheOldestWhereThereAreTooMany) {
  budget.change(100, 2);
  EXPECT_FALSE(budget.spend(one, 100, now).forgot);
  EXPECT_FALSE(budget.spend(two, 50, now).forgot);
  EXPECT_FALSE(budget.spend(two, 50, now).forgot) << "it is known already";
  EXPECT_FALSE(budget.spend(one, 1, now).allowed) << "so nobody was forgotten";
  EXPECT_TRUE(budget.spend(client_address{3}, 100, now).forgot);
  EXPECT_FALSE(budget.spend(two, 1, now).allowed);
  EXPECT_TRUE(budget.spend(one, 100, now).allowed) << "it was forgotten";
  EXPECT_FALSE(budget.spend(client_address{4}, 1, now + 60s).forgot)
    << "one whose minute is over is no loss";
}

TEST_F(ReplayBudget, GoesOnWithOtherLimits) {
  EXPECT_TRUE(budget.spend(one, 80, now).allowed);
  budget.change(50, 10);
  EXPECT_FALSE(budget.spend(one, 1, now).allowed);
  EXPECT_TRUE(budget.spend(two, 50, now).allowed);
  budget.change(0, 10);
  EXPECT_FALSE(budget.limited());
  budget.change(100, 10);
  EXPECT_TRUE(budget.spend(one, 20, now).allowed);
}

TEST_F(ReplayBudget, TakesBackWhatWasNotSent) {
  EXPECT_TRUE(budget.spend(one, 100, now).allowed);
  budget.give_back(one, 60);
  budget.give_back(two, 60);
  EXPECT_TRUE(budget.spend(one, 60, now).allowed);
  EXPECT_FALSE(budget.spend(one, 1, now).allowed);
  budget.give_back(one, 1000);
  EXPECT_TRUE(budget.spend(one, 100, now).allowed);
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
     {}},
    "address");
  EXPECT_EQ(told.next()->name, "gap");
  EXPECT_EQ(told.next()->name, "2");
  EXPECT_TRUE(told.empty());
  told = gap_instead_of({{made("x", 9)}, {}, {}, {}}, "subject");
  const auto gap = told.next();
  EXPECT_EQ(gap->name, "gap");
  EXPECT_NE(gap->data.find("to this subject"), std::string::npos) << gap->data;
  EXPECT_TRUE(told.empty());
}

TEST_F(ReplayBudget, TellsPagesApart) {
  EXPECT_EQ(counted_as_page("a"), counted_as_page("a"));
  EXPECT_NE(counted_as_page("a"), counted_as_page("b"));
  EXPECT_EQ(counted_as_page("a")[0], 0xff) << "nobody's address";
}

TEST_F(ReplayBudget, TellsSubjectsApart) {
  EXPECT_EQ(counted_as_subject("ann"), counted_as_subject("ann"));
  EXPECT_NE(counted_as_subject("ann"), counted_as_subject("bob"));
}

} // namespace
} // namespace herald
