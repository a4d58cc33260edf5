#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "http/protocol/api_message.hpp"
#include "messages/json/json_writer.hpp"

namespace herald {

/// The header of every answer of the API that says how far the order of events had come when the
/// request came, or from which place on holds what the answer says. A stream that opens from there
/// misses nothing that the answer does not know of.
inline constexpr std::string_view place_header = "Herald-Last-Event-ID";

/// A JSON text as the answer to an API request.
[[nodiscard]] inline api_reply json_reply(int status, std::string body) {
  api_reply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

/// `{"status":"..."}`
[[nodiscard]] inline api_reply status_reply(int status, std::string_view word) {
  return json_reply(status, object_writer{}.text("status", word).finish());
}

} // namespace herald
