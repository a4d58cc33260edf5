#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

#include "messages/backend.hpp"
#include "messages/connections.hpp"
#include "messages/ids.hpp"

namespace herald {

/// A callback of an SSE Gateway.
struct gateway_callback {
  enum class kind : std::uint8_t { connect, disconnect };

  kind action = kind::connect;
  token stream;
  /// Of a connect: the target of the browser's request, still percent-encoded.
  std::string url;
  /// Of a connect: the whole of that request, as JSON. See `page_headers`.
  std::string request;
  /// Of a disconnect; what is not known counts as an error.
  end_reason reason = end_reason::client_closed;
};

/// Longest token that is taken, in bytes. Gateways make UUIDs.
inline constexpr std::size_t max_token_bytes = 256;

/// Reads the body of a callback. Fields that are not needed are ignored, whatever they hold: there
/// are several generations of gateways. `ec::invalid_json`, `ec::invalid_field` with the field.
[[nodiscard]] caf::expected<gateway_callback> parse_callback(std::string_view body);

/// Most headers of a page's request. Node's HTTP server shows a gateway 1,000 of them, unless it is
/// told otherwise (seen with Node 20).
inline constexpr std::size_t max_page_headers = 2000;

/// The headers in a callback's `request`, as a gateway tells of them: those that are texts; none
/// where it tells of none. `ec::invalid_field` for what is no such list, or has a header that no
/// request can have.
[[nodiscard]] caf::expected<header_list> page_headers(std::string_view request);

/// The answer to a connect that was taken, as gateways of the second generation read it:
/// `{"request_id","subject"?,"role"?,"bindings"}`. The bindings are the routing keys that the
/// stream hears, `connection.H`, `subject.H`, `role.H` with the name in hex, and `broadcast`, as it
/// stands: ids that hold a dot, `*` or `#` would be patterns there. `request_id` names the stream's
/// queue, and is another for each stream: the hex of the page's, `~` and the token.
[[nodiscard]] std::string connect_answer_json(const open_connection& taken);

/// Most roles, and most bindings, of one answer.
inline constexpr std::size_t max_answer_roles = 64;
inline constexpr std::size_t max_answer_bindings = 1024;

/// What the body of a backend's answer to a connect says of the stream: `subject`, `role` and
/// `roles`, `bindings`. Null where it says nothing of it, or is no JSON object: many backends
/// answer "OK". `ec::invalid_field` for one that is not what it should be; other fields are
/// ignored.
[[nodiscard]] caf::expected<identity_ptr> parse_connect_answer(std::string_view body);

/// What a callback's request, as `render_callback_request` makes it, says of the client.
struct callback_client {
  /// As `shown_path` has it.
  std::string path;
  /// At most `max_agent_bytes`.
  std::string agent;
};

[[nodiscard]] callback_client client_of_callback(std::string_view request);

/// The body of a callback as the gateway's protocol has it.
[[nodiscard]] std::string render_callback(const call_backend& call);

/// The `request` of a callback: the raw request target and the headers, names in lower case and in
/// their order. Values are texts. Of a name that came more than once they are joined by ", ",
/// cookies by "; "; of those that can have one value, such as authorization, the first counts. Only
/// set-cookie is an array, always. So does Node, and with it the gateways that backends know.
[[nodiscard]] std::string render_callback_request(std::string_view url, const header_list& headers);

} // namespace herald
