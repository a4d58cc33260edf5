#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "http/fanout/framing.hpp"
#include "http/fanout/sse_format.hpp"
#include "http/protocol/api_message.hpp"
#include "http/protocol/http_date.hpp"
#include "messages/connections.hpp"

namespace herald {

/// The head of the response that is a stream, up to and with its empty line. It says how the stream
/// is framed: where nothing does, caches take the response for empty, and some clients wait until
/// much has come. `cors` are the headers by which pages of other origins may read the stream.
///
/// Its connection ends with it: a client that took that for its next request would lose it. Where
/// herald stands in for a gateway the head says what the gateway's does, and lets proxies transform
/// what they do not keep.
[[nodiscard]] inline std::string
render_stream_head(framing how, const header_list& cors, bool of_gateway = false) {
  std::string head = "HTTP/1.1 200 OK\r\n"
                     "Content-Type: text/event-stream\r\n"
                     "Cache-Control: no-cache";
  head += of_gateway ? "\r\n" : ", no-transform\r\n";
  head += "X-Accel-Buffering: no\r\n";
  const bool chunked = how == framing::chunked;
  head += chunked && of_gateway ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
  if (chunked)
    head += "Transfer-Encoding: chunked\r\n";
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
