#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/auth/stream_grant.hpp"
#include "messages/audience.hpp"
#include "messages/connections.hpp"

namespace herald {

/// A grant as streams have it. Streams of one credential share it, as do those who keep it.
struct access_right {
  credential_ptr by;
  /// Whom it is for, apart from what it asks to listen to; null: nobody in particular.
  reach_ptr hears;
  /// None: it does not end by itself.
  std::optional<wall_time> expires_at;
};

/// What everyone may listen to (`auth.public_topics`).
using public_topics = std::vector<std::string>;

/// The right of a page that is known by its credential.
[[nodiscard]] access_right right_of(stream_grant grant, const public_topics& everyones);

/// The right of a page that nobody knows: what is for its page alone is not for it.
[[nodiscard]] access_right right_of_anybody(stream_grant grant, const public_topics& everyones);

} // namespace herald
