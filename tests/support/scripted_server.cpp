#include "tests/support/scripted_server.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <sys/socket.h>
#include <sys/time.h>

#include "actors/system/owned_fd.hpp"

namespace herald::testing {

scripted_server::scripted_server(std::string request_end, std::vector<connection_script> scripts)
  : request_end_(std::move(request_end)),
    thread_([this, scripts = std::move(scripts)] {
      for (const auto& script : scripts)
        play(script);
    }) {}

void scripted_server::play(const connection_script& answers) {
  const owned_fd client{listener_.take()};
  const timeval patience{20, 0};
  ::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  for (const auto& answer : answers) {
    if (!read_request(client.get()))
      return;
    ++requests_;
    for (std::string_view rest = answer; !rest.empty();) {
      const auto sent = ::send(client.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    if (answer.empty())
      return;
  }
}

bool scripted_server::read_request(int fd) const {
  std::string got;
  while (!got.ends_with(request_end_)) {
    std::array<char, 4096> chunk{};
    const auto size = ::recv(fd, chunk.data(), chunk.size(), 0);
    if (size <= 0)
      return false;
    got.append(chunk.data(), static_cast<std::size_t>(size));
  }
  return true;
}

} // namespace herald::testing
