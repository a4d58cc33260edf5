#include "http/server/router.hpp"

#include <algorithm>

#include "http/protocol/url.hpp"

namespace herald {

namespace {

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  std::size_t start = 0;
  while (start <= path.size()) {
    const auto end = std::min(path.find('/', start), path.size());
    segments.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return segments;
}

bool is_placeholder(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

/// The path's arguments if it has the pattern's shape.
std::optional<std::vector<std::string>>
arguments_of(std::string_view pattern, const std::vector<std::string_view>& path) {
  const auto expected = segments_of(pattern);
  if (expected.size() != path.size())
    return std::nullopt;
  std::vector<std::string> arguments;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (!is_placeholder(expected[i])) {
      if (expected[i] != path[i])
        return std::nullopt;
      continue;
    }
    auto decoded = percent_decode(path[i]);
    if (!decoded || decoded->empty())
      return std::nullopt;
    arguments.push_back(std::move(*decoded));
  }
  return arguments;
}

} // namespace

void router::add(std::string method, std::string pattern, route_input takes, handler answer) {
  route added{std::move(method), std::move(pattern), std::move(takes), std::move(answer)};
  // Fixed segments win: routes without placeholders stand before those with.
  const bool fixed = added.pattern.find('{') == std::string::npos;
  const auto place = fixed ? std::find_if(
                       routes_.begin(), routes_.end(),
                       [](const route& r) { return r.pattern.find('{') != std::string::npos; })
                           : routes_.end();
  routes_.insert(place, std::move(added));
}

router::match router::find(std::string_view method, std::string_view path) const {
  const auto wanted = method == "HEAD" ? std::string_view{"GET"} : method;
  const auto segments = segments_of(path);
  match result;
  for (const auto& candidate : routes_) {
    auto arguments = arguments_of(candidate.pattern, segments);
    if (!arguments)
      continue;
    if (candidate.method == wanted) {
      result.found = &candidate;
      result.path_arguments = std::move(*arguments);
      return result;
    }
    if (
      std::find(result.allowed.begin(), result.allowed.end(), candidate.method)
      == result.allowed.end())
      result.allowed.push_back(candidate.method);
  }
  return result;
}

router::header_list router::headers() const {
  header_list made;
  made.reserve(headers_.size());
  for (const auto& [name, value] : headers_)
    made.emplace_back(name, value());
  return made;
}

} // namespace herald
