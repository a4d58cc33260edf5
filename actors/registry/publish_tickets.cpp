#include "actors/registry/publish_tickets.hpp"

#include <algorithm>

namespace herald {

void publish_tickets::open(ticket_id id, std::size_t transports, std::size_t recipients) {
  open_.emplace(id, ticket{transports, recipients, 0});
}

std::optional<publish_tickets::outcome>
publish_tickets::settle(ticket_id id, std::size_t delivered) {
  const auto found = open_.find(id);
  if (found == open_.end())
    return std::nullopt;
  auto& t = found->second;
  // A stream may have gone between the count and the delivery: never more than were counted.
  t.delivered = std::min(t.delivered + delivered, t.recipients);
  if (--t.transports > 0)
    return std::nullopt;
  const outcome result{t.delivered, t.recipients - t.delivered};
  open_.erase(found);
  return result;
}

std::optional<publish_tickets::outcome> publish_tickets::give_up(ticket_id id) {
  const auto found = open_.find(id);
  if (found == open_.end())
    return std::nullopt;
  const outcome result{found->second.delivered, 0};
  open_.erase(found);
  return result;
}

} // namespace herald
