#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <caf/error.hpp>
#include <caf/fwd.hpp>

namespace herald {

/// Every way in which something asked of herald can fail. How each is shown over HTTP is one table,
/// in http/problem.
enum class ec : std::uint8_t {
  none = 0,
  // What was sent is not understood.
  invalid_json,
  invalid_field,
  unknown_field,
  malformed_request,
  request_timed_out,
  target_too_long,
  head_too_large,
  body_too_large,
  event_too_large,
  unsupported_encoding,
  unsupported_expectation,
  unsupported_coding,
  unsupported_version,
  unauthorized,
  invalid_token,
  forbidden,
  unknown_task_type,
  // What was named does not exist, or not in this mode.
  no_such_route,
  method_not_allowed,
  no_such_connection,
  no_such_stream,
  no_pending_version,
  no_such_task,
  gateway_mode_off,
  // What was named is in a state that forbids it.
  task_ended,
  task_not_ended,
  task_not_external,
  kept_away,
  key_reused,
  name_taken,
  // herald cannot do it now.
  not_ready,
  shutting_down,
  too_many_streams,
  overloaded,
  timed_out,
  actor_failed,
  storage_full,
  storage_failed,
  // Somebody else failed.
  upstream_unavailable,
  upstream_timed_out,
  upstream_refused,
  // A bug of ours.
  internal,
};

/// The name of an error as logs and metrics show it, e.g. "invalid_field".
[[nodiscard]] std::string_view to_string(ec code);

/// A failure in words: which one, what exactly is wrong, and the field of the input that is to
/// blame (empty if none is), e.g. `[3].event`.
struct failure {
  ec code = ec::internal;
  std::string detail;
  std::string field;
};

/// Packs a failure into the error that actors answer with.
[[nodiscard]] caf::error fail(ec code, std::string detail, std::string field = {});

/// Unpacks an error that an actor answered with. What CAF itself reports (a receiver that is gone,
/// a time-out) is mapped onto `ec`.
[[nodiscard]] failure describe(const caf::error& error);

} // namespace herald
