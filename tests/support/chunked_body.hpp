#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace herald::testing {

/// Takes the chunked coding (RFC 9112 section 7.1) off a body, strictly: sizes are hex digits only
/// and every line ends with CR LF. Extensions and trailers are dropped. For what herald sends, and
/// as another reader of what herald reads.
class chunked_body {
public:
  enum class state : std::uint8_t { more, done, malformed, too_large };

  explicit chunked_body(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// Reads on; gives the number of bytes that belong to this body. Fewer than all only at its end
  /// or at an error. Never keeps more than the allowed bytes, whatever size a chunk claims.
  std::size_t feed(std::string_view input);

  [[nodiscard]] state now() const noexcept { return state_; }
  /// The body so far, to be moved out when done.
  [[nodiscard]] std::string& body() noexcept { return body_; }

private:
  enum class part : std::uint8_t { size, extension, size_end, data, data_cr, data_lf, trailer };

  void step(char c);
  void size_digit(char c);
  void end_of_size();
  void trailer_char(char c);
  std::size_t take_data(std::string_view input);

  std::size_t max_bytes_;
  std::string body_;
  state state_ = state::more;
  part part_ = part::size;
  std::uint64_t left_ = 0;
  bool has_digits_ = false;
  /// Bytes of extensions and trailers.
  std::size_t dropped_ = 0;
  std::size_t trailer_line_ = 0;
  bool trailer_cr_ = false;
};

} // namespace herald::testing
