#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/fanout/framing.hpp"
#include "http/fanout/sse_format.hpp"
#include "http/protocol/api_message.hpp"
#include "http/protocol/request_head.hpp"
#include "http/protocol/stream_query.hpp"
#include "messages/connections.hpp"
#include "messages/ids.hpp"

namespace herald {

inline constexpr std::string_view stream_path = "/api/sse/stream";

/// The rules for who may have a stream.
struct stream_rules {
  /// As browsers write them (`canonical_origins`); `*`: all.
  std::vector<std::string> cors_origins{"*"};
  bool stand_in = false;
  /// Names that requests may be for, beside IP addresses and localhost; empty: any.
  std::vector<std::string> hosts{};
  /// False where herald stands in for a gateway and has no backend.
  bool configured = true;
  stream_query::rules query{};
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
  framing how = framing::bare;
  /// The page watches its heartbeats.
  bool heartbeat_event = false;
  /// By what the client calls itself.
  cursor_form cursor = cursor_form::block;
  /// The client says so, as EventSource does. It may take any status but 200 for a last word.
  bool accepts_stream = false;
  /// Only in stand-in mode.
  std::shared_ptr<const header_list> headers;
  /// What the page wants to hear beside its own events; null: everyone's.
  reach_ptr asks;
  client_ptr client = nullptr;
  /// The client wants the head of the answer alone.
  bool head_only = false;
  /// In the URL, where that may have one.
  std::optional<std::string> ticket;
  /// By what right it may have the stream, and until when; null: nobody asks.
  credential_ptr by = nullptr;
  std::optional<wall_time> expires_at = std::nullopt;
};

/// Whether a request is one of a backend to a gateway that has one port for all.
[[nodiscard]] bool is_for_api(const request_head& request);

/// The answer to a HEAD request for a stream that could be had.
[[nodiscard]] api_reply stream_head_reply(const header_list& cors);

/// Decides about a request: a stream to open, or a whole answer. A page whose origin is not listed
/// gets 403, unless it came from the host that it asks; a request for another host than ours 421.
[[nodiscard]] std::variant<stream_opening, api_reply>
check_stream_request(const request_head& request, const stream_rules& rules);

/// The headers by which pages of other origins may read an answer. `origins` are canonical.
[[nodiscard]] header_list
cors_headers(const request_head& request, const std::vector<std::string>& origins);

/// Adds them to an answer that opens no stream, and shows pages those of its headers that browsers
/// would keep from them.
void add_cors(api_reply& reply, const header_list& cors);

} // namespace herald
