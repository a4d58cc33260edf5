#pragma once

#include <algorithm>
#include <cstddef>

#include "actors/supervision/pending_answers.hpp"
#include "messages/events.hpp"

namespace herald {

/// A publisher that is not answered yet. Where it waits for delivery, the outcome is gathered from
/// the transports.
struct pending_publish : pending_answer<publish_receipt> {
  /// Those that have not said yet how the delivery went.
  std::size_t transports = 0;

  /// One transport has written so much of its part, and failed with the rest. Gives whether it was
  /// the last one; only then is known how many have failed.
  bool count(std::size_t delivered) {
    if (transports == 0)
      return false;
    // A stream may have gone between the count and the delivery: never more than were counted.
    value.delivered = std::min(value.delivered + delivered, value.recipients);
    if (--transports > 0)
      return false;
    value.failed = value.recipients - value.delivered;
    return true;
  }
};

} // namespace herald
