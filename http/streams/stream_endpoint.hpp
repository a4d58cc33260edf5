#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include <caf/fwd.hpp>

#include "actors/telemetry/metrics.hpp"
#include "http/admission/stream_options.hpp"
#include "messages/actors.hpp"

namespace herald {

/// The public port: terminates the streams of browsers on loops of its own, one thread each.
///
/// For each client it asks the owner of the streams (`open_connection`), and then obeys what comes
/// back as a `delivery_actor`. Of each stream that it has asked about and that the owner has not
/// refused, it tells the end once (`stream_closed`).
class stream_endpoint {
public:
  /// Takes the port. Throws `std::system_error` if it cannot be had, also if another process
  /// shares its ports. The loops are children of `supervisor`, if there is one: it can end them.
  stream_endpoint(
    caf::actor_system& system, const stream_options& options, const stream_owner_actor& owner,
    metrics& numbers, const supervisor_actor& supervisor = {});
  stream_endpoint(const stream_endpoint&) = delete;
  stream_endpoint& operator=(const stream_endpoint&) = delete;
  /// Ends the loops; streams that are open then are cut off.
  ~stream_endpoint();

  /// The port that was taken.
  [[nodiscard]] std::uint16_t port() const noexcept;

  /// Starts to serve.
  void start();

  /// Has the settings in force that are live.
  void reconfigure(const stream_settings& now, const limit_settings& each);

  /// Takes no more clients, sends every stream what is due and a time to come back, and closes it.
  /// Returns when all are closed, or at `deadline`. Call it once, after `start`.
  void drain(std::chrono::steady_clock::time_point deadline);

private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

} // namespace herald
