#pragma once

#include <optional>
#include <string>
#include <vector>

#include "messages/text/time.hpp"

namespace herald {

/// What a credential lets one stream do.
struct stream_grant {
  /// Empty: nobody in particular.
  std::string subject;
  std::vector<std::string> roles;
  /// Patterns that the stream may subscribe to.
  std::vector<std::string> topics;
  /// None: it does not end by itself.
  std::optional<wall_time> expires_at;
  std::optional<wall_time> issued_at;
  /// `jti`; empty: it cannot be revoked by itself.
  std::string credential_id;

  friend bool operator==(const stream_grant&, const stream_grant&) = default;
};

} // namespace herald
