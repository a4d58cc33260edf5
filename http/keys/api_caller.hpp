#pragma once

#include <cstddef>
#include <memory>

#include "http/keys/api_key.hpp"
#include "http/keys/publish_rate.hpp"

namespace herald {

/// Who speaks, as handlers see it: a key, or somebody without one at a route that is open or has a
/// secret of its own.
struct api_caller {
  api_key key;
  /// Null: no limit.
  publish_rate_ptr rate = nullptr;

  [[nodiscard]] bool may(scope what) const { return key.scopes.has(what); }

  /// Something is published, whose size is known now.
  void published(publish_rate::time_point now, std::size_t events, std::size_t bytes) const {
    if (rate)
      rate->take(now, events, bytes);
  }
};

/// Null where nobody is asked who they are: then everything is allowed.
using api_caller_ptr = std::shared_ptr<const api_caller>;

} // namespace herald
