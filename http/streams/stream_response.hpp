#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "http/fanout/sse_format.hpp"
#include "http/protocol/api_message.hpp"
#include "http/protocol/http_date.hpp"
#include "messages/connections.hpp"

namespace herald {

/// The head of the response that is a stream, up to and with its empty line. `cors` are the headers
/// by which pages of other origins may read it.
[[nodiscard]] inline std::string render_stream_head(bool http_1_0, const header_list& cors) {
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

/// A whole answer that is a stream without events: when to come back, why as a comment, the end.
/// EventSource comes back; any status but 200 it takes for "never".
[[nodiscard]] inline api_reply
stream_that_ends(std::chrono::milliseconds come_back_after, std::string_view why) {
  api_reply reply;
  reply.content_type = "text/event-stream";
  reply.headers = {{"Cache-Control", "no-cache, no-transform"}, {"X-Accel-Buffering", "no"}};
  append_retry(reply.body, come_back_after);
  append_comment(reply.body, why.substr(0, why.find_first_of("\r\n")));
  return reply;
}

} // namespace herald
