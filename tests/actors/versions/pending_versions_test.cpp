#include "actors/versions/pending_versions.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(PendingVersions, KeepTheLastOfEachRequestId) {
  pending_versions versions{10};
  versions.put(request_id{"a"}, {"1", std::nullopt});
  versions.put(request_id{"a"}, {"2", "new"});
  ASSERT_NE(versions.find(request_id{"a"}), nullptr);
  EXPECT_EQ(versions.find(request_id{"a"})->version, "2");
  EXPECT_EQ(versions.find(request_id{"b"}), nullptr);
  EXPECT_EQ(versions.size(), 1u);
  EXPECT_EQ(versions.check(), std::nullopt);
}

TEST(PendingVersions, DropTheOneQueuedLongestAgoPastTheLimit) {
  using names = std::vector<request_id>;
  pending_versions versions{2};
  EXPECT_EQ(versions.put(request_id{"a"}, {"1", {}}), names{});
  EXPECT_EQ(versions.put(request_id{"b"}, {"1", {}}), names{});
  EXPECT_EQ(versions.put(request_id{"a"}, {"2", {}}), names{}) << "overwriting takes no room";
  EXPECT_EQ(versions.put(request_id{"c"}, {"1", {}}), names{request_id{"b"}});
  EXPECT_EQ(versions.find(request_id{"b"}), nullptr);
  EXPECT_NE(versions.find(request_id{"a"}), nullptr);
  EXPECT_EQ(versions.check(), std::nullopt);
}

TEST(PendingVersions, DropTheOneQueuedLongestAgoPastTheirBytes) {
  using names = std::vector<request_id>;
  const std::string long_text(10'000, 'x');
  pending_versions versions{100, 35'000};
  EXPECT_EQ(versions.put(request_id{"a"}, {long_text, {}}), names{});
  EXPECT_EQ(versions.put(request_id{"b"}, {"1", long_text}), names{});
  EXPECT_EQ(versions.put(request_id{"c"}, {long_text, {}}), names{});
  EXPECT_EQ(versions.put(request_id{"b"}, {long_text, {}}), names{}) << "overwriting takes no room";
  EXPECT_GT(versions.bytes(), 30'000u);
  EXPECT_EQ(versions.put(request_id{"d"}, {long_text, {}}), names{request_id{"a"}});
  EXPECT_EQ(
    versions.put(request_id{"e"}, {long_text, long_text + long_text + long_text}),
    (names{request_id{"c"}, request_id{"b"}, request_id{"d"}}))
    << "the last one stays";
  EXPECT_NE(versions.find(request_id{"e"}), nullptr);
  EXPECT_EQ(versions.check(), std::nullopt);
  EXPECT_EQ(versions.put(request_id{"e"}, {"1", {}}), names{});
  EXPECT_LT(versions.bytes(), 1000u);
  EXPECT_EQ(versions.check(), std::nullopt);
}

TEST(PendingVersions, StayWhereTheyHaveExactlyAsManyBytesAsMayBe) {
  using names = std::vector<request_id>;
  const auto put_both = [](pending_versions& versions) {
    versions.put(request_id{"a"}, {"1", {}});
    return versions.put(request_id{"b"}, {"1", {}});
  };
  pending_versions wide{10};
  put_both(wide);
  pending_versions exact{10, wide.bytes()};
  EXPECT_EQ(put_both(exact), names{});
  pending_versions narrow{10, wide.bytes() - 1};
  EXPECT_EQ(put_both(narrow), names{request_id{"a"}});
}

} // namespace
} // namespace herald
