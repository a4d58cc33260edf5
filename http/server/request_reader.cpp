#include "http/server/request_reader.hpp"

#include <utility>

namespace herald {

using state = request_parser::state;

namespace {

/// So many reads of one connection before others have their turn.
constexpr int reads_in_turn = 16;

} // namespace

request_reader::outcome request_reader::read(api_socket& socket) {
  for (int reads = 0;; ++reads) {
    if (!deadline_ && !socket.buffered().empty())
      deadline_ = api_socket::clock::now() + rules_->head_timeout;
    const auto before = parser_.now();
    use(socket);
    const auto now = parser_.now();
    if (now == state::refused)
      return refuse(parser_.refusal());
    if (now != before && rules_->takes && !rules_->takes(head()))
      return outcome::elsewhere;
    if (now == state::complete)
      return outcome::complete;
    if (now == state::body && before == state::head) {
      if (const auto begun = begin_body(socket); begun != outcome::unfinished)
        return begun;
      continue;
    }
    if (reads == reads_in_turn)
      return outcome::unfinished;
    switch (socket.fill()) {
    case api_socket::input::bytes:
      break;
    case api_socket::input::nothing:
      return outcome::unfinished;
    case api_socket::input::ended:
      return outcome::gone;
    }
  }
}

void request_reader::use(api_socket& socket) {
  const auto used = parser_.read(socket.buffered());
  used_ += used;
  socket.consume(used);
}

/// The head is there and a body follows.
request_reader::outcome request_reader::begin_body(api_socket& socket) {
  if (rules_->refuses)
    if (auto answer = rules_->refuses(head(), socket.descriptor())) {
      answer_ = std::move(answer);
      return outcome::refused;
    }
  if (head().encoded)
    return refuse({ec::unsupported_encoding, "send the body without Content-Encoding", {}});
  parser_.allow_body(*rules_->max_body_bytes);
  deadline_ = api_socket::clock::now() + rules_->body_timeout;
  if (head().expects_continue && parser_.now() == state::body && socket.buffered().empty()) {
    socket.put("HTTP/1.1 100 Continue\r\n\r\n");
    if (socket.flush() == api_socket::output::failed)
      return outcome::gone;
  }
  return outcome::unfinished;
}

request_reader::outcome request_reader::expire(const api_socket& socket) {
  if (parser_.now() == state::body)
    return refuse({ec::request_timed_out, "the rest of the request did not come in time", {}});
  // Empty lines before a head say nothing.
  return socket.buffered().empty() ? outcome::gone : refuse(head_timed_out(rules_->head_timeout));
}

request_reader::outcome request_reader::refuse(failure why) {
  refusal_ = std::move(why);
  return outcome::refused;
}

} // namespace herald
