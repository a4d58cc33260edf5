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

} // namespace
} // namespace herald
