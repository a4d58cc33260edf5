#pragma once

#include <string>
#include <utility>

#include "http/protocol/api_message.hpp"

namespace herald {

/// A JSON text as the answer to an API request.
[[nodiscard]] inline api_reply json_reply(int status, std::string body) {
  api_reply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

} // namespace herald
