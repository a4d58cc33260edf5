#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "messages/actors.hpp"
#include "messages/ids.hpp"

namespace herald {

/// The shard that a stream belongs to, out of `shards`; always the same one.
[[nodiscard]] inline std::size_t shard_of(const token& stream, std::size_t shards) noexcept {
  // Spreads the bits, so that a shard is not a matter of one digit of the token.
  auto bits = static_cast<std::uint64_t>(stream.hash());
  bits ^= bits >> 33U;
  bits *= 0xff51afd7ed558ccdU;
  bits ^= bits >> 33U;
  return bits % shards;
}

/// The same, as the handle out of all shards' handles, which must not be none.
template <class Handle>
const Handle& shard_for(const token& stream, const std::vector<Handle>& shards) {
  return shards[shard_of(stream, shards.size())];
}

/// Ends a stream of the gateway that has no right to be open. It gets nothing more; where its owner
/// knows it, that is told once it has ended.
void end_unregistered(const token& stream, const std::vector<gateway_sender_actor>& shards);

} // namespace herald
