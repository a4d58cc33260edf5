#include "actors/system/child_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <system_error>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/system/program_keeper.hpp"
#include "messages/errors.hpp"

namespace herald {

namespace {

/// The failure of the child before the program ran.
struct start_failure {
  enum class step : int { directory, program };
  step where = step::program;
  int error = 0;
};

struct pipe_ends {
  owned_fd read;
  owned_fd write;
};

bool open_pipe(pipe_ends& ends) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0)
    return false;
  ends.read = owned_fd{fds[0]};
  ends.write = owned_fd{fds[1]};
  return true;
}

bool set_non_blocking(const owned_fd& fd) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  return flags >= 0 && ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) == 0;
}

std::string text_of(int error) {
  return std::generic_category().message(error);
}

caf::error cannot(const char* what) {
  return fail(ec::internal, std::string{"cannot "} + what + ": " + text_of(errno));
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Every path that the program may have, in the order of the PATH that it will see.
std::vector<std::string> candidates(const child_command& command) {
  const auto& program = command.argv.front();
  if (program.find('/') != std::string::npos)
    return {program};
  std::vector<std::string> result;
  const auto path = command.env.find("PATH");
  if (path == command.env.end())
    return result;
  std::size_t start = 0;
  while (start <= path->second.size()) {
    const auto end = std::min(path->second.find(':', start), path->second.size());
    const auto folder = path->second.substr(start, end - start);
    result.push_back((folder.empty() ? "." : folder) + "/" + program);
    start = end + 1;
  }
  return result;
}

/// All that the child needs, made before the fork: after it only async-signal-safe calls are
/// allowed, for other threads may have held any lock.
struct launch_plan {
  std::vector<std::string> argv_texts;
  std::vector<std::string> env_texts;
  std::vector<std::string> programs;
  /// The same for `run_first_of`.
  std::vector<char*> program_paths;
  std::vector<char*> argv;
  std::vector<char*> env;
  const char* cwd = nullptr;
  bool kept = false;
  program_limits limits;
  pid_t parent = 0;
  int highest_fd = 1024;
  pipe_ends input;
  pipe_ends output;
  pipe_ends errors;
  pipe_ends status;
};

[[noreturn]] void give_up(int status_fd, start_failure::step where, int error) noexcept {
  const start_failure what{where, error};
  [[maybe_unused]] const auto written = ::write(status_fd, &what, sizeof what);
  ::_exit(127);
}

/// herald raises its own limit as far as it may. Programs expect the usual one, and those that go
/// through all possible descriptors take long with another; they may raise it themselves.
void limit_descriptors() noexcept {
  constexpr rlim_t usual = 1024;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= usual)
    return;
  limit.rlim_cur = usual;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Keeps descriptors from the program that is about to run.
void close_from(int first, int highest) noexcept {
  if (::syscall(SYS_close_range, first, ~0U, 0) == 0)
    return;
  // Linux before 5.9, or a container that forbids the call.
  for (int fd = first; fd < highest; ++fd)
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/// In the child: lets go of herald and becomes the program.
[[noreturn]] void become(const launch_plan& plan) noexcept {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent)
    ::_exit(127); // herald died before it was asked to take us with it

  // Out of the way first: herald may have been started without standard streams, and then its pipes
  // have the very numbers they are to be put on.
  constexpr int status_fd = keeper_status_fd;
  const int in = ::fcntl(plan.input.read.get(), F_DUPFD, 10);
  const int out = ::fcntl(plan.output.write.get(), F_DUPFD, 10);
  const int err = ::fcntl(plan.errors.write.get(), F_DUPFD, 10);
  const int status = ::fcntl(plan.status.write.get(), F_DUPFD, 10);
  if (
    ::dup2(in, STDIN_FILENO) < 0 || ::dup2(out, STDOUT_FILENO) < 0 || ::dup2(err, STDERR_FILENO) < 0
    || ::dup2(status, status_fd) < 0)
    ::_exit(127);
  ::fcntl(status_fd, F_SETFD, FD_CLOEXEC);
  close_from(status_fd + 1, plan.highest_fd);
  limit_descriptors();

  if (plan.cwd != nullptr && ::chdir(plan.cwd) != 0)
    give_up(status_fd, start_failure::step::directory, errno);

  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);

  if (plan.kept)
    ::fcntl(status_fd, F_SETFD, 0); // for the keeper
  else
    bound_this_process(plan.limits);
  const int error = run_first_of(plan.program_paths.data(), plan.argv.data(), plan.env.data());
  give_up(status_fd, start_failure::step::program, error);
}

/// Forks with all signals blocked, so that no handler of herald's runs in the child.
pid_t fork_quietly(const launch_plan& plan) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0)
    become(plan);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

std::string describe_start(const start_failure& what) {
  const bool directory = what.where == start_failure::step::directory;
  return std::string{
           directory ? "cannot enter its working directory: " : "cannot start the program: "}
         + text_of(what.error);
}

} // namespace

caf::expected<child_process> child_process::start(const child_command& command) {
  launch_plan plan;
  plan.argv_texts = command.argv;
  for (const auto& [name, value] : command.env)
    plan.env_texts.emplace_back(name).append("=").append(value);
  plan.programs = candidates(command);
  plan.kept = !command.keeper.empty();
  plan.limits = command.limits;
  if (plan.kept) {
    plan.argv_texts = keeper_arguments(::getpid(), command.limits, plan.programs, command.argv);
    plan.programs = {command.keeper};
  }
  plan.program_paths = pointers_to(plan.programs);
  plan.argv = pointers_to(plan.argv_texts);
  plan.env = pointers_to(plan.env_texts);
  plan.cwd = command.cwd.empty() ? nullptr : command.cwd.c_str();
  plan.parent = ::getpid();
  if (rlimit limit{}; ::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    plan.highest_fd = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 1'000'000));
  if (
    !open_pipe(plan.input) || !open_pipe(plan.output) || !open_pipe(plan.errors)
    || !open_pipe(plan.status))
    return cannot("open pipes to the program");
  if (
    !set_non_blocking(plan.input.write) || !set_non_blocking(plan.output.read)
    || !set_non_blocking(plan.errors.read) || !set_non_blocking(plan.status.read))
    return cannot("set up pipes to the program");

  child_process child;
  child.kept_ = plan.kept;
  child.pid_ = fork_quietly(plan);
  if (child.pid_ < 0)
    return cannot("start a process");
  ::setpgid(child.pid_, child.pid_); // both sides do: whoever comes first
  child.exited = owned_fd{static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0))};
  if (child.exited.get() < 0)
    return cannot("watch the process");
  child.input = std::move(plan.input.write);
  child.output = std::move(plan.output.read);
  child.errors = std::move(plan.errors.read);
  child.start_errors_ = std::move(plan.status.read);
  return child;
}

child_process::child_process(child_process&& other) noexcept
  : input(std::move(other.input)),
    output(std::move(other.output)),
    errors(std::move(other.errors)),
    exited(std::move(other.exited)),
    pid_(std::exchange(other.pid_, -1)),
    reaped_(other.reaped_),
    kept_(other.kept_),
    start_errors_(std::move(other.start_errors_)) {}

child_process::~child_process() {
  if (pid_ <= 0)
    return;
  signal(SIGKILL);
  // Death is a matter of microseconds, unless the child hangs in the kernel: then it is left to
  // whoever inherits it.
  for (int i = 0; i < 1000 && !reap(); ++i) {
    const timespec millisecond{0, 1'000'000};
    ::nanosleep(&millisecond, nullptr);
  }
}

void child_process::signal(int number) const noexcept {
  if (pid_ <= 0 || reaped_)
    return;
  if (kept_)
    ::kill(pid_, number == SIGKILL ? kill_all_signal : number);
  else if (::kill(-pid_, number) != 0)
    ::kill(pid_, number);
}

child_exit child_process::finish() {
  child_exit result;
  siginfo_t info{};
  // Not reaped yet: while the child is a zombie, no other group can get its number.
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0)
    result.error = "cannot tell how the program ended: " + text_of(errno);
  signal(SIGKILL);
  result.code = info.si_status;
  result.by_signal = info.si_code != CLD_EXITED;
  start_failure why;
  if (::read(start_errors_.get(), &why, sizeof why) == static_cast<ssize_t>(sizeof why))
    result.error = describe_start(why);
  start_errors_.close();
  return result;
}

bool child_process::reap() {
  if (pid_ <= 0)
    return true;
  if (!reaped_) {
    const auto ended = ::waitpid(pid_, nullptr, WNOHANG);
    if (ended == 0)
      return false;
    reaped_ = true;
  }
  // By group: where herald is what orphans fall to (process 1), the child's children are ours too.
  // The number of a group is not given out again while it has members.
  pid_t ended = 0;
  do
    ended = ::waitpid(-pid_, nullptr, WNOHANG);
  while (ended > 0);
  if (ended == 0)
    return false;
  pid_ = -1;
  return true;
}

} // namespace herald
