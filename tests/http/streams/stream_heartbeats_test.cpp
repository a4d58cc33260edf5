#include "http/streams/stream_heartbeats.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

const std::string comment = ": heartbeat\n";
const std::string beat_event = "event: heartbeat\ndata: \n\n";

class StreamHeartbeats : public ::testing::Test, protected stream_io {
protected:
  static constexpr auto slice = static_cast<int>(heartbeat_round::slice_slots);

  ssize_t write(int fd, const iovec* parts, int count) override {
    ssize_t taken = 0;
    for (int i = 0; i < count; ++i) {
      received[fd].append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
      taken += static_cast<ssize_t>(parts[i].iov_len);
    }
    ++writes;
    return taken;
  }
  void watch_writable(int /*fd*/, stream_slot /*slot*/, bool /*on*/) override {}
  void ended(const ended_stream& /*stream*/) override {}

  void open(int first, int count, bool broadcast = true) {
    for (auto fd = first; fd < first + count; ++fd) {
      const auto slot = table.add(fd, 0, 0);
      reach hears;
      hears.broadcast = broadcast;
      feed.attach(slot, {}, {}, {}, std::make_shared<const reach>(std::move(hears)));
    }
  }

  void broadcast() {
    auto what = std::make_shared<event>();
    what->data = "all";
    const std::vector<delivery> batch{{what, std::nullopt}};
    EXPECT_TRUE(feed.put({std::make_shared<const std::vector<delivery>>(batch)}, now));
    run();
  }

  void run() {
    while (table.run_slice(100)) {
    }
  }

  /// Lets the time pass as a loop does. Notes the most writes of one step.
  void pass(stream_heartbeats& beats, std::chrono::milliseconds time) {
    const auto stop = now + time;
    while (beats.due() <= stop) {
      now = std::max(now, beats.due());
      writes = 0;
      if (beats.beat(now))
        run();
      most_writes = std::max(most_writes, writes);
    }
    now = stop;
  }

  std::size_t beats_of(int fd, const std::string& what) {
    std::size_t count = 0;
    const auto& got = received[fd];
    for (auto at = got.find(what); at != std::string::npos; at = got.find(what, at + 1))
      ++count;
    return count;
  }

  std::map<int, std::string> received;
  std::size_t writes = 0;
  std::size_t most_writes = 0;
  stream_table table{
    {.log_bytes = 4096, .private_queue_bytes = 1024 * 1024, .window_bytes = 1024}, *this};
  stream_feed::time_point now{1000h};
  stream_feed feed{table, now};
};

TEST_F(StreamHeartbeats, ReachQuietStreamsASliceAtATime) {
  stream_heartbeats beats{{16s}, table, feed, now};
  open(0, 10 * slice);
  pass(beats, 32s);
  for (int fd = 0; fd < 10 * slice; ++fd)
    ASSERT_EQ(received[fd], comment + comment) << fd;
  EXPECT_EQ(most_writes, heartbeat_round::slice_slots);
}

TEST_F(StreamHeartbeats, LeaveOutStreamsThatGetEvents) {
  stream_heartbeats beats{{16s}, table, feed, now};
  open(0, 2);
  open(2, 1, false);
  for (int i = 0; i < 16; ++i) {
    broadcast();
    pass(beats, 2s);
  }
  EXPECT_EQ(beats_of(0, comment), 0u);
  EXPECT_EQ(received[2], comment + comment) << "it hears no broadcasts";
  pass(beats, 16s);
  EXPECT_EQ(beats_of(0, comment), 1u);
}

TEST_F(StreamHeartbeats, ComeWithinTheIntervalBehindAnEvent) {
  stream_heartbeats beats{{16s}, table, feed, now};
  open(0, 3 * slice);
  pass(beats, 5s);
  broadcast();
  pass(beats, 16s);
  for (int fd = 0; fd < 3 * slice; ++fd)
    ASSERT_GE(beats_of(fd, "data: all\n\n" + comment), 1u) << fd;
}

TEST_F(StreamHeartbeats, AreEventsForThePagesThatWatchThem) {
  stream_heartbeats beats{{16s}, table, feed, now};
  open(0, 300);
  for (const stream_slot slot : {3U, 299U})
    beats.watch(slot);
  for (int i = 0; i < 8; ++i) {
    broadcast();
    pass(beats, 4s);
  }
  EXPECT_EQ(beats_of(3, beat_event), 2u) << "quiet or not";
  EXPECT_EQ(beats_of(299, beat_event), 2u);
  EXPECT_EQ(beats_of(4, beat_event), 0u);
  beats.ended(3);
  pass(beats, 16s);
  EXPECT_EQ(beats_of(3, beat_event), 2u);
  EXPECT_EQ(beats_of(299, beat_event), 3u);
}

TEST_F(StreamHeartbeats, AreEventsAloneWhereThatIsSet) {
  stream_heartbeats beats{{16s, true}, table, feed, now};
  open(0, 2);
  open(2, 1, false);
  for (int i = 0; i < 8; ++i) {
    broadcast();
    pass(beats, 4s);
  }
  for (int fd = 0; fd < 3; ++fd) {
    EXPECT_EQ(beats_of(fd, beat_event), 2u) << fd;
    EXPECT_EQ(beats_of(fd, "\n" + comment), 0u) << fd;
  }
}

} // namespace
} // namespace herald
