#include "http/protocol/http_reply.hpp"

#include <ostream> // for status.hpp

#include <boost/beast/http/status.hpp>

#include "http/protocol/http_date.hpp"

namespace herald {

namespace {

namespace http = boost::beast::http;

} // namespace

std::string_view reason_phrase(int status) {
  const auto known = http::int_to_status(static_cast<unsigned>(status));
  return known == http::status::unknown ? "Other" : std::string_view{http::obsolete_reason(known)};
}

std::string render_reply(const api_reply& reply, bool with_body) {
  auto bytes = "HTTP/1.1 " + std::to_string(reply.status) + ' ';
  bytes.append(reason_phrase(reply.status)).append("\r\nConnection: close\r\nDate: ");
  bytes.append(http_date_now()).append("\r\n");
  // A stream that HEAD asks for has no length; 204 must not name one.
  const bool endless = reply.content_type == "text/event-stream" && reply.body.empty();
  if (reply.status != 204 && !endless)
    bytes.append("Content-Length: ").append(std::to_string(reply.body.size())).append("\r\n");
  if (reply.status != 204)
    bytes.append("Content-Type: ").append(reply.content_type).append("\r\n");
  for (const auto& [name, value] : reply.headers)
    bytes.append(name).append(": ").append(value).append("\r\n");
  bytes += "\r\n";
  if (with_body)
    bytes += reply.body;
  return bytes;
}

} // namespace herald
