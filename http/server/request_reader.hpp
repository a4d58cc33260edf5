#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "http/protocol/api_message.hpp"
#include "http/protocol/request_parser.hpp"
#include "http/server/api_socket.hpp"
#include "messages/errors.hpp"

namespace herald {

/// How requests are read, by whatever way they come in.
struct reading_rules {
  /// Of the longest body counts what is in force when one begins.
  const std::atomic<std::size_t>* max_body_bytes = nullptr;
  std::chrono::milliseconds head_timeout{};
  std::chrono::milliseconds body_timeout{};
  /// Whether a request is for here, by its head; empty: all are.
  std::function<bool(const request_head&)> takes;
  /// What is answered, by its head, to a request whose body is not to be read; empty: all are.
  std::function<std::optional<api_reply>(const request_head&, int descriptor)> refuses;
};

/// Reads one API request off a connection, head and body, and never more than it may have: what is
/// too large is refused before it is kept. Never waits: whoever has it waits for bytes, until
/// `deadline`. Unless a request is complete the connection cannot go on.
class request_reader {
public:
  enum class outcome : std::uint8_t {
    complete,   ///< head and body are there
    unfinished, ///< more bytes are wanted
    refused,    ///< is to be answered with `refusal`
    elsewhere,  ///< the head is there, and is not for here
    gone,       ///< the client is, or has sent nothing in time
  };

  /// `rules` outlive it.
  explicit request_reader(const reading_rules& rules) : rules_(&rules) {}

  /// Reads what is there, up to some hundred KiB. Not after another outcome than `unfinished`.
  outcome read(api_socket& socket);

  /// `deadline` has passed: `refused` or `gone`.
  outcome expire(const api_socket& socket);

  /// Whether the first byte has come.
  [[nodiscard]] bool begun() const noexcept { return deadline_.has_value(); }
  /// Of the head, then of the body, each as a whole; none before the first byte.
  [[nodiscard]] std::optional<api_socket::clock::time_point> deadline() const noexcept {
    return deadline_;
  }
  /// Bytes that have come so far, apart from those that the socket still has.
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

  /// As far as it was read.
  [[nodiscard]] const request_head& head() const noexcept { return parser_.head(); }
  [[nodiscard]] std::string& body() noexcept { return parser_.body(); }
  [[nodiscard]] const failure& refusal() const noexcept { return refusal_; }
  /// Counts before `refusal`, where there is one.
  [[nodiscard]] std::optional<api_reply>& answer() noexcept { return answer_; }

private:
  void use(api_socket& socket);
  outcome begin_body(api_socket& socket);
  outcome refuse(failure why);

  const reading_rules* rules_;
  request_parser parser_{request_limits{}};
  std::optional<api_socket::clock::time_point> deadline_;
  std::size_t used_ = 0;
  failure refusal_;
  std::optional<api_reply> answer_;
};

} // namespace herald
