#include "http/protocol/closing_reply.hpp"

#include "http/protocol/http_date.hpp"

namespace herald {

std::string_view reason_phrase(int status) {
  switch (status) {
  case 200:
    return "OK";
  case 204:
    return "No Content";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 402:
    return "Payment Required";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 406:
    return "Not Acceptable";
  case 407:
    return "Proxy Authentication Required";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 410:
    return "Gone";
  case 411:
    return "Length Required";
  case 412:
    return "Precondition Failed";
  case 413:
    return "Payload Too Large";
  case 414:
    return "URI Too Long";
  case 415:
    return "Unsupported Media Type";
  case 416:
    return "Range Not Satisfiable";
  case 417:
    return "Expectation Failed";
  case 418:
    return "I'm a teapot";
  case 421:
    return "Misdirected Request";
  case 422:
    return "Unprocessable Entity";
  case 423:
    return "Locked";
  case 424:
    return "Failed Dependency";
  case 425:
    return "Too Early";
  case 426:
    return "Upgrade Required";
  case 428:
    return "Precondition Required";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 451:
    return "Unavailable For Legal Reasons";
  case 500:
    return "Internal Server Error";
  case 501:
    return "Not Implemented";
  case 502:
    return "Bad Gateway";
  case 503:
    return "Service Unavailable";
  case 504:
    return "Gateway Timeout";
  case 505:
    return "HTTP Version Not Supported";
  case 506:
    return "Variant Also Negotiates";
  case 507:
    return "Insufficient Storage";
  case 508:
    return "Loop Detected";
  case 511:
    return "Network Authentication Required";
  default:
    return "Other";
  }
}

std::string render_reply(const api_reply& reply, bool with_body) {
  auto bytes = "HTTP/1.1 " + std::to_string(reply.status) + ' ';
  bytes.append(reason_phrase(reply.status)).append("\r\nConnection: close\r\nDate: ");
  bytes.append(http_date_now()).append("\r\n");
  // What a stream would be has no length; 204 must not name one.
  if (reply.status != 204 && reply.content_type != "text/event-stream")
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
