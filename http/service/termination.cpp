#include "http/service/termination.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace herald {

termination::termination() {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  // A peer that is gone is told by the return of the write.
  std::signal(SIGPIPE, SIG_IGN);
  // And so is a limit on the size of files.
  std::signal(SIGXFSZ, SIG_IGN);
  signals_ = owned_fd{signalfd(-1, &ending, SFD_CLOEXEC)};
  if (signals_.get() < 0)
    throw std::system_error(errno, std::generic_category(), "signalfd");
}

int termination::wait() {
  for (;;)
    if (const auto what = wait_until(std::chrono::steady_clock::now() + std::chrono::hours{1}))
      return *what;
}

std::optional<int> termination::wait_until(std::chrono::steady_clock::time_point deadline) {
  std::array<pollfd, 2> watched{{{signals_.get(), POLLIN, 0}, {requests_.get(), POLLIN, 0}}};
  for (;;) {
    const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      return std::nullopt;
    if (poll(watched.data(), watched.size(), static_cast<int>(left.count())) <= 0)
      continue;
    signalfd_siginfo signal{};
    if (watched[0].revents != 0 && read(signals_.get(), &signal, sizeof signal) == sizeof signal)
      return static_cast<int>(signal.ssi_signo);
    if (watched[1].revents != 0 && requests_.lower())
      return 0;
  }
}

void termination::request() {
  requests_.raise();
}

} // namespace herald
