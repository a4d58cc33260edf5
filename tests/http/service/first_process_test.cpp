#include "http/service/first_process.hpp"

#include <csignal>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/support/eventually.hpp"

namespace herald {
namespace {

/// What becomes of a subreaper whose herald runs `life`, and exits with what that gives.
int exit_code_over(int (*life)()) {
  const auto subreaper = ::fork();
  if (subreaper == 0) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    const auto code = watch_over_herald(0, nullptr, nullptr);
    ::_exit(code ? *code : life());
  }
  int how = 0;
  ::waitpid(subreaper, &how, 0);
  return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

/// Waits for a signal, and gives its number.
int next_signal() {
  sigset_t all;
  sigfillset(&all);
  int number = 0;
  sigwait(&all, &number);
  return number;
}

TEST(FirstProcess, IsNotNeededWhereNoOrphanFallsToHerald) {
  EXPECT_EQ(watch_over_herald(0, nullptr, nullptr), std::nullopt);
}

TEST(FirstProcess, EndsAsHeraldDoes) {
  EXPECT_EQ(exit_code_over([] { return 7; }), 7);
  EXPECT_EQ(exit_code_over([] { return ::raise(SIGKILL); }), 128 + SIGKILL);
}

TEST(FirstProcess, PassesSignalsOn) {
  EXPECT_EQ(
    exit_code_over([] {
      sigset_t all;
      sigfillset(&all);
      sigprocmask(SIG_SETMASK, &all, nullptr);
      ::kill(::getppid(), SIGHUP);
      return next_signal();
    }),
    SIGHUP);
}

/// The number of a process that has lost its parent, and ends at once.
pid_t make_orphan() {
  int ends[2];
  if (::pipe(ends) != 0)
    return -1;
  const auto parent = ::fork();
  if (parent == 0) {
    const auto orphan = ::fork();
    if (orphan != 0) [[maybe_unused]]
      const auto told = ::write(ends[1], &orphan, sizeof orphan);
    ::_exit(0);
  }
  ::waitpid(parent, nullptr, 0);
  pid_t orphan = -1;
  [[maybe_unused]] const auto heard = ::read(ends[0], &orphan, sizeof orphan);
  return orphan;
}

TEST(FirstProcess, ReapsWhatFallsToIt) {
  EXPECT_EQ(
    exit_code_over([] {
      const auto orphan = make_orphan();
      // What is not reaped can be signalled still.
      return testing::eventually([&] { return ::kill(orphan, 0) != 0; }) ? 0 : 1;
    }),
    0);
}

} // namespace
} // namespace herald
