#include "tests/support/callback_backend.hpp"

#include <mutex>
#include <utility>

#include "tests/support/loopback_server.hpp"

namespace herald::testing {

struct callback_backend::inside {
  explicit inside(verdict answer) : on_connect(std::move(answer)) {}

  verdict on_connect;
  mutable std::mutex mutex;
  std::vector<nlohmann::json> callbacks;
  std::string body = "{}";
  loopback_server server;
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
    // One with 204 has no body; httplib would send it, as the begin of the next answer.
    if (answer.status == 204)
      return;
    const std::lock_guard lock{in.mutex};
    answer.set_content(in.body, "application/json");
  });
  in.server.start();
}

callback_backend::~callback_backend() = default;

std::string callback_backend::url() const {
  return inside_->server.url("/callback");
}

void callback_backend::answer_with(std::string body) {
  const std::lock_guard lock{inside_->mutex};
  inside_->body = std::move(body);
}

std::vector<nlohmann::json> callback_backend::callbacks() const {
  const std::lock_guard lock{inside_->mutex};
  return inside_->callbacks;
}

} // namespace herald::testing
