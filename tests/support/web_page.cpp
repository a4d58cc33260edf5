#include "tests/support/web_page.hpp"

#include <mutex>
#include <thread>

#include <httplib.h>

#include "tests/support/temporary_folder.hpp"

namespace herald::testing {

struct web_page::inside {
  mutable std::mutex mutex;
  std::vector<nlohmann::json> reports;
  httplib::Server server;
  int port = 0;
  std::thread thread;
};

web_page::web_page(const std::filesystem::path& file) : inside_(std::make_unique<inside>()) {
  auto& in = *inside_;
  in.server.Get("/", [html = text_of(file)](const httplib::Request&, httplib::Response& answer) {
    answer.set_content(html, "text/html; charset=utf-8");
  });
  in.server.Post("/report", [&in](const httplib::Request& request, httplib::Response&) {
    const std::lock_guard lock{in.mutex};
    in.reports.push_back(nlohmann::json::parse(request.body, nullptr, false));
  });
  in.port = in.server.bind_to_any_port("127.0.0.1");
  in.thread = std::thread{[&in] {
    in.server.listen_after_bind();
  }};
  while (!in.server.is_running())
    std::this_thread::yield();
}

web_page::~web_page() {
  inside_->server.stop();
  inside_->thread.join();
}

std::string web_page::url() const {
  return "http://127.0.0.1:" + std::to_string(inside_->port) + "/";
}

std::vector<nlohmann::json> web_page::reports() const {
  const std::lock_guard lock{inside_->mutex};
  return inside_->reports;
}

} // namespace herald::testing
