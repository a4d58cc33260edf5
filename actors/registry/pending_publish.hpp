#pragma once

#include <algorithm>
#include <cstddef>

#include "actors/supervision/pending_answers.hpp"
#include "messages/events.hpp"

namespace herald {

/// A publisher that is not answered yet. Where it waits for delivery, the outcome is gathered from
/// the transports.
struct pending_publish : pending_answer<publish_receipt> {
  /// Transports that have not said yet how the delivery went.
  std::size_t transports = 0;
  /// Stream writes that transports have called pending.
  std::size_t pending = 0;

  /// Counts the part of a transport. Gives whether it was the last part; only then it is known how
  /// many writes have failed.
  bool count(const delivery_settled& part) {
    if (transports == 0)
      return false;
    // A stream may have gone between the count and the delivery: never more than were counted.
    value.delivered = std::min(value.delivered + part.delivered, value.recipients);
    pending = std::min(pending + part.pending, value.recipients - value.delivered);
    if (--transports > 0)
      return false;
    value.failed = value.recipients - value.delivered - pending;
    return true;
  }
};

} // namespace herald
