#include "http/streams/stream_response.hpp"

#include "http/protocol/http_date.hpp"

namespace herald {

std::string render_stream_head(bool http_1_0, const header_list& cors) {
  std::string head = "HTTP/1.1 200 OK\r\n"
                     "Content-Type: text/event-stream\r\n"
                     "Cache-Control: no-cache, no-transform\r\n"
                     "X-Accel-Buffering: no\r\n";
  head += http_1_0 ? "Connection: close\r\n" : "Connection: keep-alive\r\n";
  head.append("Date: ").append(http_date_now()).append("\r\n");
  for (const auto& [name, value] : cors)
    head.append(name).append(": ").append(value).append("\r\n");
  head += "\r\n";
  return head;
}

} // namespace herald
