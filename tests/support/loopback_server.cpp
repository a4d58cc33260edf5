#include "tests/support/loopback_server.hpp"

#include <sys/socket.h>

namespace herald::testing {

void loopback_server::start(int port) {
  int listener = -1;
  set_socket_options([&listener](int descriptor) { listener = descriptor; });
  if (port == 0)
    port_ = bind_to_any_port("127.0.0.1");
  else if (bind_to_port("127.0.0.1", port))
    port_ = port;
  // httplib asks for 5: of more that connect at once, some would try again for seconds.
  ::listen(listener, SOMAXCONN);
  thread_ = std::thread{[this] {
    listen_after_bind();
  }};
  while (!is_running())
    std::this_thread::yield();
}

void loopback_server::end() {
  stop();
  if (thread_.joinable())
    thread_.join();
}

} // namespace herald::testing
