#include "http/service/termination.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "actors/telemetry/log.hpp"

namespace herald {

namespace {

/// How long a last line may take.
constexpr std::chrono::milliseconds last_word{100};

} // namespace

termination::termination() {
  sigset_t heard;
  sigemptyset(&heard);
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM})
    sigaddset(&heard, signal);
  pthread_sigmask(SIG_BLOCK, &heard, nullptr);
  // A peer that is gone is told by the return of the write.
  std::signal(SIGPIPE, SIG_IGN);
  // And so is a limit on the size of files.
  std::signal(SIGXFSZ, SIG_IGN);
  signals_ = owned_fd{signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (signals_.get() < 0)
    throw std::system_error(errno, std::generic_category(), "signalfd");
  listener_ = std::thread{[this] {
    listen();
  }};
}

termination::~termination() {
  closing_.raise();
  listener_.join();
}

int termination::wait() {
  for (;;)
    if (const auto what = wait_until(std::chrono::steady_clock::now() + std::chrono::hours{1}))
      return *what;
}

std::optional<int> termination::wait_until(std::chrono::steady_clock::time_point deadline) {
  pollfd request{requests_.get(), POLLIN, 0};
  for (;;) {
    const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      return std::nullopt;
    if (poll(&request, 1, static_cast<int>(left.count())) <= 0 || !requests_.lower())
      continue;
    if (ending_)
      return signal_.exchange(0);
    return SIGHUP;
  }
}

void termination::request() {
  ending_ = true;
  requests_.raise();
}

void termination::listen() {
  std::array<pollfd, 2> watched{{{signals_.get(), POLLIN, 0}, {closing_.get(), POLLIN, 0}}};
  while (watched[1].revents == 0) {
    signalfd_siginfo signal{};
    if (
      poll(watched.data(), watched.size(), -1) > 0
      && read(signals_.get(), &signal, sizeof signal) == sizeof signal)
      take(static_cast<int>(signal.ssi_signo));
  }
}

void termination::take(int signal) {
  if (signal == SIGHUP) {
    requests_.raise();
    return;
  }
  if (signal == SIGUSR1 || signal == SIGUSR2 || signal == SIGALRM) {
    const auto* why = signal == SIGUSR1 ? "nothing to reopen: the log goes to standard error"
                                        : "it has no meaning here";
    log::info("herald", "signal_ignored", {{"signal", signal}, {"reason", why}});
    return;
  }
  if (!ending_.exchange(true)) {
    signal_ = signal;
    requests_.raise();
    return;
  }
  log::warning("herald", "ended_by_second_signal", {{"signal", signal}});
  static_cast<void>(log::drain(last_word));
  _exit(128 + signal);
}

} // namespace herald
