#include "http/fanout/stall_patrol.hpp"

#include <algorithm>
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

std::size_t asks = 0; // NOLINT: likewise

bool outstanding(int fd) {
  ++asks;
  const auto found = clients.find(fd);
  return found == clients.end() || found->second.outstanding;
}

constexpr progress_readers readers{&progress_of, &outstanding};

class StallPatrol : public ::testing::Test, protected stream_io {
protected:
  StallPatrol() {
    clients.clear();
    looks = asks = 0;
  }

  ssize_t write(int /*fd*/, const iovec* parts, int /*count*/) override {
    return static_cast<ssize_t>(parts->iov_len);
  }
  void watch_writable(int /*fd*/, stream_slot /*slot*/, bool /*on*/) override {}
  void ended(const ended_stream& stream) override {
    gone.push_back(stream.fd);
    counted_at_end.push_back(given_up.Value());
    patrol.ended(stream.slot);
  }

  /// Opens streams, which are sent their heads.
  void add(int first, int count = 1) {
    for (auto fd = first; fd < first + count; ++fd)
      table.attach(table.add(fd, 0, 0), {.head = "head"});
    while (table.run_slice(1000)) {
    }
  }

  /// How many streams were dropped.
  double walk(std::chrono::milliseconds at) {
    const auto before = given_up.Value();
    patrol.walk(start + at);
    return given_up.Value() - before;
  }

  prometheus::Counter given_up;
  stream_table table{{.log_bytes = 4096}, *this};
  stall_patrol patrol{16s, 15s, table, given_up, readers};
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
  for (int fd = 10; fd < 10 + streams; ++fd)
    clients[fd] = {100, true, 0ms};
  EXPECT_EQ(patrol.pause(), 666ms);
  walk(0s);
  EXPECT_EQ(looks, stall_patrol::slice);
  walk(0s);
  walk(0s);
  EXPECT_EQ(looks, static_cast<std::size_t>(streams));
  walk(0s);
  EXPECT_EQ(looks, streams + stall_patrol::slice) << "from the first again";
}

TEST_F(StallPatrol, AsksAboutStreamsThatWereSentSomething) {
  add(10, 100);
  for (int fd = 10; fd < 110; ++fd)
    clients[fd] = {100, false, 0ms};
  clients[10].outstanding = true;
  const auto asked = [&] {
    looks = asks = 0;
    walk(0s);
    return asks;
  };
  EXPECT_EQ(asked(), 100U) << "all were sent their heads";
  EXPECT_EQ(looks, 1U) << "what stands still is looked at";
  for (int round = 0; round < 10; ++round)
    EXPECT_EQ(asked(), 1U) << "the others have acknowledged theirs";
  clients[10].outstanding = false;
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(asked(), 0U);
  EXPECT_TRUE(table.push(5, "event", service_type::event));
  table.run_slice(10);
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(asked(), 0U);
}

TEST_F(StallPatrol, FindsWhoIsGoneWithoutBeingSentAnything) {
  for (const auto heartbeat : {std::chrono::milliseconds{0}, std::chrono::milliseconds{1h}}) {
    stall_patrol rare{16s, heartbeat, table, given_up, readers};
    const auto streams = 8 * static_cast<int>(stall_patrol::slice);
    add(10, streams);
    for (int fd = 10; fd < 10 + streams; ++fd)
      clients[fd] = {100, false, 1h};
    const auto before = given_up.Value();
    std::size_t most = 0;
    for (int walks = 0; walks < 8 * 8; ++walks) {
      looks = 0;
      rare.walk(start);
      most = std::max(most, looks);
    }
    EXPECT_EQ(given_up.Value() - before, streams);
    EXPECT_EQ(most, stall_patrol::slice);
  }
}

TEST_F(StallPatrol, LeavesThemToHeartbeatsWhereThoseAreFrequent) {
  add(10);
  clients[10] = {100, false, 1h};
  for (int round = 0; round < 20; ++round)
    EXPECT_EQ(walk(1s), 0);
}

TEST_F(StallPatrol, IsNeitherHastyNorSlow) {
  EXPECT_EQ((stall_patrol{100ms, 15s, table, given_up, readers}.pause()), 250ms);
  EXPECT_EQ((stall_patrol{1h, 15s, table, given_up, readers}.pause()), 5s);
}

} // namespace
} // namespace herald
