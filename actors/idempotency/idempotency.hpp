#pragma once

#include <memory>
#include <vector>

#include <caf/fwd.hpp>

#include "actors/idempotency/key_book.hpp"
#include "actors/supervision/shell.hpp"
#include "actors/telemetry/metrics.hpp"
#include "messages/actors.hpp"

namespace herald {

/// Keys of former lives of herald, and where those are kept that the next one needs.
struct key_memory {
  /// Null: nothing outlives the process.
  journal_actor journal;
  /// The oldest first.
  std::vector<answer_kept> answers = {};
};

/// Spawns the book of keys: whether a request with an `Idempotency-Key` is carried out, waits for
/// another, or has its answer already.
///
/// With a journal an answer is given once it is in the file: recorded here, or by the registry in
/// the transaction of the events that it tells of. A claim on what is planned is in the file before
/// it is granted.
///
/// `way` is who orders come through, the registry last. A request that has no answer is asked for
/// there, behind its orders, before its key is anybody else's.
[[nodiscard]] supervised<idempotency_actor> spawn_idempotency(
  caf::actor_system& system, shell_options options, const key_limits& limits, metrics& numbers,
  std::vector<claim_keeper_actor> way, key_memory memory = {});

} // namespace herald
