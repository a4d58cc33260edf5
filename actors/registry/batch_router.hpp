#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "actors/history/event_history.hpp"
#include "actors/history/retained_values.hpp"
#include "actors/registry/connection_table.hpp"
#include "messages/events.hpp"
#include "messages/history.hpp"
#include "messages/journal.hpp"

namespace herald {

/// The event that a draft becomes.
[[nodiscard]] event_ptr
ordered_event(draft&& what, event_id id, std::chrono::steady_clock::time_point accepted);

/// An event that herald itself sends to one stream.
[[nodiscard]] event_ptr notice_event(const char* name, const char* data, event_id id = {});

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
  /// What else the journal is to keep: last values.
  std::vector<journal_entry> more;
  /// Events that the history has evicted for it.
  std::size_t evicted = 0;
};

/// Puts batches of drafts into the history, and finds the streams that they are for. Pure.
///
/// A greeting (a version for one stream) is not kept: a stream that comes back is greeted again.
class batch_router {
public:
  /// Table, history and values must outlive the router. Without a journal nothing is `kept`.
  batch_router(
    const connection_table& table, event_history& history, retained_values& values, bool journal)
    : table_(table),
      history_(history),
      values_(values),
      journal_(journal) {}

  /// Routes the drafts, which are moved from. Their ids rise by one from `first`, which is greater
  /// than all before.
  routed_batch
  route(std::vector<draft>& drafts, event_id first, std::chrono::steady_clock::time_point now);

private:
  using list = std::vector<delivery>;

  void address(
    const event_ptr& what, const audience_ptr& to, std::vector<list>& lists,
    publish_receipt& receipt) const;
  static void send_to_page(
    const event_ptr& what, const std::optional<connection_table::connection>& page,
    std::vector<list>& lists, publish_receipt& receipt);
  void keep(kept_event what, bool history, routed_batch& batch);
  void keep_value(kept_event what, retention value, routed_batch& batch);

  const connection_table& table_;
  event_history& history_;
  retained_values& values_;
  bool journal_;
};

} // namespace herald
