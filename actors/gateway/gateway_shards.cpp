#include "actors/gateway/gateway_shards.hpp"

#include <utility>

#include <caf/send.hpp>

#include "messages/type_ids.hpp"

namespace herald {

void end_unregistered(const token& stream, const std::vector<gateway_sender_actor>& shards) {
  attach_stream order{stream};
  order.expires_at = wall_time::min();
  caf::anon_send(shard_for(stream, shards), std::move(order));
}

} // namespace herald
