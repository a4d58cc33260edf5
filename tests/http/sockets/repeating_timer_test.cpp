#include "http/sockets/repeating_timer.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

class RepeatingTimer : public ::testing::Test {
protected:
  repeating_timer::clock::time_point due = repeating_timer::clock::now();
  std::function<void()> step = [this] {
    ++steps;
  };
  boost::asio::io_context io;
  repeating_timer timer{
    io, [this] { return due; },
    [this] {
      step();
    }};
  int steps = 0;
};

TEST_F(RepeatingTimer, GoesOnUntilItsStepIsDueLater) {
  step = [this] {
    if (++steps == 3)
      due += 1h;
  };
  timer.start();
  io.poll();
  EXPECT_EQ(steps, 3);
}

TEST_F(RepeatingTimer, StaysOneTimerHoweverOftenItIsStarted) {
  due += 1h;
  timer.start();
  timer.start();
  due -= 2h;
  timer.start();
  step = [this] {
    ++steps;
    due += 10h;
  };
  io.poll();
  EXPECT_EQ(steps, 1);
}

TEST_F(RepeatingTimer, RestsAfterAStepThatThrowsUntilItIsStarted) {
  step = [] {
    throw std::runtime_error{"no memory"};
  };
  timer.start();
  EXPECT_THROW(io.poll(), std::runtime_error);
  step = [this] {
    ++steps;
    due += 1h;
  };
  io.restart();
  io.poll();
  EXPECT_EQ(steps, 0);
  timer.start();
  io.restart();
  io.poll();
  EXPECT_EQ(steps, 1);
}

} // namespace
} // namespace herald
