#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace herald::bench {

/// Takes the framing out of a chunked HTTP body, wherever it is cut in pieces.
class chunked_decoder {
public:
  /// Decodes a piece in place: how many bytes of the body are left at its front; nothing if it is
  /// no chunked body.
  std::optional<std::size_t> decode(char* bytes, std::size_t size);

  /// Whether the last chunk was seen. Trailers are skipped, not read.
  [[nodiscard]] bool ended() const noexcept { return now_ == state::ended; }

private:
  enum class state : std::uint8_t { size, extension, data, line_end, ended };

  bool add_digit(char c);
  void end_of_size() { now_ = left_ == 0 ? state::ended : state::data; }

  /// Bytes left of the chunk, or its size as far as it was read.
  std::uint64_t left_ = 0;
  state now_ = state::size;
};

} // namespace herald::bench
