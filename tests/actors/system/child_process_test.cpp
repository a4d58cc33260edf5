#include "actors/system/child_process.hpp"

#include <array>
#include <csignal>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "messages/errors.hpp"
#include "tests/support/few_descriptors.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald {
namespace {

using testing::eventually;
using testing::has_children;
using testing::is_gone;

child_command program(std::vector<std::string> argv) {
  return {std::move(argv), "", {{"PATH", "/usr/bin:/bin"}}};
}

child_command shell(const char* script) {
  return program({"/bin/sh", "-c", script});
}

void wait_for(const owned_fd& fd, short what) {
  pollfd polled{fd.get(), what, 0};
  EXPECT_EQ(::poll(&polled, 1, 30'000), 1) << "nothing happens";
}

/// Reads to the end of a stream.
std::string all_of(const owned_fd& fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    wait_for(fd, POLLIN);
    const auto size = ::read(fd.get(), buffer.data(), buffer.size());
    if (size <= 0)
      return text;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

/// Reads a line that is a process number.
pid_t read_pid(const owned_fd& fd) {
  std::string text;
  char c = 0;
  for (;;) {
    wait_for(fd, POLLIN);
    if (::read(fd.get(), &c, 1) != 1 || c == '\n')
      return std::stoi(text);
    text += c;
  }
}

child_exit end_of(child_process& child) {
  wait_for(child.exited, POLLIN);
  auto how = child.finish();
  EXPECT_TRUE(eventually([&] { return child.reap(); }));
  return how;
}

struct outcome {
  std::string output;
  std::string errors;
  child_exit how;
};

/// Runs a program from its start to its end.
outcome run(const child_command& command, const std::string& input = {}) {
  auto child = child_process::start(command);
  if (!child) {
    ADD_FAILURE() << describe(child.error()).detail;
    return {};
  }
  if (!input.empty()) {
    EXPECT_EQ(
      ::write(child->input.get(), input.data(), input.size()), static_cast<ssize_t>(input.size()));
  }
  child->input.close();
  outcome result;
  result.output = all_of(child->output);
  result.errors = all_of(child->errors);
  result.how = end_of(*child);
  return result;
}

TEST(ChildProcess, ConnectsTheStandardStreams) {
  const auto ran = run(shell("cat; echo trouble >&2; exit 3"), "in and out");
  EXPECT_EQ(ran.output, "in and out");
  EXPECT_EQ(ran.errors, "trouble\n");
  EXPECT_EQ(ran.how.error, "");
  EXPECT_EQ(ran.how.code, 3);
  EXPECT_FALSE(ran.how.by_signal);
  EXPECT_FALSE(has_children());
}

TEST(ChildProcess, TellsTheSignalThatEndedIt) {
  const auto ran = run(shell("kill -SEGV $$"));
  EXPECT_TRUE(ran.how.by_signal);
  EXPECT_EQ(ran.how.code, SIGSEGV);
}

TEST(ChildProcess, FindsProgramsInThePathOfTheChild) {
  auto command = program({"sh", "-c", "echo $PATH"});
  command.env["PATH"] = "/nowhere:/usr/bin:/bin";
  EXPECT_EQ(run(command).output, "/nowhere:/usr/bin:/bin\n");
  command.env["PATH"] = "/nowhere";
  EXPECT_EQ(run(command).how.error, "cannot start the program: No such file or directory");
  command.env.clear();
  EXPECT_EQ(run(command).how.error, "cannot start the program: No such file or directory");
}

TEST(ChildProcess, SaysWhyAProgramCannotBeStarted) {
  const auto why = [](std::vector<std::string> argv) {
    return run(program(std::move(argv))).how.error;
  };
  EXPECT_EQ(why({"/nowhere/program"}), "cannot start the program: No such file or directory");
  EXPECT_EQ(why({"/etc/passwd"}), "cannot start the program: Permission denied");
  EXPECT_EQ(why({"/usr"}), "cannot start the program: Permission denied");
  auto command = program({"passwd"});
  command.env["PATH"] = "/etc:/nowhere";
  EXPECT_EQ(run(command).how.error, "cannot start the program: Permission denied")
    << "tells of the one that is there";
}

TEST(ChildProcess, FindsAProgramBehindAFolderWhereItMayNotBeRun) {
  const testing::temporary_folder dir;
  std::ofstream{dir / "sh"} << "not to be run";
  auto command = program({"sh", "-c", "echo found"});
  command.env["PATH"] = dir.path().string() + ":/usr/bin:/bin";
  EXPECT_EQ(run(command).output, "found\n");
}

TEST(ChildProcess, RunsInItsWorkingDirectory) {
  auto command = shell("pwd");
  command.cwd = "/usr/lib";
  EXPECT_EQ(run(command).output, "/usr/lib\n");
  command.cwd = "/nowhere";
  EXPECT_EQ(
    run(command).how.error, "cannot enter its working directory: No such file or directory");
}

TEST(ChildProcess, HasTheEnvironmentThatItIsGivenAndNoOther) {
  ::setenv("HERALD_CALLBACK_SECRET", "hunter2", 1);
  auto command = program({"/usr/bin/env"});
  command.env = {{"A", "1"}, {"B", "two words"}, {"EMPTY", ""}};
  EXPECT_EQ(run(command).output, "A=1\nB=two words\nEMPTY=\n");
  ::unsetenv("HERALD_CALLBACK_SECRET");
}

TEST(ChildProcess, InheritsNoDescriptor) {
  // Without close-on-exec, as a library might open them; also above the usual limit's half.
  std::vector<owned_fd> open;
  open.reserve(21);
  for (int i = 0; i < 20; ++i)
    open.emplace_back(::open("/dev/null", O_RDONLY));
  open.emplace_back(::fcntl(open.front().get(), F_DUPFD, 700));
  EXPECT_EQ(run(program({"/bin/ls", "/proc/self/fd"})).output, "0\n1\n2\n3\n")
    << "3 is the directory that ls reads";
}

TEST(ChildProcess, InheritsNoBlockedOrIgnoredSignal) {
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGCHLD})
    ::sigaddset(&blocked, number);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  auto* const pipe_before = ::signal(SIGPIPE, SIG_IGN);
  auto* const hangup_before = ::signal(SIGHUP, SIG_IGN);
  const auto ran = run(program({"/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"}));
  ::signal(SIGPIPE, pipe_before);
  ::signal(SIGHUP, hangup_before);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(ran.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(ChildProcess, StartsWithTheUsualLimitOfDescriptors) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  auto raised = before;
  raised.rlim_cur = raised.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &raised), 0);
  const auto ran = run(shell("ulimit -S -n; ulimit -S -n $(ulimit -H -n) && echo may raise it"));
  ::setrlimit(RLIMIT_NOFILE, &before);
  const auto usual = std::to_string(std::min<rlim_t>(1024, before.rlim_max));
  EXPECT_EQ(ran.output, usual + "\nmay raise it\n");
}

/// Takes the standard streams from this process for a while, as a daemon is started without them.
class no_standard_streams {
public:
  no_standard_streams() {
    for (int fd = 0; fd < 3; ++fd) {
      saved_.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 100));
      ::close(fd);
    }
  }
  no_standard_streams(const no_standard_streams&) = delete;
  no_standard_streams& operator=(const no_standard_streams&) = delete;
  ~no_standard_streams() {
    for (int fd = 0; fd < 3; ++fd)
      ::dup2(saved_[static_cast<std::size_t>(fd)].get(), fd);
  }

private:
  std::vector<owned_fd> saved_;
};

TEST(ChildProcess, ConnectsTheStandardStreamsWhereHeraldHasNone) {
  std::optional<outcome> ran;
  {
    const no_standard_streams none;
    ran = run(shell("cat; echo trouble >&2; ls /proc/self/fd"), "in\n");
  }
  EXPECT_EQ(ran->output, "in\n0\n1\n2\n3\n");
  EXPECT_EQ(ran->errors, "trouble\n");
}

TEST(ChildProcess, LeadsAGroupOfItsOwn) {
  const auto ran = run(shell("ps -o pgid= -p $$; echo $$"));
  EXPECT_EQ(std::stoi(ran.output), std::stoi(ran.output.substr(ran.output.find('\n'))));
}

TEST(ChildProcess, TakesTheRestOfItsGroupWithIt) {
  auto child = child_process::start(shell("sleep 1000 & echo $!; sh -c 'sleep 1000 & echo $!'"));
  ASSERT_TRUE(child);
  const auto first = read_pid(child->output);
  const auto second = read_pid(child->output);
  EXPECT_FALSE(is_gone(first));
  EXPECT_FALSE(is_gone(second));
  const auto how = end_of(*child);
  EXPECT_EQ(how.code, 0);
  EXPECT_TRUE(eventually([&] { return is_gone(first) && is_gone(second); }));
}

TEST(ChildProcess, SignalsTheWholeGroup) {
  auto child = child_process::start(shell("sleep 1000 & echo $!; wait"));
  ASSERT_TRUE(child);
  const auto grandchild = read_pid(child->output);
  child->signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return is_gone(grandchild); }));
  const auto how = end_of(*child);
  EXPECT_TRUE(how.by_signal);
  EXPECT_EQ(how.code, SIGTERM);
  child->signal(SIGTERM); // reaped: whoever has its number now is left alone
}

TEST(ChildProcess, IsKilledWithItsGroupWhenItIsLetGo) {
  pid_t itself = 0;
  pid_t grandchild = 0;
  {
    auto child = child_process::start(shell("trap '' TERM; sleep 1000 & echo $!; wait"));
    ASSERT_TRUE(child);
    itself = child->pid();
    grandchild = read_pid(child->output);
    const child_process moved{std::move(*child)};
    EXPECT_EQ(moved.pid(), itself);
  }
  EXPECT_TRUE(is_gone(itself));
  EXPECT_FALSE(has_children()) << "reaped, not only dead";
  EXPECT_TRUE(eventually([&] { return is_gone(grandchild); }));
}

TEST(ChildProcess, DiesWithTheThreadThatStartedIt) {
  std::optional<child_process> child;
  std::thread{[&] {
    auto started = child_process::start(shell("echo $$; exec sleep 1000"));
    ASSERT_TRUE(started);
    read_pid(started->output);
    child.emplace(std::move(*started));
  }}.join();
  ASSERT_TRUE(child);
  const auto how = end_of(*child);
  EXPECT_TRUE(how.by_signal);
  EXPECT_EQ(how.code, SIGKILL);
}

TEST(ChildProcess, FailsWhereThereAreNoDescriptors) {
  const auto before = testing::open_descriptors();
  for (rlim_t spare = 0; spare < 8; ++spare) {
    const auto child = [&] {
      const testing::few_descriptors few{spare};
      return child_process::start(program({"/bin/true"}));
    }();
    ASSERT_FALSE(child) << spare;
    EXPECT_EQ(describe(child.error()).code, ec::internal);
    EXPECT_EQ(
      describe(child.error()).detail, "cannot open pipes to the program: Too many open files");
  }
  EXPECT_EQ(testing::open_descriptors(), before);
  EXPECT_FALSE(has_children());
}

TEST(ChildProcess, KeepsNoDescriptorOpen) {
  const auto before = testing::open_descriptors();
  for (int i = 0; i < 10; ++i)
    run(shell("exit 1"));
  EXPECT_EQ(testing::open_descriptors(), before);
  EXPECT_FALSE(has_children());
}

} // namespace
} // namespace herald
