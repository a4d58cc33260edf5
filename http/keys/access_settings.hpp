#pragma once

#include <cstddef>
#include <string>

namespace herald {

/// What `/internal/send` asks for (settings `internal`).
struct internal_settings {
  /// Empty: nothing where no keys are, and then nobody may.
  std::string secret;
  std::string secret_file;
};

/// How much one may try and do (settings `limits`). 0: no limit.
struct limit_settings {
  /// Wrong keys and secrets, by address.
  std::size_t failed_auth_per_min = 30;
  /// Addresses of which is known what has failed; at least 1.
  std::size_t max_addresses = 65'536;
  /// What a key may publish that has no rate of its own.
  std::size_t publishes_per_s = 0;
  std::size_t publish_bytes_per_s = 0;
};

} // namespace herald
