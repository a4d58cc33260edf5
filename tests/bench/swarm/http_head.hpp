#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace herald::bench {

/// What the load client needs to know of the head of an answer, or of a request.
struct http_head {
  /// Of an answer; 0 for a request.
  int status = 0;
  /// Up to and with the empty line.
  std::size_t bytes = 0;
  std::optional<std::size_t> content_length;
  bool chunked = false;
  /// The peer closes the connection afterwards.
  bool close = false;
};

/// The head at the front of `bytes`; nothing as long as its end is not there.
[[nodiscard]] std::optional<http_head> find_http_head(std::string_view bytes);

} // namespace herald::bench
