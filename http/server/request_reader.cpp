#include "http/server/request_reader.hpp"

#include <utility>

namespace herald {

using state = request_parser::state;

request_reader::outcome request_reader::read() {
  const auto got = read_while(state::head, options_.head_timeout);
  if (got != outcome::complete || parser_.now() == state::complete)
    return got;
  if (head().encoded)
    return refuse({ec::unsupported_encoding, "send the body without Content-Encoding", {}});
  parser_.allow_body(options_.max_body_bytes);
  if (head().expects_continue && parser_.now() == state::body && socket_.buffered().empty())
    socket_.write(
      "HTTP/1.1 100 Continue\r\n\r\n", api_socket::clock::now() + options_.body_timeout);
  return read_while(state::body, options_.body_timeout);
}

/// Reads until the parser has what it wants.
request_reader::outcome request_reader::read_while(state wanted, std::chrono::milliseconds time) {
  const auto deadline = api_socket::clock::now() + time;
  while (true) {
    socket_.consume(parser_.read(socket_.buffered()));
    if (parser_.now() == state::refused)
      return refuse(parser_.refusal());
    if (parser_.now() != wanted)
      return outcome::complete;
    switch (socket_.fill(deadline)) {
    case api_socket::event::readable:
      break;
    case api_socket::event::timed_out:
      return refuse_late(wanted);
    default:
      return outcome::gone;
    }
  }
}

request_reader::outcome request_reader::refuse_late(state wanted) {
  if (wanted == state::body)
    return refuse({ec::request_timed_out, "the rest of the request did not come in time", {}});
  // Empty lines before a head say nothing.
  return socket_.buffered().empty() ? outcome::gone : refuse(head_timed_out(options_.head_timeout));
}

request_reader::outcome request_reader::refuse(failure why) {
  refusal_ = std::move(why);
  return outcome::refused;
}

} // namespace herald
