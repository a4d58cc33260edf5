#include "http/access/presented_credential.hpp"

#include <vector>

#include "http/auth/bearer.hpp"
#include "http/protocol/field_value.hpp"
#include "messages/text/ascii.hpp"

namespace herald {

namespace {

using way = presented_credential::way;

std::vector<std::string_view> values_of(const request_head& request, std::string_view name) {
  std::vector<std::string_view> found;
  for (const auto& [header, value] : request.headers)
    if (same_ignoring_case(header, name))
      found.emplace_back(value);
  return found;
}

presented_credential in_authorization(std::string_view value) {
  const auto token = bearer_token(trimmed(value));
  if (token.empty())
    return {way::other, {}};
  return {way::bearer, token};
}

/// A cookie that is there twice was set by two: for this host, and for a domain above it, by who
/// may be somebody else. The same value twice is no harm.
presented_credential in_cookies(const request_head& request, std::string_view name) {
  presented_credential found;
  for (auto rest : values_of(request, "Cookie"))
    while (!rest.empty()) {
      const auto end = rest.find(';');
      const auto pair = trimmed(rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos || trimmed(pair.substr(0, equals)) != name)
        continue;
      const auto value = trimmed(pair.substr(equals + 1));
      if (found.how == way::cookie && found.text != value)
        return {way::other, {}};
      found = {way::cookie, value};
    }
  return found;
}

} // namespace

presented_credential presented_by(
  const request_head& request, const std::optional<std::string>& ticket, std::string_view cookie) {
  const auto headers = values_of(request, "Authorization");
  if (headers.size() + (ticket ? 1U : 0U) > 1)
    return {way::two, {}};
  if (ticket)
    return {way::ticket, *ticket};
  if (!headers.empty())
    return in_authorization(headers.front());
  return cookie.empty() ? presented_credential{} : in_cookies(request, cookie);
}

} // namespace herald
