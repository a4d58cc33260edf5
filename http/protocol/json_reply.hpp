#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "http/protocol/api_message.hpp"
#include "messages/json/json_writer.hpp"

namespace herald {

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
