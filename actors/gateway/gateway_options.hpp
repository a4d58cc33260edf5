#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "messages/formats.hpp"

namespace herald {

/// How herald talks to an external SSE Gateway, and is one (settings `gateway`).
struct gateway_settings {
  /// Base of the gateway's own API, e.g. "http://127.0.0.1:3000"; `/internal/send` is appended.
  /// Empty: there is no external gateway, and herald serves the streams itself.
  std::string url;
  /// Longest wait for the gateway to take a connection, and to answer one send.
  std::chrono::milliseconds timeout_ms{5000};
  /// Shards, each with one connection and one send under way, all on one thread. A stream stays
  /// with its shard.
  std::size_t senders = 8;
  /// Age, from its queueing, at which an event that cannot be sent is lost for its stream.
  std::chrono::milliseconds retry_ms{5000};
  /// Bounds of what waits, of a shard and of a stream. The bytes of an event count once per shard,
  /// however many of its streams wait for it, and once per stream.
  std::size_t max_queue_events = 250'000;
  std::size_t max_queue_bytes = std::size_t{64} << 20U;
  std::size_t max_stream_events = 10'000;
  std::size_t max_stream_bytes = std::size_t{8} << 20U;
  /// A stream that nothing was sent to for so long is probed: a gateway that crashed has forgotten
  /// it without a word. Probes are spread: each shard makes one round per interval. 0: no probes.
  std::chrono::milliseconds probe_interval_s{60'000};
  /// The generation that herald is where it stands in for a gateway (`callback.url`).
  gateway_format format = gateway_format::v1;
  /// herald is a gateway on one port, that of the streams, also before it knows its backend.
  bool one_port = false;
};

/// The settings, and what is none.
struct gateway_options : gateway_settings {
  /// A connection that was quiet for so long is not used again. Below the 5 s after which Node
  /// closes it, so that no send dies on a connection that is just being closed.
  std::chrono::milliseconds longest_quiet{4000};
  /// `retry_ms` for the order to close a stream. Longer: nobody would miss the event, but the
  /// stream would stay open at the gateway, forgotten by all. One that its owner has not ordered is
  /// given until it is taken.
  std::chrono::milliseconds close_retry{60'000};
  /// Pause before a send is tried again: doubles from one to the other.
  std::chrono::milliseconds min_backoff{100};
  std::chrono::milliseconds max_backoff{1000};
  /// Share of a pause that is left to chance, so that shards do not knock in step. 0 to 1.
  double random_factor = 0.2;
  /// Streams are told so long before their right ends (`auth.renew_s`; 0: not). The order to close
  /// them is given up to so long behind it, each at another time (`auth.leeway_s`).
  std::chrono::milliseconds expiry_notice{0};
  std::chrono::milliseconds expiry_grace{0};
  /// Pause between two probes after the gateway was down, when it may have forgotten them all.
  std::chrono::milliseconds sweep_spacing{5};
};

} // namespace herald
