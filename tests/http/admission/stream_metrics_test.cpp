#include "http/admission/stream_metrics.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "http/fanout/shared_frame.hpp"
#include "http/fanout/stream_table.hpp"
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

/// Of a table that has no streams.
class no_sockets final : public stream_io {
public:
  ssize_t write(int /*fd*/, const iovec* /*parts*/, int /*count*/) override { return -1; }
  void watch_writable(int /*fd*/, stream_slot /*slot*/, bool /*on*/) override {}
  void ended(const ended_stream& /*stream*/) override {}
};

TEST(StreamMetrics, ShowWhatALoopHolds) {
  metrics numbers;
  const stream_metrics counts{numbers, 3};
  no_sockets none;
  const stream_table table{{.log_bytes = 1024}, none};
  const auto waits = frame_text::of({"a frame"});
  counts.show(table, 2);
  EXPECT_GT(frame_text::held_bytes(), 0u);
  EXPECT_EQ(
    testing::metric(numbers, R"(herald_stream_private_bytes{loop="3"})"),
    static_cast<double>(frame_text::held_bytes()));
  EXPECT_EQ(testing::metric(numbers, R"(herald_stream_backlog{loop="3"})"), 2);
}

} // namespace
} // namespace herald
