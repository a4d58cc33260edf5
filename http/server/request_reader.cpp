#include "http/server/request_reader.hpp"

#include <string_view>
#include <utility>

#include "http/protocol/chunked_body.hpp"
#include "http/protocol/request_line.hpp"

namespace herald {

namespace {

/// The end of a head as far as its complete lines are there.
struct head_scan {
  std::size_t seen = 0;
  bool complete = false;
  bool bare_line_feed = false;

  /// Looks at each line once, however often it is called.
  void look(std::string_view bytes) {
    while (!complete && !bare_line_feed) {
      const auto at = bytes.find('\n', seen);
      if (at == std::string_view::npos)
        return;
      seen = at + 1;
      const auto head = bytes.substr(0, seen);
      bare_line_feed = !head.ends_with("\r\n");
      complete = head == "\r\n" || head.ends_with("\r\n\r\n");
    }
  }
};

} // namespace

request_reader::outcome request_reader::read() {
  const auto head = read_head();
  return head == outcome::complete ? read_body() : head;
}

request_reader::outcome request_reader::read_head() {
  const auto deadline = api_socket::clock::now() + limits_.head_timeout;
  head_scan scan;
  while (true) {
    if (scan.seen == 0)
      skip_line_ends();
    const auto bytes = socket_.buffered();
    scan.look(bytes);
    // Waiting for the end of such a head could take for ever.
    if (scan.bare_line_feed)
      return refuse(ec::malformed_request, "a bare LF in the head");
    if (scan.complete)
      break;
    if (bytes.size() > max_head_bytes)
      return scan.seen == 0 ? refuse(ec::target_too_long, line_too_long)
                            : refuse(ec::head_too_large, "the head is too large");
    if (const auto got = fill(deadline); got != outcome::complete)
      return socket_.buffered().empty() ? outcome::gone : got;
  }
  auto head = parse_request_head(socket_.buffered().substr(0, scan.seen));
  socket_.consume(scan.seen);
  if (!head) {
    refusal_ = describe(head.error());
    return outcome::refused;
  }
  head_ = std::move(*head);
  return outcome::complete;
}

/// Some clients end a body with a line end too many (RFC 9112 section 2.2).
void request_reader::skip_line_ends() {
  while (socket_.buffered().starts_with("\r\n"))
    socket_.consume(2);
}

request_reader::outcome request_reader::read_body() {
  if (!head_.chunked && head_.content_length == 0)
    return outcome::complete;
  if (head_.encoded)
    return refuse(ec::unsupported_encoding, "send the body without Content-Encoding");
  if (head_.content_length > limits_.max_body_bytes)
    return refuse_size();
  if (head_.expects_continue && socket_.buffered().empty())
    socket_.write("HTTP/1.1 100 Continue\r\n\r\n", api_socket::clock::now() + limits_.body_timeout);
  return head_.chunked ? read_chunks() : read_counted();
}

request_reader::outcome request_reader::read_counted() {
  const auto deadline = api_socket::clock::now() + limits_.body_timeout;
  const auto length = static_cast<std::size_t>(head_.content_length);
  while (true) {
    const auto part = socket_.buffered().substr(0, length - body_.size());
    body_.append(part);
    socket_.consume(part.size());
    if (body_.size() == length)
      return outcome::complete;
    if (const auto got = fill(deadline); got != outcome::complete)
      return got;
  }
}

request_reader::outcome request_reader::read_chunks() {
  const auto deadline = api_socket::clock::now() + limits_.body_timeout;
  chunked_body decoder{limits_.max_body_bytes};
  while (true) {
    socket_.consume(decoder.feed(socket_.buffered()));
    switch (decoder.now()) {
    case chunked_body::state::done:
      body_ = std::move(decoder.body());
      return outcome::complete;
    case chunked_body::state::malformed:
      return refuse(ec::malformed_request, "the chunks of the body are broken");
    case chunked_body::state::too_large:
      return refuse_size();
    case chunked_body::state::more:
      break;
    }
    if (const auto got = fill(deadline); got != outcome::complete)
      return got;
  }
}

request_reader::outcome request_reader::refuse(ec code, std::string why) {
  refusal_ = {code, std::move(why), {}};
  return outcome::refused;
}

request_reader::outcome request_reader::refuse_size() {
  return refuse(
    ec::body_too_large,
    "a body may have at most " + std::to_string(limits_.max_body_bytes) + " bytes");
}

request_reader::outcome request_reader::fill(api_socket::clock::time_point deadline) {
  switch (socket_.fill(deadline)) {
  case api_socket::event::readable:
    return outcome::complete;
  case api_socket::event::timed_out:
    return refuse(ec::request_timed_out, "the rest of the request did not come in time");
  default:
    return outcome::gone;
  }
}

} // namespace herald
