#include "tests/support/version_server.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <httplib.h>

namespace herald::testing {

struct version_server::inside {
  std::mutex mutex;
  std::condition_variable changed;
  int status = 200;
  std::string body = "{}";
  bool held = false;
  httplib::Server server;
  int port = 0;
  std::thread thread;
};

version_server::version_server() : inside_(std::make_unique<inside>()) {
  auto& in = *inside_;
  in.server.Get("/version.json", [&in](const httplib::Request&, httplib::Response& answer) {
    std::unique_lock lock{in.mutex};
    in.changed.wait(lock, [&in] { return !in.held; });
    answer.status = in.status;
    answer.set_content(in.body, "application/json");
  });
  in.port = in.server.bind_to_any_port("127.0.0.1");
  in.thread = std::thread{[&in] {
    in.server.listen_after_bind();
  }};
  while (!in.server.is_running())
    std::this_thread::yield();
}

version_server::~version_server() {
  let_go();
  inside_->server.stop();
  inside_->thread.join();
}

std::string version_server::url() const {
  return "http://127.0.0.1:" + std::to_string(inside_->port) + "/version.json";
}

void version_server::answer_with(int status, std::string body) {
  const std::lock_guard lock{inside_->mutex};
  inside_->status = status;
  inside_->body = std::move(body);
}

void version_server::hold() {
  const std::lock_guard lock{inside_->mutex};
  inside_->held = true;
}

void version_server::let_go() {
  const std::lock_guard lock{inside_->mutex};
  inside_->held = false;
  inside_->changed.notify_all();
}

} // namespace herald::testing
