#include "http/protocol/gateway_error.hpp"

#include <string>

#include "http/protocol/http_reply.hpp"
#include "messages/json/json_writer.hpp"

namespace herald {

namespace {

/// EventSource takes a status for "never", and shows the page none: here it reads why.
api_reply rejected_stream(int status) {
  const auto data = object_writer{}
                      .number("status", static_cast<std::size_t>(status))
                      .text("message", reason_phrase(status))
                      .finish();
  api_reply reply;
  reply.content_type = "text/event-stream";
  reply.headers = {{"Cache-Control", "no-cache"}, {"X-Accel-Buffering", "no"}};
  reply.body = "event: rejected\ndata: " + data + "\n\n";
  return reply;
}

std::string_view code_of(int status) {
  if (status == 401)
    return "BACKEND_AUTH_FAILED";
  return status == 403 ? "BACKEND_FORBIDDEN" : "BACKEND_ERROR";
}

} // namespace

api_reply gateway_error(int status, std::string_view code, std::string_view message) {
  api_reply reply;
  reply.status = status;
  const auto error = object_writer{}.text("message", message).text("code", code).finish();
  reply.body = object_writer{}.raw("error", error).finish();
  return reply;
}

api_reply gateway_refusal(const failure& why, int upstream_status, gateway_format generation) {
  const bool bad = upstream_status == 400 || upstream_status == 401 || upstream_status == 403;
  if (generation == gateway_format::v2 && bad)
    return rejected_stream(upstream_status);
  if (upstream_status >= 400 && upstream_status < 600)
    return gateway_error(upstream_status, code_of(upstream_status), "Backend refused the stream");
  if (upstream_status != 0)
    return gateway_error(502, "BACKEND_ERROR", "Backend refused the stream");
  if (why.code == ec::upstream_timed_out)
    return gateway_error(504, "GATEWAY_TIMEOUT", "Gateway timeout");
  return gateway_error(503, "BACKEND_UNAVAILABLE", "Backend unavailable");
}

} // namespace herald
