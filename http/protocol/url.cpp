#include "http/protocol/url.hpp"

#include <algorithm>
#include <utility>

#include "http/protocol/hex.hpp"

namespace herald {

namespace {

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      result += ' ';
    } else if (text[i] != '%') {
      result += text[i];
    } else {
      if (i + 2 >= text.size())
        return std::nullopt;
      const auto high = hex_value(text[i + 1]);
      const auto low = hex_value(text[i + 2]);
      if (high < 0 || low < 0)
        return std::nullopt;
      result += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return result;
}

} // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  return decode(text, false);
}

std::optional<std::string> form_decode(std::string_view text) {
  return decode(text, true);
}

request_target split_target(std::string_view target) {
  if (const auto scheme = target.find("://");
      scheme != std::string_view::npos && !target.empty() && target.front() != '/') {
    const auto path = target.find_first_of("/?", scheme + 3);
    target = path == std::string_view::npos ? std::string_view{} : target.substr(path);
  }
  target = target.substr(0, target.find('#'));
  const auto mark = target.find('?');
  if (mark == std::string_view::npos)
    return {target, {}};
  return {target.substr(0, mark), target.substr(mark + 1)};
}

std::vector<query_argument> query_arguments(std::string_view query) {
  std::vector<query_argument> arguments;
  std::size_t start = 0;
  while (start < query.size()) {
    const auto end = std::min(query.find('&', start), query.size());
    const auto pair = query.substr(start, end - start);
    start = end + 1;
    const auto equals = std::min(pair.find('='), pair.size());
    if (equals == 0)
      continue;
    const auto name = pair.substr(0, equals);
    auto decoded = form_decode(name);
    if (decoded)
      arguments.push_back(
        {std::move(*decoded), form_decode(pair.substr(std::min(equals + 1, pair.size())))});
    else
      arguments.push_back({std::string{name}, std::nullopt});
  }
  return arguments;
}

std::map<std::string, std::string> parse_query(std::string_view query) {
  std::map<std::string, std::string> arguments;
  for (auto& [name, value] : query_arguments(query))
    if (value)
      arguments.emplace(std::move(name), std::move(*value));
  return arguments;
}

} // namespace herald
