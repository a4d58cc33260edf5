#include "tests/support/chunked_body.hpp"

#include <algorithm>

#include "http/protocol/hex.hpp"

namespace herald::testing {

namespace {

/// Enough for any honest use of extensions and trailers.
constexpr std::size_t max_dropped_bytes = std::size_t{8} * 1024;
constexpr std::uint64_t max_size = 0xffff'ffff;

} // namespace

std::size_t chunked_body::feed(std::string_view input) {
  std::size_t at = 0;
  while (at < input.size() && state_ == state::more) {
    if (part_ == part::data)
      at += take_data(input.substr(at));
    else
      step(input[at++]);
  }
  return at;
}

std::size_t chunked_body::take_data(std::string_view input) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
  body_.append(input.substr(0, count));
  left_ -= count;
  if (left_ == 0)
    part_ = part::data_cr;
  return count;
}

void chunked_body::step(char c) {
  switch (part_) {
  case part::size:
    size_digit(c);
    return;
  case part::extension:
    if (c == '\r')
      part_ = part::size_end;
    else if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || ++dropped_ > max_dropped_bytes)
      state_ = state::malformed;
    return;
  case part::size_end:
    if (c == '\n')
      end_of_size();
    else
      state_ = state::malformed;
    return;
  case part::data_cr:
    part_ = part::data_lf;
    if (c != '\r')
      state_ = state::malformed;
    return;
  case part::data_lf:
    part_ = part::size;
    if (c != '\n')
      state_ = state::malformed;
    return;
  case part::trailer:
    trailer_char(c);
    return;
  case part::data:
    return;
  }
}

void chunked_body::size_digit(char c) {
  const int value = hex_value(c);
  if (value >= 0 && left_ <= max_size / 16) {
    left_ = left_ * 16 + static_cast<std::uint64_t>(value);
    has_digits_ = true;
  } else if (has_digits_ && (c == ';' || c == ' ' || c == '\t')) {
    part_ = part::extension;
  } else if (has_digits_ && c == '\r') {
    part_ = part::size_end;
  } else {
    state_ = state::malformed;
  }
}

void chunked_body::end_of_size() {
  has_digits_ = false;
  if (left_ == 0)
    part_ = part::trailer;
  else if (left_ > max_bytes_ - body_.size())
    state_ = state::too_large;
  else
    part_ = part::data;
}

void chunked_body::trailer_char(char c) {
  const bool bare = !trailer_cr_ && (c == '\n' || c == '\0');
  if (++dropped_ > max_dropped_bytes || bare) {
    state_ = state::malformed;
  } else if (trailer_cr_) {
    if (c != '\n')
      state_ = state::malformed;
    else if (trailer_line_ == 0)
      state_ = state::done;
    trailer_cr_ = false;
    trailer_line_ = 0;
  } else if (c == '\r') {
    trailer_cr_ = true;
  } else {
    ++trailer_line_;
  }
}

} // namespace herald::testing
