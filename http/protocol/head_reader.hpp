#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "http/protocol/stream_request.hpp"

namespace herald {

/// Reads one request head from the bytes of a connection, strictly, as Beast's parser does; empty
/// lines before it are ignored (RFC 9112 section 2.2). Pure.
class head_reader {
public:
  enum class state : std::uint8_t {
    more,
    complete,
    malformed,
    /// A request, but of neither HTTP/1.1 nor HTTP/1.0.
    unsupported_version,
    /// The request line alone takes more than a head may.
    line_too_long,
    too_large,
  };

  /// A head may have `max_bytes`, its empty line included and those before it.
  explicit head_reader(std::size_t max_bytes);
  head_reader(head_reader&&) noexcept;
  ~head_reader();

  /// Takes what has come in, in any pieces. Not to be called once the state is not `more`; what
  /// follows the head is ignored.
  state feed(std::string_view bytes);

  /// What was read; whole only in state `complete`.
  [[nodiscard]] const stream_request& request() const noexcept;

private:
  class parser;
  std::unique_ptr<parser> parser_;
};

} // namespace herald
