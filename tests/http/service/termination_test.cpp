#include "http/service/termination.hpp"

#include <csignal>

#include <gtest/gtest.h>
#include <unistd.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

TEST(Termination, EndsTheProcessAtASecondSignalThatNobodyWaitsFor) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto stand_still = [] {
    const termination end;
    ::alarm(60);
    ::kill(::getpid(), SIGTERM);
    // Signals of two numbers are both kept.
    ::kill(::getpid(), SIGINT);
    for (;;)
      ::pause();
  };
  EXPECT_EXIT(
    stand_still(), [](int status) { return WIFEXITED(status) && WEXITSTATUS(status) > 128; }, "");
}

TEST(Termination, IsARequestWithoutASignal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto ask = [] {
    termination end;
    end.request();
    if (end.wait() != 0 || end.wait_until(std::chrono::steady_clock::now() + 1ms))
      ::_exit(1);
    ::_exit(0);
  };
  EXPECT_EXIT(ask(), ::testing::ExitedWithCode(0), "");
}

} // namespace
} // namespace herald
