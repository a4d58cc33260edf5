#include "tests/support/version_server.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "tests/support/loopback_server.hpp"

namespace herald::testing {

struct version_server::inside {
  std::mutex mutex;
  std::condition_variable changed;
  int status = 200;
  std::string body = "{}";
  bool held = false;
  loopback_server server;
};

version_server::version_server() : inside_(std::make_unique<inside>()) {
  auto& in = *inside_;
  in.server.Get("/version.json", [&in](const httplib::Request&, httplib::Response& answer) {
    std::unique_lock lock{in.mutex};
    in.changed.wait(lock, [&in] { return !in.held; });
    answer.status = in.status;
    answer.set_content(in.body, "application/json");
  });
  in.server.start();
}

version_server::~version_server() {
  let_go();
}

std::string version_server::url() const {
  return inside_->server.url("/version.json");
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
