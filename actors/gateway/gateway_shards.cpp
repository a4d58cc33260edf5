#include "actors/gateway/gateway_shards.hpp"

#include <caf/send.hpp>

#include "messages/type_ids.hpp"

namespace herald {

void end_unregistered(const token& stream, const std::vector<gateway_sender_actor>& shards) {
  const auto& shard = shard_for(stream, shards);
  caf::anon_send(shard, attach_stream{stream});
  caf::anon_send(shard, close_stream{stream, close_reason::requested, nullptr});
}

} // namespace herald
