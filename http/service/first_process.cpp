#include "http/service/first_process.hpp"

#include <csignal>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/service/start_words.hpp"

namespace herald {

namespace {

bool orphans_fall_to_us() {
  int subreaper = 0;
  return ::getpid() == 1 || (::prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper != 0);
}

/// In the child. A process group of its own: a terminal's Ctrl-C goes to the whole group, and would
/// come a second time from the parent, which ends herald at once.
void leave_the_group(pid_t parent_group) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setpgid(0, 0);
  if (::tcgetpgrp(STDIN_FILENO) == parent_group)
    ::tcsetpgrp(STDIN_FILENO, ::getpid());
}

/// Reaps all that has ended; the exit code of the child if it is among it.
std::optional<int> reap(pid_t child) {
  std::optional<int> code;
  int how = 0;
  for (pid_t ended = 0; (ended = ::waitpid(-1, &how, WNOHANG)) > 0;)
    if (ended == child)
      code = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
  return code;
}

} // namespace

std::optional<int> watch_over_herald(int argc, char** argv, char** environment) {
  if (!orphans_fall_to_us())
    return std::nullopt;
  // To be waited for, and blocked in the child until it has left the group.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  // Ignored, it would not be heard, and the kernel would keep to itself how children end.
  std::signal(SIGCHLD, SIG_DFL);
  const auto group = ::getpgrp();
  const auto child = ::fork();
  if (child == 0)
    leave_the_group(group);
  // Where there is no process to be had, herald does without.
  if (child <= 0) {
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    return std::nullopt;
  }
  ::prctl(PR_SET_NAME, "herald-init");
  ::prctl(PR_SET_DUMPABLE, 0);
  start_words::hide_secrets(argc, argv, environment);
  for (;;) {
    int signal = 0;
    if (::sigwait(&all, &signal) != 0)
      continue;
    if (signal != SIGCHLD)
      ::kill(child, signal);
    else if (const auto code = reap(child))
      return code;
  }
}

} // namespace herald
