#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "actors/registry/connection_table.hpp"
#include "actors/registry/event_history.hpp"
#include "messages/events.hpp"
#include "messages/history.hpp"

namespace herald {

/// The event that a draft becomes.
[[nodiscard]] event_ptr
ordered_event(draft&& what, event_id id, std::chrono::steady_clock::time_point accepted);

/// A batch that has its place in the order.
struct routed_batch {
  /// By `connection_table::transport_index`: what the transport is to deliver; null for nothing.
  std::vector<delivery_batch> parts;
  /// How many of the parts are not null.
  std::size_t transports = 0;
  /// Ids, and how many streams the batch is for.
  publish_receipt receipt;
  /// What the journal is to keep, and the bytes that it takes there.
  std::vector<kept_event> kept;
  std::size_t kept_bytes = 0;
  /// Events that the history has evicted for it.
  std::size_t evicted = 0;
};

/// Puts batches of drafts into the history, and finds the streams that they are for. Pure.
///
/// A greeting (a version for one stream) is not kept: a stream that comes back is greeted again.
class batch_router {
public:
  /// Table and history must outlive the router. Without a journal nothing is `kept`.
  batch_router(const connection_table& table, event_history& history, bool journal)
    : table_(table),
      history_(history),
      journal_(journal) {}

  /// Routes the drafts, which are moved from. Their ids rise by one from `first`, which is greater
  /// than all before.
  routed_batch
  route(std::vector<draft>& drafts, event_id first, std::chrono::steady_clock::time_point now);

private:
  void keep(const event_ptr& what, audience to, routed_batch& batch);

  const connection_table& table_;
  event_history& history_;
  bool journal_;
};

} // namespace herald
