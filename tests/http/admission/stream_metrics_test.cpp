#include "http/admission/stream_metrics.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

TEST(StreamMetrics, CountWhatATableHasDoneSinceItWasLookedAtLast) {
  metrics numbers;
  stream_metrics counts{numbers, 0};
  const auto shown = [&] {
    std::vector<double> all;
    for (const auto* name :
         {"herald_stream_sent_bytes_total", "herald_history_replayed_total",
          "herald_stream_lagged_total", "herald_stream_private_overflows_total"})
      all.push_back(testing::metric(numbers, name));
    return all;
  };
  stream_tally done;
  done.bytes = 1;
  done.replayed = 2;
  done.lagged = 3;
  done.overflowed = 4;
  counts.count(done);
  EXPECT_EQ(shown(), (std::vector<double>{1, 2, 3, 4}));
  done.bytes = 11;
  done.overflowed = 5;
  counts.count(done);
  EXPECT_EQ(shown(), (std::vector<double>{11, 2, 3, 5}));
}

} // namespace
} // namespace herald
