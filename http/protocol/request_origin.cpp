#include "http/protocol/request_origin.hpp"

#include <algorithm>
#include <utility>

#include "http/protocol/http_url.hpp"
#include "messages/text/ascii.hpp"

namespace herald {

namespace {

constexpr std::string_view scheme_end = "://";

/// An origin taken apart.
std::optional<http_url> parse_origin(std::string_view text) {
  auto url = parse_http_url(ascii_lower(text));
  if (!url || !url->target.empty())
    return std::nullopt;
  return url;
}

} // namespace

std::optional<std::string> canonical_origin(std::string_view text) {
  const auto url = parse_origin(text);
  if (!url)
    return std::nullopt;
  return (url->tls ? "https://" : "http://") + url->authority();
}

std::vector<std::string> canonical_origins(const std::vector<std::string>& origins) {
  std::vector<std::string> result;
  for (const auto& origin : origins)
    if (origin == "*")
      result.push_back(origin);
    else if (auto canonical = canonical_origin(origin))
      result.push_back(std::move(*canonical));
  return result;
}

std::string_view authority_of(const request_head& request) {
  const std::string_view target = request.target;
  const auto scheme = target.find(scheme_end);
  if (scheme == std::string_view::npos || target.front() == '/')
    return request.header("Host").value_or(std::string_view{});
  const auto start = scheme + scheme_end.size();
  const auto end = std::min(target.find_first_of("/?#", start), target.size());
  return target.substr(start, end - start);
}

bool is_own_origin(std::string_view origin, const request_head& request) {
  const auto page = parse_origin(origin);
  if (!page)
    return false;
  std::string own{page->tls ? "https://" : "http://"};
  const auto host = parse_origin(own.append(authority_of(request)));
  return host && host->host == page->host && host->port == page->port;
}

} // namespace herald
