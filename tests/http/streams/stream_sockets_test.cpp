#include "http/streams/stream_sockets.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/system/owned_fd.hpp"
#include "actors/telemetry/metrics.hpp"

namespace herald {
namespace {

using sizes = std::vector<std::size_t>;

/// With io_uring, if there is one, and without.
class StreamSockets : public ::testing::TestWithParam<bool> {
protected:
  StreamSockets() { current = this; }
  ~StreamSockets() override { stream_sockets::close_all(table); }

  stream_slot open() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    pages.emplace_back(ends[1]);
    const auto slot = table.add(ends[0], 0, 0);
    EXPECT_TRUE(set.add(ends[0], {7, slot}));
    table.attach(slot, {"head|"});
    return slot;
  }

  /// As many, which have their heads.
  void open_all(int count) {
    for (int i = 0; i < count; ++i)
      (void)open();
    run();
    for (std::size_t i = 0; i < pages.size(); ++i)
      EXPECT_EQ(received(i), "head|");
    EXPECT_EQ(yields, sizes{}) << "whoever connects meanwhile would wait for each of them";
  }

  /// Ends the pass.
  void run(std::size_t sends = 256) {
    while (streams.run_slice(table, sends)) {
    }
  }

  std::string received(std::size_t page) {
    std::array<char, 4096> bytes{};
    const auto got = ::recv(pages[page].get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }

  /// What the set says of the streams goes to the table.
  void take_events() {
    for (const auto& event : set.take()) {
      EXPECT_EQ(event.tag.kind, 7u);
      streams.on_event(event, table);
    }
  }

  /// How many pages have something to read.
  std::size_t reached() const {
    std::size_t count = 0;
    for (const auto& page : pages) {
      pollfd polled{page.get(), POLLIN, 0};
      count += ::poll(&polled, 1, 0) == 1 ? 1 : 0;
    }
    return count;
  }

  static void on_yield() { current->yields.push_back(current->reached()); }
  static inline StreamSockets* current = nullptr;

  metrics numbers;
  prometheus::Counter& unreachable = numbers.counter("unreachable", "");
  socket_set set;
  std::vector<owned_fd> pages;
  std::vector<stream_slot> ended;
  /// How many pages were reached when others were let run.
  sizes yields;
  stream_sockets streams{
    set,
    7,
    GetParam(),
    unreachable,
    {[this](const ended_stream& stream) { ended.push_back(stream.slot); }, &on_yield}};
  stream_table table{
    {.log_bytes = std::size_t{8} * 1024 * 1024,
     .private_queue_bytes = 1024,
     .window_bytes = std::size_t{256} * 1024,
     .linger = std::chrono::seconds{5}},
    streams};
};

TEST_P(StreamSockets, LeaveNothingBehindOfASocketThatIsOpenElsewhere) {
  const auto slot = open();
  run();
  const owned_fd elsewhere{::dup(table.descriptor(slot))};
  pages.at(0).close();
  take_events();
  EXPECT_EQ(ended, std::vector{slot});
  EXPECT_EQ(open(), slot);
  run();
  take_events();
  EXPECT_EQ(ended, std::vector{slot}) << "the end of the one before is not told twice";
}

TEST_P(StreamSockets, StayOpenWhereThereIsNothingToReadAfterAll) {
  const auto slot = open();
  run();
  streams.on_event({{7, slot}, EPOLLIN}, table);
  EXPECT_TRUE(ended.empty());
  EXPECT_TRUE(table.open(slot));
}

TEST_P(StreamSockets, LetOthersRunBetweenTheBurstsOfAPassThatGrow) {
  open_all(60);
  table.broadcast("frame|", std::nullopt);
  run();
  EXPECT_EQ(yields, (sizes{8, 24, 56}));
  for (std::size_t i = 0; i < pages.size(); ++i)
    EXPECT_EQ(received(i), "frame|");
}

TEST_P(StreamSockets, BeginEachPassWithASmallBurst) {
  open_all(40);
  for (int pass = 0; pass < 3; ++pass) {
    table.broadcast("frame|", std::nullopt);
    run();
    EXPECT_EQ(yields, (sizes{8, 24})) << "pass " << pass;
    yields.clear();
    for (std::size_t i = 0; i < pages.size(); ++i)
      (void)received(i);
  }
}

TEST_P(StreamSockets, BeginNoPassAnewWithEachSlice) {
  open_all(60);
  table.broadcast("frame|", std::nullopt);
  run(20);
  EXPECT_EQ(yields, sizes{8}) << "12 that are left of the first slice, then 20 at once";
}

TEST_P(StreamSockets, TellTheTableWhatPagesDo) {
  const auto quiet = open();
  const auto loud = open();
  const auto gone = open();
  run();
  EXPECT_EQ(::send(pages[1].get(), "hello", 5, 0), 5);
  const auto fd = table.descriptor(gone);
  pages[2].close();
  take_events();
  EXPECT_EQ(ended, std::vector<stream_slot>{gone});
  EXPECT_EQ(table.descriptor(gone), -1);
  EXPECT_EQ(::recv(fd, nullptr, 0, MSG_DONTWAIT), -1) << "it is closed";
  EXPECT_GE(table.descriptor(quiet), 0);
  EXPECT_GE(table.descriptor(loud), 0);
  take_events();
  EXPECT_EQ(ended.size(), 1u) << "what a page says is read and thrown away";
  const std::string flood(std::size_t{70} * 1024, 'x');
  for (std::size_t sent = 0; sent < flood.size() && ended.size() == 1;) {
    const auto some =
      ::send(pages[1].get(), flood.data(), flood.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    sent += static_cast<std::size_t>(std::max<ssize_t>(some, 0));
    take_events();
  }
  for (int i = 0; i < 100 && ended.size() == 1; ++i)
    take_events();
  EXPECT_EQ(ended, (std::vector<stream_slot>{gone, loud})) << "unless it is too much";
}

TEST_P(StreamSockets, WaitForRoomInASocketThatIsFull) {
  const auto slot = open();
  run();
  std::string all = received(0);
  const std::string frame(std::size_t{256} * 1024, 'x');
  for (int i = 0; i < 8; ++i)
    table.broadcast(frame, std::nullopt);
  run();
  EXPECT_EQ(table.blocked_streams(), 1u);
  for (int i = 0; i < 100000 && all.size() < 5 + 8 * frame.size(); ++i) {
    all += received(0);
    take_events();
    run();
  }
  EXPECT_EQ(all.size(), 5 + 8 * frame.size());
  EXPECT_EQ(table.blocked_streams(), 0u);
  EXPECT_GE(table.descriptor(slot), 0);
}

TEST_P(StreamSockets, GiveAStreamUpThatNothingCanBeSentTo) {
  const auto slot = open();
  run();
  pages[0].close();
  table.broadcast("frame|", std::nullopt);
  run();
  EXPECT_EQ(ended, std::vector<stream_slot>{slot});
  EXPECT_EQ(unreachable.Value(), 0) << "it has hung up";
}

INSTANTIATE_TEST_SUITE_P(
  WithAndWithoutRing, StreamSockets, ::testing::Bool(),
  [](const auto& info) { return info.param ? "Ring" : "Calls"; });

} // namespace
} // namespace herald
