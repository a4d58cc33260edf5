// herald_answer: an httplib server whose handlers only answer, and know nothing: what herald's API
// is held against. Prints its port.

#include <cstdlib>
#include <iostream>

#include <httplib.h>

int main() {
  // A thread stays with its connection, so there are enough of them for all the bench opens.
  constexpr std::size_t threads = 128;
  httplib::Server server;
  server.new_task_queue = [] {
    return new httplib::ThreadPool(threads);
  };
  server.set_keep_alive_max_count(1'000'000'000);
  server.set_tcp_nodelay(true);
  server.Post(".*", [](const httplib::Request&, httplib::Response& response) {
    response.status = 202;
    response.set_content(R"({"id":1,"recipients":10})", "application/json");
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  if (port < 0)
    return EXIT_FAILURE;
  std::cout << port << std::endl;
  return server.listen_after_bind() ? EXIT_SUCCESS : EXIT_FAILURE;
}
