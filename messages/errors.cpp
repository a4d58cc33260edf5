#include "messages/errors.hpp"

#include <array>

#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>

#include "messages/type_ids.hpp"

namespace herald {

std::string_view to_string(ec code) {
  switch (code) {
  case ec::none:
    return "none";
  case ec::invalid_json:
    return "invalid_json";
  case ec::invalid_field:
    return "invalid_field";
  case ec::unknown_field:
    return "unknown_field";
  case ec::malformed_request:
    return "malformed_request";
  case ec::request_timed_out:
    return "request_timed_out";
  case ec::target_too_long:
    return "target_too_long";
  case ec::head_too_large:
    return "head_too_large";
  case ec::body_too_large:
    return "body_too_large";
  case ec::event_too_large:
    return "event_too_large";
  case ec::unsupported_encoding:
    return "unsupported_encoding";
  case ec::unsupported_expectation:
    return "unsupported_expectation";
  case ec::unsupported_coding:
    return "unsupported_coding";
  case ec::unsupported_version:
    return "unsupported_version";
  case ec::unauthorized:
    return "unauthorized";
  case ec::invalid_token:
    return "invalid_token";
  case ec::forbidden:
    return "forbidden";
  case ec::unknown_task_type:
    return "unknown_task_type";
  case ec::no_such_route:
    return "no_such_route";
  case ec::method_not_allowed:
    return "method_not_allowed";
  case ec::no_such_connection:
    return "no_such_connection";
  case ec::no_such_stream:
    return "no_such_stream";
  case ec::no_pending_version:
    return "no_pending_version";
  case ec::no_such_task:
    return "no_such_task";
  case ec::gateway_mode_off:
    return "gateway_mode_off";
  case ec::task_ended:
    return "task_ended";
  case ec::task_not_ended:
    return "task_not_ended";
  case ec::task_not_external:
    return "task_not_external";
  case ec::kept_away:
    return "kept_away";
  case ec::key_reused:
    return "key_reused";
  case ec::name_taken:
    return "name_taken";
  case ec::not_ready:
    return "not_ready";
  case ec::shutting_down:
    return "shutting_down";
  case ec::too_many_streams:
    return "too_many_streams";
  case ec::overloaded:
    return "overloaded";
  case ec::timed_out:
    return "timed_out";
  case ec::actor_failed:
    return "actor_failed";
  case ec::storage_full:
    return "storage_full";
  case ec::storage_failed:
    return "storage_failed";
  case ec::upstream_unavailable:
    return "upstream_unavailable";
  case ec::upstream_timed_out:
    return "upstream_timed_out";
  case ec::upstream_refused:
    return "upstream_refused";
  case ec::internal:
    return "internal";
  }
  return "internal";
}

caf::error fail(ec code, std::string detail, std::string field) {
  return caf::make_error(code, std::move(detail), std::move(field));
}

failure describe(const caf::error& error) {
  if (error.category() == caf::make_error(ec::internal).category()) {
    failure result{static_cast<ec>(error.code()), {}, {}};
    if (error.context().match_elements<std::string, std::string>()) {
      result.detail = error.context().get_as<std::string>(0);
      result.field = error.context().get_as<std::string>(1);
    }
    return result;
  }
  if (error == caf::sec::request_timeout)
    return {ec::timed_out, "no answer in time", {}};
  if (error == caf::sec::request_receiver_down)
    return {ec::actor_failed, "the part of herald that answers this is not running", {}};
  return {ec::internal, "unexpected internal error", {}};
}

} // namespace herald
