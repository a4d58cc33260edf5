#include "tests/support/sse_parser.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace herald::testing {

void sse_parser::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    auto end = std::min(bytes.find('\n'), bytes.size());
    end = std::min(bytes.substr(0, end).find('\r'), end);
    line_ += bytes.substr(0, end);
    if (end == bytes.size())
      return;
    after_cr_ = bytes[end] == '\r';
    take_line(line_);
    line_.clear();
    bytes.remove_prefix(end + 1);
  }
}

void sse_parser::restart() {
  line_.clear();
  after_cr_ = false;
  next_ = {};
  has_data_ = false;
  place_.clear();
}

void sse_parser::take_line(std::string_view line) {
  if (line.empty())
    return dispatch();
  const auto colon = line.find(':');
  const auto field = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' '))
    value.remove_prefix(1);
  if (field.empty()) {
    comments_.emplace_back(value);
  } else if (field == "data") {
    if (std::exchange(has_data_, true))
      next_.data += '\n';
    next_.data += value;
  } else if (field == "event") {
    next_.name = value;
  } else if (field == "id") {
    next_.id = value;
  } else if (field == "retry") {
    std::uint64_t number = 0;
    const auto* end = value.data() + value.size();
    if (std::from_chars(value.data(), end, number).ptr == end)
      retry_ = number;
  }
}

void sse_parser::dispatch() {
  if (!next_.id.empty())
    last_event_id_ = next_.id;
  if (has_data_)
    events_.push_back(next_);
  else if (place_.empty())
    place_ = next_.id;
  next_ = {};
  has_data_ = false;
}

} // namespace herald::testing
