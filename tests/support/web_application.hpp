#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace herald::testing {

/// A web application whose user, ann, is signed in: a page, the scripts of deploy/FRONTEND.md, and
/// the backend that those ask for credentials.
class web_application {
public:
  /// The page is at `/`, its scripts are at `/NAME.js`: the blocks of FRONTEND.md that begin with
  /// `// NAME.js`. Tickets come from the herald with this API port.
  web_application(const std::filesystem::path& page, std::uint16_t api_port);
  web_application(const web_application&) = delete;
  web_application& operator=(const web_application&) = delete;
  ~web_application();

  [[nodiscard]] std::uint16_t port() const noexcept;

  /// How long credentials are good that it gives from now on.
  void give_for(std::chrono::seconds time);
  /// What its cookie says beside the token.
  void set_cookies_with(std::string attributes);
  /// From now on nobody gets a credential until `let_go`.
  void hold();
  void let_go();
  /// From now on the user is signed out.
  void sign_out();
  /// Credentials that were asked for.
  [[nodiscard]] std::size_t asked() const;

  /// What the page has reported of one type, in its order.
  [[nodiscard]] std::vector<nlohmann::json> seen(const std::string& type) const;
  [[nodiscard]] std::size_t count(const std::string& type) const;

  /// Settings of a herald for which its tokens are good, but for the mode. `folder` takes a file.
  [[nodiscard]] static std::vector<std::string> settings(const std::filesystem::path& folder);

private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

} // namespace herald::testing
