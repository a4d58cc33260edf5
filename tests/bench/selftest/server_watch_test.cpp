#include "tests/bench/swarm/server_watch.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/support/child_program.hpp"
#include "tests/support/eventually.hpp"

namespace herald::bench {
namespace {

TEST(ServerWatch, CountsCpuTimeExactly) {
  const server_watch watch{{::getpid()}};
  const auto before = watch.cpu();
  timespec used{};
  const auto spent = [&] {
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
  };
  const auto begin = spent();
  while (spent() < begin + 0.02) {
  }
  const auto after = watch.cpu();
  EXPECT_GE(after.server - before.server, 0.02);
  // It is the client as well here.
  EXPECT_NEAR(after.server - before.server, after.client - before.client, 0.005);
}

TEST(ServerWatch, KeepsThoseBesideApart) {
  const server_watch watch{{}, {::getpid()}};
  const auto cpu = watch.cpu();
  EXPECT_GT(cpu.beside, 0);
  EXPECT_EQ(cpu.server, 0);
}

/// Not of the test itself: it shares the pages of its program with other tests that run meanwhile,
/// which takes from its share.
TEST(ServerWatch, SeesMemory) {
  testing::child_program other{
    {"python3", "-uc",
     "import signal\n"
     "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
     "print('up')\n"
     "signal.sigwait([signal.SIGUSR1])\n"
     "more = b'x' * (64 << 20)\n"
     "print('more')\n"
     "signal.pause()"}};
  const auto says = [&](const std::string& text) {
    return testing::eventually([&] { return other.standard_output() == text; });
  };
  ASSERT_TRUE(says("up\n"));
  const server_watch watch{{other.pid()}};
  const auto before = watch.memory();
  other.signal(SIGUSR1);
  ASSERT_TRUE(says("up\nmore\n"));
  const auto after = watch.memory();
  EXPECT_GE(after.rss, before.rss + (60 << 10));
  EXPECT_GE(after.pss, before.pss + (60 << 10));
  EXPECT_GE(watch.rss(), before.rss + (60 << 10));
}

/// A shell with two children, a process group of its own. Says when they run.
class family {
public:
  family() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    parent_ = ::fork();
    if (parent_ == 0) {
      ::setpgid(0, 0);
      ::dup2(ends[1], STDOUT_FILENO);
      ::execl("/bin/sh", "sh", "-c", "sleep 60 & (sleep 60; :) & echo; wait", nullptr);
      ::_exit(1);
    }
    ::setpgid(parent_, parent_);
    ::close(ends[1]);
    char ready = 0;
    EXPECT_EQ(::read(ends[0], &ready, 1), 1);
    ::close(ends[0]);
  }
  family(const family&) = delete;
  family& operator=(const family&) = delete;
  ~family() {
    ::kill(-parent_, SIGKILL);
    ::waitpid(parent_, nullptr, 0);
  }
  [[nodiscard]] pid_t parent() const noexcept { return parent_; }

private:
  pid_t parent_ = 0;
};

TEST(ServerWatch, TakesInChildrenAndTheirChildren) {
  const family shell;
  server_watch watch{{shell.parent()}};
  EXPECT_EQ(watch.processes(), 1u);
  // The grandchild comes when it comes.
  for (int i = 0; i < 1000 && watch.processes() < 4; ++i) {
    watch.find_descendants();
    ::usleep(5000);
  }
  EXPECT_EQ(watch.processes(), 4u);
}

} // namespace
} // namespace herald::bench
