#include "tests/bench/swarm/chunked_decoder.hpp"

#include <algorithm>
#include <cstring>

namespace herald::bench {

namespace {

constexpr std::uint64_t max_chunk = std::uint64_t{1} << 40;

} // namespace

bool chunked_decoder::add_digit(char c) {
  unsigned digit = 0;
  if (c >= '0' && c <= '9')
    digit = static_cast<unsigned>(c - '0');
  else if (const char lower = static_cast<char>(c | 0x20); lower >= 'a' && lower <= 'f')
    digit = static_cast<unsigned>(lower - 'a') + 10;
  else
    return false;
  left_ = left_ * 16 + digit;
  return left_ <= max_chunk;
}

std::optional<std::size_t> chunked_decoder::decode(char* bytes, std::size_t size) {
  char* out = bytes;
  const char* in = bytes;
  const char* const end = bytes + size;
  while (in < end && now_ != state::ended) {
    switch (now_) {
    case state::size:
      if (*in == '\n')
        end_of_size();
      else if (*in == ';' || *in == ' ')
        now_ = state::extension;
      else if (*in != '\r' && !add_digit(*in))
        return std::nullopt;
      ++in;
      break;
    case state::extension:
      if (*in++ == '\n')
        end_of_size();
      break;
    case state::data: {
      const auto piece = std::min<std::uint64_t>(left_, static_cast<std::uint64_t>(end - in));
      std::memmove(out, in, piece);
      out += piece;
      in += piece;
      left_ -= piece;
      if (left_ == 0)
        now_ = state::line_end;
      break;
    }
    case state::line_end:
      if (*in == '\n')
        now_ = state::size;
      else if (*in != '\r')
        return std::nullopt;
      ++in;
      break;
    case state::ended:
      break;
    }
  }
  return static_cast<std::size_t>(out - bytes);
}

} // namespace herald::bench
