#include "tests/support/callback_backend.hpp"

#include <mutex>
#include <thread>
#include <utility>

#include <httplib.h>
#include <sys/socket.h>

namespace herald::testing {

struct callback_backend::inside {
  explicit inside(verdict answer) : on_connect(std::move(answer)) {}

  verdict on_connect;
  mutable std::mutex mutex;
  std::vector<nlohmann::json> callbacks;
  httplib::Server server;
  int listener = -1;
  int port = 0;
  std::thread thread;
};

callback_backend::callback_backend(verdict on_connect)
  : inside_(std::make_unique<inside>(std::move(on_connect))) {
  auto& in = *inside_;
  // A thread for each connection that a gateway may keep, or some callbacks would never be read.
  in.server.new_task_queue = [] {
    return new httplib::ThreadPool{64};
  };
  in.server.Post("/callback", [&in](const httplib::Request& request, httplib::Response& answer) {
    const auto callback = nlohmann::json::parse(request.body, nullptr, false);
    {
      const std::lock_guard lock{in.mutex};
      in.callbacks.push_back(callback);
    }
    answer.status = callback["action"] == "connect" ? in.on_connect(callback) : 200;
    answer.set_content("{}", "application/json");
  });
  in.server.set_socket_options([&in](int listener) { in.listener = listener; });
  in.port = in.server.bind_to_any_port("127.0.0.1");
  in.thread = std::thread{[&in] {
    in.server.listen_after_bind();
  }};
  while (!in.server.is_running())
    std::this_thread::yield();
  // httplib asks for 5: of more that connect at once, some would try again for seconds.
  ::listen(in.listener, SOMAXCONN);
}

callback_backend::~callback_backend() {
  inside_->server.stop();
  inside_->thread.join();
}

std::string callback_backend::url() const {
  return "http://127.0.0.1:" + std::to_string(inside_->port) + "/callback";
}

std::vector<nlohmann::json> callback_backend::callbacks() const {
  const std::lock_guard lock{inside_->mutex};
  return inside_->callbacks;
}

} // namespace herald::testing
