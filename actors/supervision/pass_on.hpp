#pragma once

#include <caf/send.hpp>

#include "messages/actors.hpp"
#include "messages/type_ids.hpp"

namespace herald {

/// Sends the order to who comes next on its way. Gives whether there is one.
inline bool pass_on(const release_claim& order) {
  if (order.way.empty())
    return false;
  auto next = order;
  next.way.erase(next.way.begin());
  caf::anon_send(order.way.front(), std::move(next));
  return true;
}

} // namespace herald
