#include "actors/pages/revocations.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

constexpr wall_time noon{12h};

credential issued(std::optional<wall_time> at, const char* subject = "ann", const char* id = "") {
  return {subject, id, at, {}};
}

TEST(Revocations, AreOfOneCredentialOrOfAllOfASubjectThatAreOlder) {
  revocations all{10};
  EXPECT_FALSE(all.covers(issued(noon)));
  ASSERT_TRUE(all.add({{}, "ann", noon}, noon + 1h));
  ASSERT_TRUE(all.add({"7", {}, {}}, noon + 1h));
  EXPECT_TRUE(all.covers(issued(noon - 1s)));
  EXPECT_FALSE(all.covers(issued(noon)));
  EXPECT_TRUE(all.covers(issued(std::nullopt))) << "nobody knows that it is newer";
  EXPECT_FALSE(all.covers(issued(noon - 1s, "bob")));
  EXPECT_TRUE(all.covers(issued(noon + 1s, "bob", "7")));
  EXPECT_FALSE(all.covers(issued(noon, "7"))) << "a subject is no credential";
  EXPECT_FALSE(all.covers(issued(noon, "bob", "ann"))) << "nor the other way round";
}

TEST(Revocations, AreForgottenWhenTheyCanHaveNoEffect) {
  revocations all{10};
  ASSERT_TRUE(all.add({{}, "ann", noon}, noon + 1h));
  ASSERT_TRUE(all.add({"7", {}, {}}, noon + 2h));
  EXPECT_TRUE(all.expire(noon + 1h - 1s).empty());
  const auto gone = all.expire(noon + 1h);
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].subject, "ann");
  EXPECT_FALSE(all.covers(issued(noon - 1s)));
  EXPECT_TRUE(all.covers(issued(noon, "ann", "7")));
  EXPECT_EQ(all.check(), std::nullopt);
}

TEST(Revocations, AreWidenedAndNeverNarrowed) {
  revocations all{1};
  ASSERT_TRUE(all.add({{}, "ann", noon}, noon + 2h));
  const auto kept = all.add({{}, "ann", noon - 1h}, noon + 1h);
  ASSERT_TRUE(kept) << "it is one of those that are there";
  EXPECT_EQ(kept->what.issued_before, noon);
  EXPECT_EQ(kept->until, noon + 2h);
  EXPECT_TRUE(all.covers(issued(noon - 1s)));
  EXPECT_TRUE(all.expire(noon + 1h).empty());
  EXPECT_EQ(all.size(), 1u);
  EXPECT_EQ(all.check(), std::nullopt);
}

TEST(Revocations, AreNeverMoreThanTheLimit) {
  revocations all{1};
  ASSERT_TRUE(all.add({"7", {}, {}}, noon));
  EXPECT_FALSE(all.add({"8", {}, {}}, noon));
  EXPECT_FALSE(all.covers(issued(noon, "ann", "8")));
  EXPECT_EQ(all.check(), std::nullopt);
}

} // namespace
} // namespace herald
