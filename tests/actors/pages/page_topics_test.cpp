#include "actors/pages/page_topics.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

class PageTopics : public ::testing::Test {
protected:
  using texts = std::vector<std::string>;

  bool change(const char* id, const texts& add, const texts& remove = {}) {
    return topics.keep(request_id{id}, topics.with(request_id{id}, add, remove));
  }

  texts in_force(const char* id, const texts& url) const {
    const auto* changes = topics.find(request_id{id});
    return changes == nullptr ? url : changed(url, *changes);
  }

  void TearDown() override { EXPECT_EQ(topics.check(), std::nullopt); }

  page_topics::time_point now{1h};
  page_topics topics{2000};
};

TEST_F(PageTopics, AddToTheTopicsOfTheUrlAndTakeFromThem) {
  EXPECT_TRUE(change("p", {"b", "c/*"}, {"a"}));
  EXPECT_EQ(in_force("p", {"a", "x"}), (texts{"b", "c/*", "x"}));
  EXPECT_EQ(in_force("other", {"a"}), (texts{"a"}));
}

TEST_F(PageTopics, LetTheLaterOfTwoChangesCount) {
  change("p", {"a"});
  change("p", {}, {"a"});
  EXPECT_EQ(in_force("p", {"a", "b"}), (texts{"b"}));
  change("p", {"a"});
  EXPECT_EQ(in_force("p", {"b"}), (texts{"a", "b"}));
}

TEST_F(PageTopics, RemoveWhatIsBothAddedAndRemoved) {
  change("p", {"a", "b"}, {"a"});
  EXPECT_EQ(in_force("p", {"a"}), (texts{"b"}));
}

TEST_F(PageTopics, AreForgottenSomeTimeAfterTheLastStream) {
  change("p", {"a"});
  change("q", {"a"});
  topics.closed(request_id{"p"}, now + 5s);
  topics.closed(request_id{"unknown"}, now + 5s);
  EXPECT_TRUE(topics.expire(now + 4s).empty());
  EXPECT_EQ(topics.expire(now + 5s), (std::vector{request_id{"p"}}));
  EXPECT_EQ(topics.find(request_id{"p"}), nullptr);
  EXPECT_NE(topics.find(request_id{"q"}), nullptr) << "its stream is open";
}

TEST_F(PageTopics, AreKeptWhenThePageComesBackInTime) {
  change("p", {"a"});
  topics.closed(request_id{"p"}, now + 5s);
  topics.opened(request_id{"p"});
  EXPECT_TRUE(topics.expire(now + 1h).empty());
  topics.closed(request_id{"p"}, now + 2h);
  topics.closed(request_id{"p"}, now + 3h);
  EXPECT_TRUE(topics.expire(now + 2h).empty());
  EXPECT_EQ(topics.expire(now + 3h).size(), 1u);
}

TEST_F(PageTopics, ChangeNothingWhereThereIsNoRoom) {
  change("p", {"a"});
  const auto before = topics.bytes();
  EXPECT_FALSE(change("q", {std::string(2000, 'x')}));
  EXPECT_FALSE(change("p", {std::string(2000, 'x')}));
  EXPECT_EQ(topics.bytes(), before);
  EXPECT_EQ(in_force("p", {}), (texts{"a"}));
  EXPECT_TRUE(topics.forget(request_id{"p"}));
  EXPECT_FALSE(topics.forget(request_id{"p"}));
  EXPECT_EQ(topics.bytes(), 0u);
}

TEST_F(PageTopics, TakeExactlyTheRoomThatThereIs) {
  change("p", {"a"}, {"b"});
  const auto& what = *topics.find(request_id{"p"});
  page_topics exact{topics.bytes()};
  EXPECT_TRUE(exact.keep(request_id{"p"}, what));
  page_topics small{topics.bytes() - 1};
  EXPECT_FALSE(small.keep(request_id{"p"}, what));
}

} // namespace
} // namespace herald
