#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/herald_process.hpp"

namespace herald::testing {

/// Two heralds: a backend, and one that stands in for the gateway which holds its streams. Both
/// keep their ports when they are started again.
class herald_pair {
public:
  static constexpr const char* secret = "open-sesame";

  explicit herald_pair(
    std::vector<std::string> backend_arguments = {},
    std::vector<std::string> gateway_arguments = {});

  [[nodiscard]] herald_process& backend() { return *backend_; }
  [[nodiscard]] herald_process& gateway() { return *gateway_; }

  /// Where the streams are.
  [[nodiscard]] std::uint16_t stream_port() const noexcept { return stream_port_; }
  [[nodiscard]] std::uint16_t api_port() const noexcept { return backend_port_; }

  void start_backend();
  void start_gateway();

private:
  std::vector<std::string> backend_arguments_;
  std::vector<std::string> gateway_arguments_;
  std::uint16_t backend_port_;
  std::uint16_t gateway_port_;
  std::uint16_t stream_port_;
  std::optional<herald_process> backend_;
  std::optional<herald_process> gateway_;
};

} // namespace herald::testing
