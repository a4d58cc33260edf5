#include "http/fanout/stall_patrol.hpp"

#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

/// How far the streams have come, by their descriptors.
std::map<int, tcp_progress> clients; // NOLINT: for a function without a state
std::size_t looks = 0;               // NOLINT: likewise

std::optional<tcp_progress> progress_of(int fd) {
  ++looks;
  const auto found = clients.find(fd);
  return found == clients.end() ? std::nullopt : std::optional{found->second};
}

class StallPatrol : public ::testing::Test, protected stream_io {
protected:
  StallPatrol() {
    clients.clear();
    looks = 0;
  }

  ssize_t write(int /*fd*/, const iovec* /*parts*/, int /*count*/) override { return 0; }
  void watch_writable(int /*fd*/, stream_slot /*slot*/, bool /*on*/) override {}
  void ended(const ended_stream& stream) override {
    gone.push_back(stream.fd);
    counted_at_end.push_back(given_up.Value());
    patrol.ended(stream.slot);
  }

  void add(int first, int count = 1) {
    for (auto fd = first; fd < first + count; ++fd)
      (void)table.add(fd, 0, 0);
  }

  /// How many streams were dropped.
  double walk(std::chrono::milliseconds at) {
    const auto before = given_up.Value();
    patrol.walk(start + at);
    return given_up.Value() - before;
  }

  prometheus::Counter given_up;
  stream_table table{{.log_bytes = 4096}, *this};
  stall_patrol patrol{16s, table, given_up, &progress_of};
  stall_patrol::time_point start{1000h};
  std::vector<int> gone;
  std::vector<double> counted_at_end;
};

TEST_F(StallPatrol, DropsTheStreamsThatStandStill) {
  add(10, 3);
  clients[10] = {100, true, 0ms};
  clients[12] = {100, false, 0ms};
  EXPECT_EQ(walk(0s), 0);
  EXPECT_EQ(walk(15s), 0);
  EXPECT_EQ(walk(16s), 1);
  EXPECT_EQ(gone, std::vector<int>{10}) << "11 is no socket, and nothing is due to 12";
  EXPECT_EQ(counted_at_end, std::vector<double>{1}) << "whoever hears of the end finds it counted";
  EXPECT_EQ(walk(32s), 0);
}

TEST_F(StallPatrol, LooksAnewAtTheNextStreamInASlot) {
  add(10);
  clients[10] = clients[20] = {100, true, 0ms};
  EXPECT_EQ(walk(0s), 0);
  table.drop(0, end_reason::client_closed);
  add(20);
  EXPECT_EQ(walk(16s), 0);
  EXPECT_EQ(walk(32s), 1);
}

TEST_F(StallPatrol, WalksOverAllStreamsInOneRoundOfSlices) {
  EXPECT_EQ(patrol.pause(), 2s) << "an eighth of the time";
  EXPECT_EQ(walk(0s), 0);
  const auto streams = 2 * static_cast<int>(stall_patrol::slice) + 1;
  add(10, streams);
  EXPECT_EQ(patrol.pause(), 666ms);
  walk(0s);
  EXPECT_EQ(looks, stall_patrol::slice);
  walk(0s);
  walk(0s);
  EXPECT_EQ(looks, static_cast<std::size_t>(streams));
  walk(0s);
  EXPECT_EQ(looks, streams + stall_patrol::slice) << "from the first again";
}

TEST_F(StallPatrol, IsNeitherHastyNorSlow) {
  EXPECT_EQ((stall_patrol{100ms, table, given_up, &progress_of}.pause()), 250ms);
  EXPECT_EQ((stall_patrol{1h, table, given_up, &progress_of}.pause()), 5s);
}

} // namespace
} // namespace herald
