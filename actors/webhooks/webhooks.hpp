#pragma once

#include <functional>
#include <vector>

#include <caf/fwd.hpp>

#include "actors/supervision/shell.hpp"
#include "actors/telemetry/metrics.hpp"
#include "actors/webhooks/webhook_queue.hpp"
#include "actors/webhooks/webhook_settings.hpp"
#include "messages/actors.hpp"

namespace herald {

/// Sends a batch to the receiver, and calls back once, from any thread, when it is answered or has
/// failed. Must not wait.
using webhook_post = std::function<void(
  const webhook_batch& batch, std::function<void(const webhook_answered&)> done)>;

/// What former lives of herald have left to tell, and where that is kept that the next one needs.
struct webhook_memory {
  /// Null: nothing outlives the process.
  journal_actor journal;
  journal_snapshot::webhooks_left left = {};
  /// Streams that are open still: those of an external gateway.
  std::vector<token> still_open = {};
  /// Tasks that have ended, of whose end the receiver was not told.
  std::vector<task_view> ended = {};
};

/// Spawns who tells a backend by webhook of streams that open and close, of topics that get a first
/// listener and lose the last, and of tasks that end.
///
/// Nobody waits for it, and it waits for the receiver alone: events are queued in bounds
/// (`webhook_queue`), and lost beyond them, which is counted and logged.
///
/// With a journal an event is in the file before it is sent, and until it was answered: it is told
/// at least once, whatever crashes. So are streams that the receiver takes for open: those that
/// ended with a former life are told closed (`restart`), and their topics vacant, before anything
/// of this one.
[[nodiscard]] supervised<webhooks_actor> spawn_webhooks(
  caf::actor_system& system, shell_options options, const webhook_settings& settings,
  webhook_post post, metrics& numbers, webhook_memory memory = {});

} // namespace herald
