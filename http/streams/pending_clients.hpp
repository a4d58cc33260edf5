#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/admission/client_origin.hpp"
#include "http/protocol/api_message.hpp"
#include "http/protocol/request_parser.hpp"
#include "http/sockets/socket_set.hpp"
#include "messages/connections.hpp"
#include "messages/errors.hpp"

namespace herald {

/// The socket of a client whose request is read.
struct client_socket {
  int fd = -1;
  /// Whether it is in the socket set, under its old tag. One whose request was there when
  /// it was accepted is not.
  bool watched = false;
  /// What has come behind the head of its request, so far.
  std::string_view behind_head{};
  /// The client that the proxy before it names, if it speaks the PROXY protocol.
  std::optional<ip_address> named{};
};

/// Decides about the requests of clients. Must not call the clients back.
class request_sink {
public:
  request_sink() = default;
  request_sink(const request_sink&) = delete;
  request_sink& operator=(const request_sink&) = delete;
  virtual ~request_sink() = default;

  /// The head of a request is read. Gives the answer to write, or nothing if the sink has taken the
  /// socket over.
  virtual std::optional<api_reply>
  on_request(const client_socket& from, const request_head& request) = 0;
  /// A client is refused before its request was read: `ec::request_timed_out`, `ec::overloaded` for
  /// one that is crowded out, or what the parser says. Gives the headers to answer with beside
  /// that.
  virtual header_list on_refusal(ec why) = 0;
};

struct pending_limits {
  std::size_t head_bytes = 0;
  std::chrono::milliseconds head_time{};
};

/// The clients of a loop from their accept until their request is read, or until they have taken
/// the answer that ends them.
///
/// A head mostly comes in one piece, often before its client is accepted, is read into the loop's
/// one buffer, and leaves nothing behind.
/// For the loop's thread.
class pending_clients {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Sockets are tagged with `kind` in `sockets`; both outlive this.
  pending_clients(
    const pending_limits& limits, socket_set& sockets, std::uint32_t kind, request_sink& sink);
  ~pending_clients();
  pending_clients(const pending_clients&) = delete;
  pending_clients& operator=(const pending_clients&) = delete;

  /// For the heads that begin from now on.
  void limit_heads(std::size_t bytes) noexcept { limits_.head_bytes = bytes; }

  /// Takes a client over: a non-blocking socket, off which these bytes were read. With `room`
  /// clients here already it crowds out the one that has been here for longest. `proxied`: its
  /// first bytes are a `proxy_header`.
  void
  add(int fd, std::size_t room, time_point now, std::string_view read = {}, bool proxied = false);
  /// Something has happened to the socket of that index.
  void on_event(const socket_event& event, time_point now);
  /// Ends those whose time is over.
  void expire(time_point now);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
  using index = std::uint32_t;
  enum class phase : std::uint8_t { free, reading, answering, lingering };

  struct client {
    int fd = -1;
    bool watched = false;
    /// A header of the PROXY protocol is to come.
    bool proxied = false;
    phase now = phase::free;
    /// Tells apart the clients that have had this index.
    std::uint32_t generation = 0;
    std::optional<request_parser> parser;
    /// Bytes that the parser has not used yet.
    std::string unread;
    /// The rest of the answer.
    std::string answer;
    std::size_t discarded = 0;
    std::optional<ip_address> named;
  };
  struct deadline {
    time_point when;
    index who = 0;
    std::uint32_t generation = 0;
  };

  void read(index who, time_point now);
  void take(index who, std::string_view input, time_point now);
  bool take_proxy_header(index who, std::string_view& input, time_point now);
  void refuse(index who, const failure& why, ec told, time_point now);
  void answer(index who, const api_reply& reply, bool with_body, time_point now);
  void write(index who);
  void discard(index who);
  bool watch(index who, bool writable);
  void crowd_out(time_point now);
  /// Gives the descriptor away; the index is free.
  int release(index who);
  void close_client(index who);
  [[nodiscard]] bool is_due(const deadline& what, phase expected) const;

  pending_limits limits_;
  socket_set& sockets_;
  std::uint32_t kind_;
  request_sink& sink_;
  std::deque<client> clients_;
  std::vector<index> free_;
  std::size_t size_ = 0;
  /// Each in the order of time, as each phase takes the same for all.
  std::deque<deadline> reading_;
  std::deque<deadline> ending_;
};

} // namespace herald
