#include "tests/support/child_program.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace herald::testing {

namespace {

/// Where a program is, as the shell would find it.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos)
    return name;
  const auto* path = std::getenv("PATH");
  // Debian keeps servers such as nginx in a place that is not in everybody's PATH.
  std::istringstream folders{std::string{path != nullptr ? path : ""} + ":/usr/sbin:/sbin"};
  for (std::string file; std::getline(folders, file, ':');)
    if (file.append("/").append(name); ::access(file.c_str(), X_OK) == 0)
      return file;
  return {};
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// In the child, until it is another program: only what is safe between fork and exec.
[[noreturn]] void become(
  const char* program, char* const* arguments, char* const* environment, const char* out,
  const char* error, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent)
    ::_exit(127);
  constexpr int writing = O_WRONLY | O_CREAT | O_APPEND;
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
  ::dup2(::open(out, writing, 0600), STDOUT_FILENO);
  ::dup2(::open(error, writing, 0600), STDERR_FILENO);
  for (int fd = STDERR_FILENO + 1; fd < 1024; ++fd)
    ::close(fd);
  ::execve(program, arguments, environment);
  ::_exit(127);
}

} // namespace

child_program::child_program(
  std::vector<std::string> arguments, std::vector<std::string> environment) {
  const auto program = find_program(arguments.at(0));
  if (program.empty() || ::access(program.c_str(), X_OK) != 0)
    throw std::system_error{ENOENT, std::generic_category(), arguments[0]};
  for (auto** variable = environ; *variable != nullptr; ++variable)
    if (!std::string_view{*variable}.starts_with("HERALD_"))
      environment.emplace_back(*variable);
  const auto argument_pointers = pointers_to(arguments);
  const auto environment_pointers = pointers_to(environment);
  const auto out = (folder_ / "stdout").string();
  const auto error = (folder_ / "stderr").string();
  const auto parent = ::getpid();
  // Children that it leaves behind become ours, to be reaped with it.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_ = ::fork();
  if (pid_ == 0)
    become(
      program.c_str(), argument_pointers.data(), environment_pointers.data(), out.c_str(),
      error.c_str(), parent);
  if (pid_ < 0)
    throw std::system_error{errno, std::generic_category(), "fork"};
  // Not by its name: the header of Debian 12 declares it for C only.
  handle_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  // The child does the same: whoever comes first, the group is there when it is needed.
  ::setpgid(pid_, pid_);
}

child_program::~child_program() {
  // The group may outlive the program: its children are ours to end, too.
  ::kill(-pid_, SIGKILL);
  wait();
  while (::waitpid(-pid_, nullptr, 0) > 0) {
  }
  ::close(handle_);
}

void child_program::signal(int number) const {
  if (!ended_)
    ::kill(pid_, number);
}

std::optional<exit_status> child_program::wait(std::chrono::milliseconds limit) {
  pollfd end{handle_, POLLIN, 0};
  if (ended_ || ::poll(&end, 1, static_cast<int>(limit.count())) <= 0)
    return ended_;
  int status = 0;
  if (::waitpid(pid_, &status, 0) == pid_)
    ended_ = WIFEXITED(status) ? exited(WEXITSTATUS(status)) : killed_by(WTERMSIG(status));
  return ended_;
}

finished_program
run_program(std::vector<std::string> arguments, std::vector<std::string> environment) {
  child_program program{std::move(arguments), std::move(environment)};
  const auto status = program.wait().value_or(exit_status{});
  return {status, program.standard_output(), program.standard_error()};
}

bool has_program(std::string_view name) {
  return !find_program(std::string{name}).empty();
}

} // namespace herald::testing
