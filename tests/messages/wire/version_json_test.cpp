#include "messages/wire/version_json.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(VersionJson, ShowsAChangelogOnlyWhereThereIsOne) {
  EXPECT_EQ(version_data({"1", "a\"b"}), R"({"version":"1","changelog":"a\"b"})");
  EXPECT_EQ(version_data({"1", std::nullopt}), R"({"version":"1"})");
}

TEST(VersionJson, SaysWhyAVersionIsUnknown) {
  EXPECT_EQ(unknown_version_data("refused"), R"({"version":"unknown","error":"refused"})");
}

} // namespace
} // namespace herald
