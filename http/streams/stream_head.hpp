#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/protocol/api_message.hpp"
#include "http/protocol/closing_reply.hpp"
#include "http/protocol/stream_request.hpp"
#include "messages/connections.hpp"
#include "messages/ids.hpp"

namespace herald {

inline constexpr std::string_view stream_path = "/api/sse/stream";

struct head_rules {
  std::vector<std::string> cors_origins{"*"};
  bool stand_in = false;
};

/// A stream that a client may have, if its owner agrees.
struct stream_opening {
  /// Empty in stand-in mode if the client sent no good one.
  request_id id;
  std::string url;
  /// Where a client that comes back left off, as it said it.
  std::optional<std::string> last_event_id;
  /// For every answer to this client.
  header_list cors;
  bool http_1_0 = false;
  /// Only in stand-in mode.
  std::shared_ptr<const header_list> headers;
};

/// Decides about a request: a stream to open, or a whole answer.
[[nodiscard]] std::variant<stream_opening, api_reply>
check_head(const stream_request& request, const head_rules& rules);

/// The headers by which pages of other origins may read an answer.
[[nodiscard]] header_list
cors_headers(const stream_request& request, const std::vector<std::string>& origins);

/// The head of a stream, up to and with its empty line.
[[nodiscard]] std::string render_stream_head(bool http_1_0, const header_list& cors);

} // namespace herald
