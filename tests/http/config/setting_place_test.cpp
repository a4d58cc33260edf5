#include "http/config/setting_place.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

TEST(SettingPlace, KeepsATimeInMillisecondsWhateverItsUnit) {
  std::chrono::milliseconds time = 7ms;
  const number_range range{0, 100};
  EXPECT_TRUE(put_value(&time, "section.time_s", range, std::int64_t{100}));
  EXPECT_EQ(time, 100s);
  EXPECT_EQ(value_at(&time, "section.time_s"), setting_value{std::int64_t{100}});
  EXPECT_TRUE(put_value(&time, "section.time_ms", range, std::int64_t{100}));
  EXPECT_EQ(time, 100ms);
  EXPECT_EQ(value_at(&time, "section.time_ms"), setting_value{std::int64_t{100}});
  EXPECT_FALSE(put_value(&time, "section.time_ms", range, std::int64_t{101}));
  EXPECT_FALSE(put_value(&time, "section.time_ms", range, 1.0));
  EXPECT_EQ(time, 100ms);
}

TEST(SettingPlace, TellsTheUnitByTheEndOfTheName) {
  EXPECT_EQ(unit_of("stream.heartbeat_s"), "s");
  EXPECT_EQ(unit_of("stream.retry_ms"), "ms");
  EXPECT_EQ(unit_of("stream.log_bytes"), "bytes");
  EXPECT_EQ(unit_of("stream.threads"), "");
  EXPECT_EQ(unit_of("s"), "");
  EXPECT_EQ(unit_of("limits.publishes_per_s"), "");
}

TEST(SettingPlace, TakesAShareFromNoneToAll) {
  double share = 0.5;
  for (const setting_value& bad :
       {setting_value{-0.1}, setting_value{1.1}, setting_value{true},
        setting_value{std::int64_t{2}}, setting_value{std::string{"1"}}})
    EXPECT_FALSE(put_value(&share, "share", {}, bad));
  EXPECT_EQ(share, 0.5);
  EXPECT_TRUE(put_value(&share, "share", {}, 0.25));
  EXPECT_EQ(value_at(&share, "share"), setting_value{0.25});
  EXPECT_TRUE(put_value(&share, "share", {}, std::int64_t{1}));
  EXPECT_EQ(share, 1.0);
  EXPECT_EQ(requirement_of(&share, {}), "a number from 0 to 1");
}

} // namespace
} // namespace herald
