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

/// The host of an authority, without user, port, brackets and the dot of a full name.
std::string_view host_of(std::string_view authority) {
  authority.remove_prefix(authority.rfind('@') + 1);
  if (authority.starts_with('['))
    return authority.substr(1, authority.find(']') - 1);
  authority = authority.substr(0, authority.find(':'));
  if (authority.ends_with('.'))
    authority.remove_suffix(1);
  return authority;
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

bool names_host(std::string_view authority, const std::vector<std::string>& hosts) {
  if (authority.empty())
    return true;
  const auto host = ascii_lower(host_of(authority));
  return is_ip_address(host) || host == "localhost" || host.ends_with(".localhost")
         || std::any_of(hosts.begin(), hosts.end(), [&](const auto& listed) {
              return same_ignoring_case(listed, host);
            });
}

} // namespace herald
