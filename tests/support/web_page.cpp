#include "tests/support/web_page.hpp"

#include <mutex>

#include "tests/support/loopback_server.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald::testing {

struct web_page::inside {
  mutable std::mutex mutex;
  std::vector<nlohmann::json> reports;
  loopback_server server;
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
  in.server.start();
}

web_page::~web_page() = default;

std::string web_page::url() const {
  return inside_->server.url("/");
}

std::vector<nlohmann::json> web_page::reports() const {
  const std::lock_guard lock{inside_->mutex};
  return inside_->reports;
}

} // namespace herald::testing
