#include "tests/support/free_port.hpp"

#include <random>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/loopback.hpp"

namespace herald::testing {

namespace {

bool is_free(std::uint16_t port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  const int bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::close(probe);
  return bound == 0;
}

} // namespace

std::uint16_t free_port() {
  std::random_device random;
  // Behind 10080, the last port that fetch and browsers refuse (Fetch standard, "bad port").
  std::uniform_int_distribution<std::uint16_t> some{10081, 32000};
  for (int attempts = 0; attempts < 1000; ++attempts)
    if (const auto port = some(random); is_free(port))
      return port;
  throw std::runtime_error{"no port is free"};
}

} // namespace herald::testing
