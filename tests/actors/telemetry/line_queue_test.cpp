#include "actors/telemetry/line_queue.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "actors/system/owned_fd.hpp"
#include "tests/support/eventually.hpp"

namespace herald::log {
namespace {

using namespace std::chrono_literals;

/// A queue whose lines go to a pipe that is read when the test says so.
class LineQueue : public ::testing::Test {
protected:
  LineQueue() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    out = owned_fd{ends[0]};
    in = owned_fd{ends[1]};
    ::fcntl(out.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(in.get(), F_SETPIPE_SZ, 4096);
  }

  void make(const queue_limits& limits) {
    queue = std::make_unique<line_queue>(
      in.get(), limits, [](std::uint64_t count) { return "lost " + std::to_string(count); });
  }

  std::string read_some() {
    std::array<char, 4096> part{};
    const auto got = ::read(out.get(), part.data(), part.size());
    std::string some{part.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
    text += some;
    return some;
  }

  /// Reads until this has come.
  bool comes(const std::string& piece) {
    return testing::eventually([&] {
      read_some();
      return text.find(piece) != std::string::npos;
    });
  }

  owned_fd out;
  owned_fd in;
  std::string text;
  std::unique_ptr<line_queue> queue;
};

TEST_F(LineQueue, WritesLinesInTheirOrder) {
  make({});
  for (const auto* line : {"a", "b", "", "c"})
    queue->push(line);
  EXPECT_TRUE(queue->drain(10s));
  read_some();
  EXPECT_EQ(text, "a\nb\n\nc\n");
  EXPECT_EQ(queue->lost(), 0u);
}

TEST_F(LineQueue, LosesTheNewestLinesAndTellsHowManyOnceThereIsRoom) {
  make({4, 100'000});
  queue->push(std::string(5000, '-'));
  for (const auto* line : {"a", "b", "c"})
    queue->push(line);
  EXPECT_FALSE(queue->drain(10ms)) << "nobody reads";
  queue->push("d");
  queue->push("e");
  EXPECT_EQ(queue->lost(), 2u);
  EXPECT_TRUE(comes("-\na\nlost 2\nb\nc\n")) << text;
  queue->push("f");
  EXPECT_TRUE(comes("c\nf\n")) << text << "it is told once";
}

TEST_F(LineQueue, HasALimitInBytes) {
  make({100, 6000});
  queue->push(std::string(5000, '-'));
  queue->push(std::string(900, 'a'));
  queue->push(std::string(200, 'b'));
  queue->push("c");
  EXPECT_EQ(queue->lost(), 1u);
  EXPECT_TRUE(comes("-\nlost 1\naaa")) << text;
  EXPECT_TRUE(comes("a\nc\n")) << text;
}

TEST_F(LineQueue, WaitsForAPipeThatDoesNotBlock) {
  ::fcntl(in.get(), F_SETFL, O_NONBLOCK);
  make({});
  queue->push(std::string(50'000, '-'));
  queue->push("a");
  EXPECT_TRUE(comes("-\na\n"));
  EXPECT_EQ(text.size(), 50'003u);
}

TEST_F(LineQueue, CountsWhatCannotBeWritten) {
  const owned_fd full{::open("/dev/full", O_WRONLY | O_CLOEXEC)};
  line_queue lines{full.get(), {}, [](std::uint64_t) {
                     return "lost";
                   }};
  lines.push("a");
  EXPECT_TRUE(testing::eventually([&] { return lines.lost() >= 1; }));
}

} // namespace
} // namespace herald::log
