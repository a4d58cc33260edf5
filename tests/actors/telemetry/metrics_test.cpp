#include "actors/telemetry/metrics.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(Metrics, AskForWhatIsCountedElsewhereAtEachRender) {
  metrics numbers;
  double count = 0;
  numbers.counted_elsewhere("lost_total", "Lost.", [&] { return count; });
  const std::string head = "# HELP lost_total Lost.\n# TYPE lost_total counter\nlost_total ";
  EXPECT_EQ(numbers.render(), head + "0\n");
  count = 3;
  EXPECT_EQ(numbers.render(), head + "3\n");
}

} // namespace
} // namespace herald
