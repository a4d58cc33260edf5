#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <caf/typed_response_promise.hpp>

#include "actors/stand_in/stand_in_streams.hpp"
#include "actors/supervision/shell.hpp"
#include "actors/telemetry/metrics.hpp"
#include "messages/actors.hpp"
#include "messages/formats.hpp"

namespace herald {

/// The part of a stand-in front that outlives its restarts.
struct stand_in_front_state {
  stand_in_front_state(
    stand_in_streams::limits bounds, gateway_format generation, watcher_actor who)
    : streams(bounds),
      says_ready(generation == gateway_format::v2),
      watcher(std::move(who)) {}

  stand_in_streams streams;
  /// Behind what waited for it, a stream that opens is told so.
  const bool says_ready;
  /// Told of every stream that is open for the backend; null: nobody is.
  const watcher_actor watcher;
  /// Callbacks that are not answered yet.
  std::size_t under_way = 0;
  bool shutting_down = false;
  std::vector<caf::typed_response_promise<void>> waiting_for_connects;
  std::vector<caf::typed_response_promise<void>> waiting_for_callbacks;
};

/// The inside of the actor that owns the streams where herald stands in for an SSE Gateway: it
/// calls back, opens on 2xx, passes other statuses on, and sends what the backend sends.
///
/// `open_connection` is answered to its sender as soon as the callback is on its way; the verdict
/// goes to `via`. A stream that was open is reported to the backend once, best effort, after its
/// connect was answered; one that never opened is not reported.
class stand_in_front {
public:
  using interface = stand_in_front_actor;
  using behavior_type = shell<interface, stand_in_front>::behavior_type;

  stand_in_front(
    self_pointer<interface> self, std::shared_ptr<stand_in_front_state> state,
    backend_caller_actor backend, metrics& numbers);

  static behavior_type behavior(shell<interface, stand_in_front>& s);

  result<void> open(const open_connection& request);
  void open_all(const open_connections& requests);
  void closed(const stream_closed& fact);
  void failed(const delivery_failed& fact);
  void settled(const delivery_settled&) {}
  result<send_status> send(send_to_stream& command);
  void answered(const backend_answered& fact);
  void read(const connect_answer_read& fact);
  connection_page list(const list_connections& query);
  result<void> begin_shutdown(const herald::begin_shutdown&);
  result<void> flush(const herald::flush&);

private:
  void accept(const token& stream);
  void refuse(const backend_answered& fact);
  void drop(const token& stream, end_reason reason);
  void tell_watcher(stream_change change);
  void call(
    callback_action action, const token& stream, end_reason reason,
    stand_in_streams::request_text request);
  void answer_waiting();
  void show_numbers();

  self_pointer<interface> self_;
  std::shared_ptr<stand_in_front_state> state_;
  backend_caller_actor backend_;
  prometheus::Counter& connects_;
  prometheus::Counter& disconnects_;
  prometheus::Counter& overflows_;
  prometheus::Counter& turned_away_;
  prometheus::Gauge& active_;
  prometheus::Gauge& calling_back_;
  prometheus::Gauge& buffered_bytes_;
  prometheus::Gauge& request_bytes_;
  prometheus::Gauge& identity_bytes_;
  prometheus::Counter& identities_refused_;
};

/// Spawns it. Main sends it an exit before `backend` ends.
supervised<stand_in_front_actor> spawn_stand_in_front(
  caf::actor_system& system, shell_options options, stand_in_streams::limits bounds,
  backend_caller_actor backend, metrics& numbers, gateway_format generation = gateway_format::v1,
  watcher_actor watcher = {});

} // namespace herald
