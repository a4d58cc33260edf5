#pragma once

#include <cstddef>
#include <map>
#include <optional>

#include "messages/events.hpp"

namespace herald {

/// What publishers wait for: the outcome of a batch, gathered from the transports that deliver it.
/// Pure.
class publish_tickets {
public:
  /// Opens a ticket, which must not be open, for a batch that `transports` transports deliver to
  /// `recipients` streams.
  void open(ticket_id id, std::size_t transports, std::size_t recipients);

  struct outcome {
    std::size_t delivered = 0;
    std::size_t failed = 0;
  };

  /// One transport has settled its part. Gives the outcome with the last one; nothing before, nor
  /// for a ticket that is not open.
  std::optional<outcome> settle(ticket_id ticket, std::size_t delivered);

  /// Gives what is known by now and forgets the ticket; nothing if it is not open. What is neither
  /// delivered nor failed is still under way.
  std::optional<outcome> give_up(ticket_id ticket);

  [[nodiscard]] std::size_t size() const noexcept { return open_.size(); }

private:
  struct ticket {
    std::size_t transports = 0;
    std::size_t recipients = 0;
    std::size_t delivered = 0;
  };

  std::map<ticket_id, ticket> open_;
};

} // namespace herald
