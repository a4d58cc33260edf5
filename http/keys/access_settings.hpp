#pragma once

#include <string>

#include "http/auth/limit_settings.hpp"

namespace herald {

/// What `/internal/send` asks for (settings `internal`).
struct internal_settings {
  /// Empty: nothing where no keys are, and then nobody may.
  std::string secret;
  std::string secret_file;
};

} // namespace herald
