#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace herald {

/// Callbacks: those that an external SSE Gateway makes, and those that herald makes in its stead
/// (settings `callback`).
struct callback_settings {
  /// What those of a gateway must carry; empty: nothing is asked.
  std::string secret;
  /// The whole URL of a backend, http or https; set, it makes herald stand in for a gateway. Its
  /// query may hold a secret: it is never logged.
  std::string url;
  /// Authorities by which the certificate of an https backend is checked, as a PEM file; empty: the
  /// system's.
  std::string ca_file;
  /// From the call to its answer, time in the queue included: a client waits for that long.
  std::chrono::milliseconds timeout_ms{5000};
  /// Callbacks on the wire at a time, bodies of their answers included, and so connections.
  std::size_t max_in_flight = 256;
  /// Callbacks waiting for a connection, connects and disconnects each; more are refused.
  std::size_t max_queued = 50'000;
  /// Events for a stream whose connect is not answered yet, and the bytes of their names and data;
  /// more are refused.
  std::size_t max_buffered_events = 256;
  std::size_t max_buffered_bytes = std::size_t{1} << 20U;
  /// The bytes of all such streams together.
  std::size_t max_buffered_total_bytes = std::size_t{64} << 20U;
  /// Files that have secret and url instead; see `secret_files` in http/config/config.hpp.
  std::string secret_file{};
  std::string url_file{};
  /// The bytes of the callbacks that wait, connects and disconnects each; more are refused.
  std::size_t max_queued_bytes = std::size_t{64} << 20U;
  /// The bytes of the requests of all streams, which the backend is told at their end; more streams
  /// are refused.
  std::size_t max_kept_bytes = std::size_t{256} << 20U;
  /// What backends say of streams in their answers (subject, roles, bindings), of all together;
  /// beyond, it is not kept.
  std::size_t max_identity_bytes = std::size_t{64} << 20U;
};

} // namespace herald
