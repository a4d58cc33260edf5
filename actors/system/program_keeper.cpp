#include "actors/system/program_keeper.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/system/owned_fd.hpp"

namespace herald {

namespace {

constexpr const char* keeper_name = "herald-keeper";

/// Of herald's end.
constexpr int herald_gone_signal = SIGUSR1;

/// Between two looks at what would not end yet.
constexpr timespec pause{0, 10'000'000};

/// The command line, taken apart; its pointers are main's.
struct order {
  pid_t herald = 0;
  program_limits limits;
  std::vector<char*> programs;
  char** argv = nullptr;
};

order order_of(char** argv) {
  order read;
  // herald has written them.
  const auto next = [&argv] {
    return std::strtoull(*++argv, nullptr, 10);
  };
  read.herald = static_cast<pid_t>(next());
  read.limits = {next(), next(), next()};
  const auto count = next();
  for (std::size_t i = 0; i < count; ++i)
    read.programs.push_back(*++argv);
  read.programs.push_back(nullptr);
  read.argv = argv + 1;
  return read;
}

/// In the child: becomes the program.
[[noreturn]] void become(const order& what, pid_t keeper) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != keeper)
    ::_exit(127);
  bound_this_process(what.limits);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // As child_process.cpp reads it: the step, and the error.
  const std::array<int, 2> why{1, run_first_of(what.programs.data(), what.argv, environ)};
  [[maybe_unused]] const auto told = ::write(keeper_status_fd, why.data(), sizeof why);
  ::_exit(127);
}

/// Holds none of the program's streams open: who reads them would wait for the keeper.
void let_go_of_streams() {
  const owned_fd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    ::dup2(nothing.get(), standard);
  owned_fd{keeper_status_fd}.close();
}

/// Kills the children that there are now; what they leave behind falls to the keeper. False if the
/// kernel does not tell who they are.
bool kill_children() {
  const owned_fd list{::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC)};
  if (list.get() < 0)
    return false;
  std::array<char, 65536> text{};
  const auto size = ::read(list.get(), text.data(), text.size() - 1);
  std::string_view left{text.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
  while (!left.empty()) {
    if (const auto child = std::atol(left.data()); child > 0) // NOLINT: a zero ends the text
      ::kill(static_cast<pid_t>(child), SIGKILL);
    left.remove_prefix(std::min(left.find(' '), left.size() - 1) + 1);
  }
  return true;
}

/// Keeps a program, once it has been started.
class keeper {
public:
  explicit keeper(pid_t program) : program_(program) {}

  [[noreturn]] void keep(const sigset_t& all) {
    for (;;) {
      int signal = 0;
      if (::sigwait(&all, &signal) == 0)
        on_signal(signal);
      const bool left = reap();
      if (ended_ && (!left || !terminated_))
        end();
    }
  }

private:
  void on_signal(int signal) {
    if (signal == herald_gone_signal || signal == kill_all_signal) {
      signal_program(SIGKILL);
      end();
    }
    if (signal == SIGCHLD)
      return;
    terminated_ = terminated_ || signal == SIGTERM;
    signal_program(signal);
  }

  /// Once the program is reaped, somebody else may get its number.
  void signal_program(int signal) const {
    if (!ended_)
      ::kill(-program_, signal);
  }

  /// False if no child is left.
  bool reap() {
    for (;;) {
      int how = 0;
      const auto child = ::waitpid(-1, &how, WNOHANG);
      if (child == 0)
        return true;
      if (child < 0)
        return false;
      if (child != program_)
        continue;
      ended_ = true;
      how_ = how;
    }
  }

  /// Kills what is left, and ends as the program has.
  [[noreturn]] void end() {
    while (reap() && (kill_children() || !ended_))
      ::nanosleep(&pause, nullptr);
    if (WIFEXITED(how_))
      ::_exit(WEXITSTATUS(how_));
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    const int signal = WTERMSIG(how_);
    std::signal(signal, SIG_DFL);
    sigset_t one;
    ::sigemptyset(&one);
    ::sigaddset(&one, signal);
    ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
    ::kill(::getpid(), signal);
    ::_exit(128 + signal);
  }

  const pid_t program_;
  bool ended_ = false;
  bool terminated_ = false;
  int how_ = 0;
};

} // namespace

std::vector<std::string> keeper_arguments(
  pid_t herald, const program_limits& limits, const std::vector<std::string>& programs,
  const std::vector<std::string>& argv) {
  std::vector<std::string> all = {
    keeper_name,
    std::to_string(herald),
    std::to_string(limits.memory_bytes),
    std::to_string(limits.cpu_s),
    std::to_string(limits.file_bytes),
    std::to_string(programs.size())};
  all.insert(all.end(), programs.begin(), programs.end());
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

bool is_keeper(int argc, char** argv) {
  return argc > 6 && argv[0] == std::string_view{keeper_name};
}

void keep_program(int /*argc*/, char** argv) {
  const auto what = order_of(argv);
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::fcntl(keeper_status_fd, F_SETFD, FD_CLOEXEC);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_NAME, keeper_name);
  ::prctl(PR_SET_PDEATHSIG, herald_gone_signal);
  // herald may have gone before.
  if (::getppid() != what.herald)
    ::_exit(127);
  const auto self = ::getpid();
  const auto program = ::fork();
  if (program == 0)
    become(what, self);
  if (program < 0) {
    const std::array<int, 2> why{1, errno};
    [[maybe_unused]] const auto told = ::write(keeper_status_fd, why.data(), sizeof why);
    ::_exit(127);
  }
  ::setpgid(program, program); // both sides do: whoever comes first
  let_go_of_streams();
  keeper{program}.keep(all);
}

int run_first_of(char* const* programs, char* const* argv, char* const* environment) noexcept {
  int error = ENOENT;
  for (; *programs != nullptr; ++programs) {
    ::execve(*programs, argv, environment);
    if (errno != ENOENT && errno != ENOTDIR)
      error = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
      break;
  }
  return error;
}

void bound_this_process(const program_limits& limits) noexcept {
  const auto set = [](auto resource, rlim_t value) {
    const rlimit both{value, value};
    if (value != 0)
      ::setrlimit(resource, &both);
  };
  set(RLIMIT_AS, limits.memory_bytes);
  set(RLIMIT_CPU, limits.cpu_s);
  set(RLIMIT_FSIZE, limits.file_bytes);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

} // namespace herald
