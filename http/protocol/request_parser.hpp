#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/protocol/request_head.hpp"
#include "messages/errors.hpp"

namespace herald {

/// How much of a head is read; each port has its own.
struct request_limits {
  /// Of the head, its empty line and those before it included.
  std::size_t head_bytes = std::size_t{16} * 1024;
  /// Of the request line, and of each header.
  std::size_t line_bytes = 8000;
};

inline constexpr std::size_t max_header_fields = 100;

/// Reads one request, head and body, from the bytes of a connection. Both ports read with it, so
/// that the same fault has the same code and the same words everywhere. Pure.
///
/// Beast parses. What it lets pass and RFC 9112 does not allow or leaves to taste is refused before
/// it, line by line (bare CR or LF, folded lines, other control characters), or behind it
/// (`interpret_headers`). Empty lines before the head are ignored (section 2.2); of a chunked body
/// extensions and trailers are dropped.
class request_parser {
public:
  enum class state : std::uint8_t {
    head,     ///< more of the head is wanted
    body,     ///< the head is there and a body follows
    complete, ///< the head is there, and all of the body
    refused,  ///< `refusal` says why; of the head there is what could be read
  };

  explicit request_parser(const request_limits& limits);
  request_parser(request_parser&&) noexcept;
  request_parser& operator=(request_parser&&) noexcept;
  ~request_parser();

  /// Reads on. `bytes` begin with those that were not used before; gives how many are used now. No
  /// more than the head at first, and nothing of a body that is not allowed yet.
  std::size_t read(std::string_view bytes);

  /// In state `body`, once: the body may have so many bytes, whatever a chunk claims.
  void allow_body(std::size_t max_bytes);

  [[nodiscard]] state now() const noexcept;
  [[nodiscard]] const request_head& head() const noexcept;
  /// To be moved out when complete.
  [[nodiscard]] std::string& body() noexcept;
  [[nodiscard]] const failure& refusal() const noexcept;

private:
  class beast;

  std::unique_ptr<beast> beast_;
};

/// The fault of a client whose head has taken longer than it may.
[[nodiscard]] failure head_timed_out(std::chrono::milliseconds limit);

} // namespace herald
