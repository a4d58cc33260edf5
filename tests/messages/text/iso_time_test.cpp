#include "messages/text/iso_time.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(IsoTime, IsUtcWithMilliseconds) {
  const wall_time noon = wall_time{} + std::chrono::milliseconds{1'738'324'800'007};
  EXPECT_EQ(iso_time(noon), "2025-01-31T12:00:00.007Z");
  EXPECT_EQ(iso_time(wall_time{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_time(noon + std::chrono::microseconds{992'999}), "2025-01-31T12:00:00.999Z");
}

} // namespace
} // namespace herald
