#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "http/protocol/request_head.hpp"
#include "http/server/api_socket.hpp"
#include "messages/errors.hpp"

namespace herald {

struct reading_limits {
  std::size_t max_body_bytes = std::size_t{8} * 1024 * 1024;
  /// From the first byte of a request to the end of its head; then to the end of its body.
  std::chrono::milliseconds head_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
};

/// Reads one API request off a connection, head and body, and never more than it may have: what is
/// too large is refused before it is kept. Unless a request is complete the connection cannot go
/// on.
class request_reader {
public:
  enum class outcome : std::uint8_t {
    complete, ///< head and body are there
    refused,  ///< is to be answered with `refusal`
    gone,     ///< the client is, or has sent nothing
  };

  request_reader(api_socket& socket, const reading_limits& limits)
    : socket_(socket),
      limits_(limits) {}

  /// Call it once, when the first byte is there.
  outcome read();

  [[nodiscard]] request_head& head() noexcept { return head_; }
  [[nodiscard]] std::string& body() noexcept { return body_; }
  [[nodiscard]] const failure& refusal() const noexcept { return refusal_; }

private:
  outcome read_head();
  void skip_line_ends();
  outcome read_body();
  outcome read_counted();
  outcome read_chunks();
  outcome refuse(ec code, std::string why);
  outcome refuse_size();
  outcome fill(api_socket::clock::time_point deadline);

  api_socket& socket_;
  const reading_limits& limits_;
  request_head head_;
  std::string body_;
  failure refusal_;
};

} // namespace herald
