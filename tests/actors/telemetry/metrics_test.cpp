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

TEST(Metrics, TellApartHowLongThingsTakeThatTakeMinutes) {
  metrics numbers;
  numbers.duration("took", "Took.").Observe(45);
  const auto page = numbers.render();
  for (const auto* row : {"le=\"30\"} 0\n", "le=\"60\"} 1\n", "le=\"3600\"} 1\n"})
    EXPECT_NE(page.find(std::string{"took_bucket{"} + row), std::string::npos) << page;
}

} // namespace
} // namespace herald
