#include "messages/wire/version_json.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(ParseVersion, ReadsAVersion) {
  auto order = parse_version(R"({"request_id":"X","version":"1.2","changelog":"new"})", {});
  ASSERT_TRUE(order);
  EXPECT_EQ(order->id, request_id{"X"});
  EXPECT_EQ(order->version, "1.2");
  EXPECT_EQ(order->changelog, "new");
  order = parse_version(R"({"request_id":"X","version":"1.2","changelog":null})", {});
  ASSERT_TRUE(order);
  EXPECT_EQ(order->changelog, std::nullopt);
}

TEST(ParseVersion, NamesTheFieldThatIsToBlame) {
  const auto blamed = [](std::string_view body) {
    auto order = parse_version(body, {});
    return order ? std::string{} : describe(order.error()).field;
  };
  EXPECT_EQ(blamed(R"({"version":"1"})"), "request_id");
  EXPECT_EQ(blamed(R"({"request_id":"X"})"), "version");
  EXPECT_EQ(blamed(R"({"request_id":"X","version":""})"), "version");
  EXPECT_EQ(blamed(R"({"request_id":"X","version":"1","changes":""})"), "changes");
}

TEST(ParseVersion, LimitsAVersionToWhatAnEventMayHave) {
  const event_limits limits{40};
  const auto refusal = [&](const std::string& version, const std::string& changelog) {
    const auto order = parse_version(
      R"({"request_id":"X","version":")" + version + R"(","changelog":")" + changelog + "\"}",
      limits);
    return order ? failure{ec::none, {}, {}} : describe(order.error());
  };
  // {"version":"1","changelog":"..."} takes 30 bytes without what is in the changelog.
  EXPECT_EQ(refusal("1", "0123456789").code, ec::none);
  EXPECT_EQ(refusal("1", "0123456789x").code, ec::event_too_large);
  EXPECT_EQ(refusal("1", "0123456789x").field, "changelog");
  EXPECT_EQ(refusal("1", "0123456789x").detail, "takes 41 bytes; at most 40 are allowed");
  EXPECT_EQ(refusal("1", R"(\n\n\n\n\n\n)").code, ec::event_too_large) << "as on the wire";
  EXPECT_EQ(refusal("0123456789ab", "").field, "version");
}

TEST(VersionJson, ShowsAChangelogOnlyWhereThereIsOne) {
  EXPECT_EQ(version_data({"1", "a\"b"}), R"({"version":"1","changelog":"a\"b"})");
  EXPECT_EQ(version_data({"1", std::nullopt}), R"({"version":"1"})");
}

TEST(VersionJson, SaysWhyAVersionIsUnknown) {
  EXPECT_EQ(unknown_version_data("refused"), R"({"version":"unknown","error":"refused"})");
}

} // namespace
} // namespace herald
