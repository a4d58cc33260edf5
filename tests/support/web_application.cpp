#include "tests/support/web_application.hpp"

#include <condition_variable>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "tests/support/http_client.hpp"
#include "tests/support/loopback_server.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/token_maker.hpp"

namespace herald::testing {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const std::string token_secret(32, 's');

std::int64_t seconds_from_now(std::chrono::seconds time) {
  using namespace std::chrono;
  return duration_cast<seconds>((system_clock::now() + time).time_since_epoch()).count();
}

/// The block of code of this name; nothing if there is none.
std::string script_of_document(const std::string& name) {
  const auto document = text_of(HERALD_SOURCE_DIR "/deploy/FRONTEND.md");
  const auto begin = document.find("```js\n// " + name + "\n");
  if (begin == std::string::npos)
    return {};
  const auto code = begin + std::string_view{"```js\n"}.size();
  return document.substr(code, document.find("\n```\n", code) + 1 - code);
}

} // namespace

struct web_application::inside {
  explicit inside(std::uint16_t port) : api_port(port) {}

  /// A credential may be given, and is good for so long; nothing where the user is signed out.
  std::optional<std::chrono::seconds> good_for() {
    std::unique_lock lock{mutex};
    ++asked;
    changed.wait(lock, [this] { return !held; });
    return signed_in ? std::optional{time} : std::nullopt;
  }

  std::string token(std::chrono::seconds good) const {
    return signing_key::secret(token_secret)
      .token(
        {{"iss", "https://app.example"},
         {"aud", "herald"},
         {"sub", "ann"},
         {"iat", seconds_from_now(0s)},
         {"exp", seconds_from_now(good)}});
  }

  void give_ticket(const httplib::Request& request, httplib::Response& answer) {
    const auto good = good_for();
    if (!good) {
      answer.status = 401;
      return;
    }
    const json order{{"subject", "ann"}, {"request_id", request.body}, {"ttl_s", good->count()}};
    const auto reply = http_client{api_port}.post("/api/tickets", order.dump());
    answer.status = reply.status == 201 ? 200 : 502;
    answer.set_content(reply.body, "application/json");
  }
  void give_cookie(httplib::Response& answer) {
    const auto good = good_for();
    answer.status = good ? 204 : 401;
    const std::lock_guard lock{mutex};
    if (good)
      answer.set_header("Set-Cookie", "__Secure-herald=" + token(*good) + "; " + attributes);
  }
  void give_token(httplib::Response& answer) {
    if (const auto good = good_for())
      answer.set_content(token(*good), "text/plain");
  }

  const std::uint16_t api_port;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::chrono::seconds time = 1h;
  std::string attributes = "Path=/; HttpOnly; Secure; SameSite=Lax";
  bool held = false;
  bool signed_in = true;
  std::size_t asked = 0;
  std::map<std::string, std::vector<json>> reports;
  loopback_server server;
};

web_application::web_application(const std::filesystem::path& page, std::uint16_t api_port)
  : inside_(std::make_unique<inside>(api_port)) {
  auto& in = *inside_;
  in.server.Get("/", [html = text_of(page)](const httplib::Request&, httplib::Response& answer) {
    answer.set_content(html, "text/html; charset=utf-8");
  });
  in.server.Get(R"(/(\w+\.js))", [](const httplib::Request& request, httplib::Response& answer) {
    answer.set_content(script_of_document(request.matches[1]), "text/javascript");
  });
  in.server.Post("/my-backend/stream-ticket", [&in](const auto& request, auto& answer) {
    in.give_ticket(request, answer);
  });
  in.server.Post(
    "/my-backend/session", [&in](const auto&, auto& answer) { in.give_cookie(answer); });
  in.server.Post("/my-backend/token", [&in](const auto&, auto& answer) { in.give_token(answer); });
  in.server.Post("/report", [&in](const httplib::Request& request, httplib::Response&) {
    auto one = json::parse(request.body);
    const std::lock_guard lock{in.mutex};
    in.reports[one["type"]].push_back(std::move(one));
  });
  in.server.start();
}

web_application::~web_application() {
  let_go();
}

std::uint16_t web_application::port() const noexcept {
  return inside_->server.port();
}

void web_application::give_for(std::chrono::seconds time) {
  const std::lock_guard lock{inside_->mutex};
  inside_->time = time;
}

void web_application::set_cookies_with(std::string attributes) {
  const std::lock_guard lock{inside_->mutex};
  inside_->attributes = std::move(attributes);
}

void web_application::hold() {
  const std::lock_guard lock{inside_->mutex};
  inside_->held = true;
}

void web_application::let_go() {
  const std::lock_guard lock{inside_->mutex};
  inside_->held = false;
  inside_->changed.notify_all();
}

void web_application::sign_out() {
  const std::lock_guard lock{inside_->mutex};
  inside_->signed_in = false;
}

std::size_t web_application::asked() const {
  const std::lock_guard lock{inside_->mutex};
  return inside_->asked;
}

std::vector<json> web_application::seen(const std::string& type) const {
  const std::lock_guard lock{inside_->mutex};
  const auto found = inside_->reports.find(type);
  return found == inside_->reports.end() ? std::vector<json>{} : found->second;
}

std::size_t web_application::count(const std::string& type) const {
  const std::lock_guard lock{inside_->mutex};
  const auto found = inside_->reports.find(type);
  return found == inside_->reports.end() ? 0 : found->second.size();
}

std::vector<std::string> web_application::settings(const std::filesystem::path& folder) {
  const auto file = folder / "secret";
  std::ofstream{file} << token_secret;
  return {"--auth-secret-file",  file.string(),     "--auth-issuer",
          "https://app.example", "--auth-audience", "herald"};
}

} // namespace herald::testing
