#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "actors/telemetry/metrics.hpp"

namespace herald {

/// What is found of those who want a stream, where credentials are asked for (`herald_auth_total`).
/// `port` says where they come: "stream", or "gateway" for the pages of an external one.
class access_findings {
public:
  enum class finding : std::uint8_t {
    ok,
    anonymous,
    missing,
    invalid,
    insufficient_scope,
    other_subject,
    two_ways,
    origin,
    later,
    limited,
    refused,
  };

  access_findings(metrics& numbers, std::string_view port);

  prometheus::Counter& found(finding what) const {
    return *found_.at(static_cast<std::size_t>(what));
  }

private:
  static constexpr std::size_t findings = 11;

  std::array<prometheus::Counter*, findings> found_{};
};

} // namespace herald
