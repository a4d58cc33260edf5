#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <absl/container/btree_map.h>

#include "messages/backend.hpp"
#include "messages/connections.hpp"
#include "messages/delivery.hpp"
#include "messages/events.hpp"
#include "messages/ids.hpp"

namespace herald {

/// The streams of a herald that stands in for an SSE Gateway, and what may happen to each.
///
/// A stream is `calling_back` until the backend has answered its connect callback, then `open`, and
/// `closing` from the moment in which the backend ended it. What is sent to a stream that is
/// calling back is kept, in order and bounded, until it opens. Once it is to be closed nothing more
/// can be sent to it, as if its token were unknown. Every change is all or nothing.
class stand_in_streams {
public:
  /// Bounds of what is kept: the first three for streams that are calling back.
  struct limits {
    std::size_t stream_events = 0;
    /// Bytes of names and data.
    std::size_t stream_bytes = 0;
    std::size_t total_bytes = 0;
    /// Bytes of the requests of all streams.
    std::size_t request_bytes = std::numeric_limits<std::size_t>::max();
    /// What backends say of streams, of all together.
    std::size_t identity_bytes = std::numeric_limits<std::size_t>::max();
  };

  using request_text = std::shared_ptr<const std::string>;
  /// What a watcher is told of a stream; null where there is none.
  using facts_ptr = std::shared_ptr<stream_facts>;

  enum class state : std::uint8_t { calling_back, open, closing };

  explicit stand_in_streams(limits bounds) : limits_(bounds) {}

  enum class beginning : std::uint8_t {
    begun,
    /// Another stream has this token.
    held,
    /// The requests of the others are as many bytes as may be.
    full,
  };

  /// A client came; `request` is what the backend is told of it, now and at its end.
  beginning begin(
    const token& stream, delivery_actor via, request_text request, facts_ptr facts = nullptr,
    std::string address = {});

  struct opened {
    delivery_actor via;
    /// The events that were sent to the stream meanwhile.
    std::vector<event_ptr> due;
    /// The backend has ended it meanwhile, too.
    bool close = false;
    facts_ptr facts = nullptr;
  };

  /// The backend wants the stream. Nothing if it does not wait for that.
  std::optional<opened> accept(const token& stream, wall_time at = {});

  enum class naming : std::uint8_t {
    kept,
    unknown,
    /// The limit is reached: of the stream is known what was known before.
    full,
  };
  /// The backend says who the stream is for, of one that opens or is open.
  naming identify(const token& stream, identity_ptr who);

  /// The backend does not want the stream: it is removed. Gives what reaches it; nothing if it does
  /// not wait for that.
  std::optional<delivery_actor> refuse(const token& stream);

  enum class verdict : std::uint8_t {
    pass_on,
    buffered,
    unknown,
    /// A limit is reached; nothing was kept, the stream lives on.
    full,
  };

  struct routed {
    verdict what = verdict::unknown;
    /// Only with `pass_on`.
    delivery_actor via;
  };

  /// The backend sends `what` (null for nothing) to the stream and then, with `close`, ends it.
  routed send(const token& stream, const event_ptr& what, bool close);

  struct gone {
    state was = state::calling_back;
    delivery_actor via;
    request_text request;
    facts_ptr facts = nullptr;
  };

  /// The stream does not exist any more, and leaves the table. Nothing for an unknown token.
  std::optional<gone> remove(const token& stream);

  [[nodiscard]] std::optional<state> find(const token& stream) const;

  /// Open streams in the order of opening, those behind the serial number `after`. They listen to
  /// no topic. Takes time in proportion to `limit`; with a filter, to the number of streams.
  [[nodiscard]] connection_page
  page(std::uint64_t after, std::size_t limit, const connection_filter& which = {}) const;

  [[nodiscard]] std::size_t size() const noexcept { return streams_.size(); }
  [[nodiscard]] std::size_t calling_back() const noexcept { return calling_back_; }
  [[nodiscard]] std::size_t buffered_bytes() const noexcept { return buffered_bytes_; }
  [[nodiscard]] std::size_t request_bytes() const noexcept { return request_bytes_; }
  [[nodiscard]] std::size_t identity_bytes() const noexcept { return identity_bytes_; }

  /// The damage that the table has, or nothing.
  [[nodiscard]] std::optional<std::string> check() const;

private:
  struct buffer {
    std::vector<event_ptr> events;
    std::size_t bytes = 0;
    bool close = false;
  };

  struct entry {
    state now = state::calling_back;
    delivery_actor via;
    request_text request;
    facts_ptr facts;
    /// Only while calling back, and only if something was sent.
    std::unique_ptr<buffer> kept;
    /// Null: the backend has said nothing.
    identity_ptr who;
    /// Of the client; empty: not known.
    std::string address;
    /// Of an open one; else 0.
    std::uint64_t serial = 0;
    wall_time opened_at;
  };

  using table = std::unordered_map<token, entry>;

  routed keep(entry& stream, const event_ptr& what, bool close);
  void unlist(entry& stream) noexcept;
  [[nodiscard]] static bool fits(const entry& stream, const connection_filter& which);
  [[nodiscard]] static connection_view view_of(const table::value_type& stream);
  buffer drop_buffer(entry& stream) noexcept;
  table::iterator find_waiting(const token& stream);

  limits limits_;
  table streams_;
  std::size_t calling_back_ = 0;
  std::size_t buffered_bytes_ = 0;
  std::size_t request_bytes_ = 0;
  std::size_t identity_bytes_ = 0;
  /// The open ones by their serial numbers. About 20 bytes for each.
  absl::btree_map<std::uint64_t, const table::value_type*> open_;
  std::uint64_t last_serial_ = 0;
};

} // namespace herald
