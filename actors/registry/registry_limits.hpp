#pragma once

#include <cstddef>

#include "actors/history/retention_limits.hpp"
#include "messages/history.hpp"

namespace herald {

/// What the registry keeps, and for how many.
struct registry_limits {
  history_limits history{};
  retention_limits retain{};
  /// Pages that may be kept away at once (`stream.max_kept_away`).
  std::size_t max_kept_away = 10'000;
  /// Patterns that a stream may have (`stream.max_topics`).
  std::size_t max_topics = 64;
  /// What pages have changed in the topics of their URLs (`stream.max_topic_changes_bytes`).
  std::size_t max_topic_changes_bytes = std::size_t{16} << 20U;
  /// What all streams listen to (`stream.max_topics_bytes`).
  std::size_t max_topics_bytes = std::size_t{64} << 20U;
  /// Pages whose subject is known (`auth.max_bindings`).
  std::size_t max_bindings = 1'000'000;
  /// Credentials, and subjects, that are revoked (`auth.max_revocations`).
  std::size_t max_revocations = 100'000;
};

} // namespace herald
