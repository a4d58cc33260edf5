#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <poll.h>

#include "tests/support/chunked_body.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/sse_parser.hpp"

namespace herald::testing {

/// A browser's side of one stream, on a socket that is read when the test waits for something.
/// Many of them wait together in `read_until`, in one poll loop.
class sse_client {
public:
  /// Connects and asks for `target`; `headers` are whole lines. Waits for no answer. `address` is
  /// one of IPv4.
  sse_client(
    std::uint16_t port, std::string target, std::string headers = {},
    std::string address = "127.0.0.1");
  sse_client(sse_client&& other) noexcept;
  sse_client& operator=(sse_client&&) = delete;
  ~sse_client();

  /// Waits for the head of the answer; whether it opens a stream.
  bool open(std::chrono::milliseconds limit = patience);

  /// 0 until the head is there.
  [[nodiscard]] int status() const noexcept { return status_; }
  /// A header by its name in lower case; empty if there is none.
  [[nodiscard]] std::string header(std::string_view name) const;
  /// The body of an answer that is no stream.
  [[nodiscard]] const std::string& body() const noexcept { return body_; }

  /// Everything that has come, over all connections.
  [[nodiscard]] const std::vector<sse_event>& events() const noexcept { return parser_.events(); }
  [[nodiscard]] const std::vector<std::string>& comments() const noexcept {
    return parser_.comments();
  }
  [[nodiscard]] std::optional<std::uint64_t> retry() const noexcept { return parser_.retry(); }
  [[nodiscard]] const std::string& last_event_id() const noexcept {
    return parser_.last_event_id();
  }
  /// The place from which this connection is live; empty until that is told.
  [[nodiscard]] const std::string& place() const noexcept { return parser_.place(); }
  /// Whether the server has ended the stream.
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  /// Whether it has said so: the last chunk has come, and not only the end of the connection.
  [[nodiscard]] bool complete() const noexcept {
    return chunked_ && chunked_->now() == chunked_body::state::done;
  }

  /// Moves out all that has come, for a client that is to keep nothing; `next` starts anew.
  std::vector<sse_event> take_events();

  /// The next event that was not taken yet.
  std::optional<sse_event> next(std::chrono::milliseconds limit = patience);
  /// The same, passing over events of other names.
  std::optional<sse_event> next(std::string_view name, std::chrono::milliseconds limit = patience);
  /// Whether it has a cursor to come back with; it gets one with the stream, before any event.
  bool wait_for_cursor(std::chrono::milliseconds limit = patience);
  bool wait_for_comment(std::string_view text, std::chrono::milliseconds limit = patience);
  /// Whether the server ends the stream.
  bool wait_for_end(std::chrono::milliseconds limit = patience);

  /// Leaves.
  void close();
  /// Comes back as a browser does, with Last-Event-ID if it has one.
  void reconnect() { reconnect(port_); }
  void reconnect(std::uint16_t port) { reconnect(port, 0); }
  /// The same without waiting for the connection, which is made while the client is read from: for
  /// many of them over a network that may be cut.
  void begin_reconnect(std::uint16_t port);

  /// Begins anew as another page, with another target and nothing of what was before.
  void begin_anew(std::uint16_t port, std::string target);

  // For the poll loop.
  [[nodiscard]] int descriptor() const noexcept { return ended_ ? -1 : descriptor_; }
  /// What it waits for, as poll has it.
  [[nodiscard]] short awaits() const noexcept { return connecting_.empty() ? POLLIN : POLLOUT; }
  void read_some();

private:
  void reconnect(std::uint16_t port, int socket_flags);
  void connect(const std::string& more_headers, int socket_flags = 0);
  void ask();
  void take(std::string_view bytes);
  void take_content(std::string_view bytes);

  std::string address_;
  std::uint16_t port_;
  std::string target_;
  std::string headers_;
  int descriptor_ = -1;
  bool ended_ = false;
  /// What to send once there is a connection.
  std::string connecting_;
  bool head_complete_ = false;
  /// The lines of the head, without its last line end, names in lower case.
  std::string head_;
  int status_ = 0;
  std::string body_;
  std::optional<chunked_body> chunked_;
  sse_parser parser_;
  std::size_t taken_ = 0;
};

/// The target that opens a stream of herald's own.
[[nodiscard]] std::string stream_target(std::string_view request_id);

/// Opens streams for `prefix`0 to `prefix`n-1 and waits until all are open.
[[nodiscard]] std::vector<sse_client>
open_streams(std::uint16_t port, std::size_t count, const std::string& prefix = "page-");

/// Reads from all that have something to say, once; waits at most `limit` for one that has.
void read_once(std::span<sse_client> clients, std::chrono::milliseconds limit);

/// Reads from all until `holds()`. Whether it came to that before `limit`.
template <class Predicate>
[[nodiscard]] bool read_until(
  std::span<sse_client> clients, Predicate holds, std::chrono::milliseconds limit = patience) {
  using namespace std::chrono;
  const auto deadline = steady_clock::now() + limit;
  while (!holds()) {
    const auto left = ceil<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0)
      return false;
    read_once(clients, left);
  }
  return true;
}

} // namespace herald::testing
