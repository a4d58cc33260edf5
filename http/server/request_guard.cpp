#include "http/server/request_guard.hpp"

#include <algorithm>
#include <utility>

#include "http/protocol/problem.hpp"
#include "http/protocol/request_origin.hpp"
#include "messages/text/ascii.hpp"

namespace herald {

namespace {

constexpr std::string_view fetch_metadata = "sec-fetch-";

bool is_from_a_browser(const request_head& request) {
  return std::any_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
    const auto name = ascii_lower(header.first);
    return name == "origin" || name.starts_with(fetch_metadata);
  });
}

} // namespace

request_guard::request_guard(
  const std::vector<std::string>& origins, std::vector<std::string> hosts,
  const char* hosts_setting, bool on_loopback)
  : origins_(canonical_origins(origins)),
    hosts_(std::move(hosts)),
    hosts_setting_(hosts_setting),
    checks_hosts_(on_loopback || !hosts_.empty()) {}

bool request_guard::comes_from_unlisted_page(const request_head& request) const {
  if (const auto origin = request.header("Origin"))
    return std::find(origins_.begin(), origins_.end(), *origin) == origins_.end();
  // Browsers send no Origin with a plain GET.
  const auto site = request.header("Sec-Fetch-Site");
  return site && *site != "none" && *site != "same-origin";
}

bool request_guard::is_for_another_host(const request_head& request) const {
  return !names_host(authority_of(request), hosts_)
         || !names_host(request.header("Host").value_or(std::string_view{}), hosts_);
}

std::optional<request_guard::refusal> request_guard::check(const request_head& request) const {
  if (comes_from_unlisted_page(request))
    return refusal{
      "origin", problem({403, "Forbidden"}, "pages of this origin are not listed in api.origins")};
  if (checks_hosts_ && is_for_another_host(request))
    return refusal{
      "host",
      problem(
        {421, "Misdirected request"}, std::string{"this host is not listed in "} + hosts_setting_)};
  return std::nullopt;
}

bool says_json(const request_head& request) {
  const std::string_view type = request.content_type;
  if (type == "application/x-www-form-urlencoded")
    return !is_from_a_browser(request);
  return type.empty() || type == "application/json" || type == "text/json"
         || type.ends_with("+json") || type == "application/x-ndjson"
         || type == "application/ndjson";
}

} // namespace herald
