#include "tests/support/bare_listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/support/loopback.hpp"

namespace herald::testing {

bare_listener::bare_listener() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
  auto address = loopback(0);
  EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(fd_, SOMAXCONN), 0);
  socklen_t size = sizeof address;
  ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
}

int bare_listener::take() const {
  return ::accept(fd_, nullptr, nullptr);
}

void bare_listener::close() {
  if (fd_ >= 0)
    ::close(release());
}

} // namespace herald::testing
