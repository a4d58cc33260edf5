#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/bench/swarm/chunked_decoder.hpp"
#include "tests/bench/swarm/sse_reader.hpp"

namespace herald::bench {

/// Reads the answer to a stream's request from pieces of any size: the head, then lines, as they
/// are or chunked. Keeps only what is not yet a whole line.
class answer_reader {
public:
  enum class state : std::uint8_t { in_head, open, refused, malformed, ended };

  [[nodiscard]] state now() const noexcept { return now_; }

  /// Copies what was kept to the front of `buffer`; gives its size. New bytes belong behind it.
  std::size_t restore(char* buffer) const { return rest_.copy(buffer, rest_.size()); }

  /// Reads what was kept, with `fresh` new bytes behind it. Gives complete lines of the stream to
  /// `on_line`. The buffer is changed.
  template <class OnLine>
  state read(char* buffer, std::size_t fresh, OnLine on_line) {
    char* body = buffer;
    std::size_t kept = rest_.size();
    if (now_ == state::in_head) {
      const auto head = read_head({buffer, kept + fresh});
      if (now_ != state::open)
        return now_;
      body += head;
      fresh = kept + fresh - head;
      kept = 0;
    }
    const auto size = kept + unwrap(body + kept, fresh);
    const std::string_view text{body, size};
    keep(text.substr(for_each_line(text, on_line)));
    return now_;
  }

  /// The first line of an answer that is no stream.
  [[nodiscard]] const std::string& refusal() const noexcept { return rest_; }

private:
  /// Gives the size of the head, if it is complete.
  std::size_t read_head(std::string_view bytes);
  /// Takes the chunks' framing away, if there is one.
  std::size_t unwrap(char* bytes, std::size_t size);
  void keep(std::string_view bytes);

  std::string rest_;
  chunked_decoder chunks_;
  bool chunked_ = false;
  state now_ = state::in_head;
};

/// The longest line, or head, that is read.
inline constexpr std::size_t max_answer_line = std::size_t{1} << 20;

} // namespace herald::bench
