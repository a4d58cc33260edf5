#include "tests/bench/swarm/http_head.hpp"

#include <charconv>

#include <strings.h>

namespace herald::bench {

namespace {

bool same_text(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r");
  return from == text.npos ? std::string_view{}
                           : text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

template <class Number>
std::optional<Number> to_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} ? std::optional{number} : std::nullopt;
}

void read_field(http_head& head, std::string_view line) {
  const auto colon = line.find(':');
  if (colon == line.npos)
    return;
  const auto name = line.substr(0, colon);
  const auto value = trimmed(line.substr(colon + 1));
  if (same_text(name, "content-length"))
    head.content_length = to_number<std::size_t>(value);
  else if (same_text(name, "transfer-encoding"))
    head.chunked = same_text(value, "chunked");
  else if (same_text(name, "connection"))
    head.close = same_text(value, "close");
}

} // namespace

std::optional<http_head> find_http_head(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == bytes.npos)
    return std::nullopt;
  http_head head;
  head.bytes = end + 4;
  auto rest = bytes.substr(0, end + 2);
  if (rest.starts_with("HTTP/1.") && rest.size() > 12) {
    head.status = to_number<int>(rest.substr(9, 3)).value_or(0);
    head.close = rest.starts_with("HTTP/1.0");
  }
  while (!rest.empty()) {
    const auto line_end = rest.find("\r\n");
    read_field(head, rest.substr(0, line_end));
    rest.remove_prefix(line_end + 2);
  }
  return head;
}

} // namespace herald::bench
