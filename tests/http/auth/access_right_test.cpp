#include "http/auth/access_right.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;
using patterns = std::vector<std::string>;

stream_grant grant_of_ann() {
  return {"ann", {"ops"}, {"orders/*"}, wall_time{2h}, wall_time{1h}, "7"};
}

TEST(AccessRight, HasAllThatIsGrantedBesideWhatIsEveryones) {
  const auto right = right_of(grant_of_ann(), {"news/*"});
  EXPECT_EQ(right.by->subject, "ann");
  EXPECT_EQ(right.by->id, "7");
  EXPECT_EQ(right.by->issued_at, wall_time{1h});
  EXPECT_EQ(right.by->topics, (patterns{"orders/*", "news/*"}));
  EXPECT_TRUE(right.by->targeted);
  EXPECT_EQ(right.expires_at, wall_time{2h});
  ASSERT_TRUE(right.hears);
  EXPECT_EQ(right.hears->subject, "ann");
  EXPECT_EQ(right.hears->roles, patterns{"ops"});
  EXPECT_TRUE(right.hears->patterns.empty());
  EXPECT_TRUE(right.hears->broadcast);
}

TEST(AccessRight, OfAnybodyIsForNobodyInParticular) {
  const auto right = right_of_anybody({}, {"news/*"});
  EXPECT_FALSE(right.by->targeted);
  EXPECT_EQ(right.by->topics, patterns{"news/*"});
  EXPECT_FALSE(right.hears);
  EXPECT_FALSE(right.expires_at);
}

TEST(AccessRight, OfNobodyInParticularHearsNothingOfItsOwn) {
  auto grant = grant_of_ann();
  grant.subject.clear();
  grant.roles.clear();
  EXPECT_FALSE(right_of(std::move(grant), {}).hears);
}

} // namespace
} // namespace herald
