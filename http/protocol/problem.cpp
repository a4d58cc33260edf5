#include "http/protocol/problem.hpp"

#include "messages/json/json_writer.hpp"

namespace herald {

problem_kind kind_of(ec code) {
  switch (code) {
  case ec::none:
    return {200, "OK"};
  case ec::invalid_json:
    return {400, "Invalid JSON"};
  case ec::invalid_field:
    return {400, "Invalid field"};
  case ec::unknown_field:
    return {400, "Unknown field"};
  case ec::malformed_request:
    return {400, "Malformed request"};
  case ec::unknown_task_type:
    return {400, "Unknown task type"};
  case ec::unauthorized:
  case ec::invalid_token:
    return {401, "Unauthorized"};
  case ec::forbidden:
    return {403, "Forbidden"};
  case ec::kept_away:
    return {403, "Kept away"};
  case ec::no_such_route:
    return {404, "Not found"};
  case ec::no_such_connection:
    return {404, "No such connection"};
  case ec::no_such_stream:
    return {404, "No such stream"};
  case ec::no_pending_version:
    return {404, "No pending version"};
  case ec::no_such_task:
    return {404, "No such task"};
  case ec::gateway_mode_off:
    return {404, "No external gateway"};
  case ec::method_not_allowed:
    return {405, "Method not allowed"};
  case ec::request_timed_out:
    return {408, "Request timed out"};
  case ec::task_ended:
    return {409, "Task has ended"};
  case ec::task_not_ended:
    return {409, "Task has not ended"};
  case ec::task_not_external:
    return {409, "Task is not external"};
  case ec::name_taken:
    return {409, "Name is taken"};
  case ec::body_too_large:
    return {413, "Body too large"};
  case ec::event_too_large:
    return {413, "Event too large"};
  case ec::target_too_long:
    return {414, "Request target too long"};
  case ec::unsupported_encoding:
    return {415, "Unsupported encoding"};
  case ec::key_reused:
    return {422, "Key was used for another request"};
  case ec::unsupported_expectation:
    return {417, "Unsupported expectation"};
  case ec::head_too_large:
    return {431, "Request head too large"};
  case ec::unsupported_coding:
    return {501, "Unsupported transfer coding"};
  case ec::not_ready:
    return {503, "Not ready"};
  case ec::shutting_down:
    return {503, "Shutting down"};
  case ec::too_many_streams:
    return {503, "Too many streams"};
  case ec::overloaded:
    return {503, "Overloaded"};
  case ec::storage_failed:
    return {503, "Storage failed"};
  case ec::upstream_unavailable:
    return {503, "Backend unavailable"};
  case ec::timed_out:
    return {504, "Timed out"};
  case ec::upstream_timed_out:
    return {504, "Backend timed out"};
  case ec::unsupported_version:
    return {505, "Unsupported HTTP version"};
  case ec::upstream_refused:
    return {502, "Backend refused"};
  case ec::storage_full:
    return {507, "Insufficient storage"};
  case ec::actor_failed:
  case ec::internal:
    return {500, "Internal error"};
  }
  return {500, "Internal error"};
}

api_reply problem(const problem_kind& kind, std::string_view detail, std::string_view field) {
  object_writer document;
  document.text("type", "about:blank")
    .text("title", kind.title)
    .number("status", static_cast<std::size_t>(kind.status))
    .text("detail", detail);
  if (!field.empty())
    document.text("field", field);
  api_reply reply;
  reply.status = kind.status;
  reply.body = document.finish();
  reply.content_type = "application/problem+json";
  return reply;
}

api_reply problem(const failure& what) {
  auto reply = problem(kind_of(what.code), what.detail, what.field);
  // What RFC 9110 wants to go with a status.
  if (reply.status == 503)
    reply.headers.emplace_back("Retry-After", "1");
  else if (what.code == ec::invalid_token)
    // One text for all causes: which it was is nothing for whoever tries (RFC 6750).
    reply.headers.emplace_back(
      "WWW-Authenticate", R"(Bearer realm="herald", error="invalid_token")");
  else if (reply.status == 401)
    reply.headers.emplace_back("WWW-Authenticate", "Secret realm=\"callback\"");
  else if (what.code == ec::unsupported_encoding)
    reply.headers.emplace_back("Accept-Encoding", "identity");
  return reply;
}

api_reply problem(const caf::error& error) {
  return problem(describe(error));
}

} // namespace herald
