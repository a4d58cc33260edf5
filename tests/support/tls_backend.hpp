#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/child_program.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald::testing {

/// A backend over TLS (tls_backend.py) with a certificate for 127.0.0.1 that was made
/// just now, and that nobody trusts who is not told to.
class tls_backend {
public:
  /// Throws where python3 or openssl is missing.
  tls_backend();

  /// Of a path that begins with a slash.
  [[nodiscard]] std::string
  url(const std::string& path, const std::string& host = "127.0.0.1") const {
    return "https://" + host + ":" + std::to_string(port_) + path;
  }
  /// The authority by which its certificate is good.
  [[nodiscard]] std::string ca_file() const { return (files_ / "certificate.pem").string(); }
  /// All requests that have come: `method`, `path`, `body`, `type`, `peer`, the client's port, and
  /// `webhook`, headers of that name.
  [[nodiscard]] std::vector<nlohmann::json> requests() const;

private:
  [[nodiscard]] std::vector<nlohmann::json> told() const;

  temporary_folder files_;
  std::optional<child_program> program_;
  std::uint16_t port_ = 0;
};

} // namespace herald::testing
