#include "http/access/authorize_question.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "http/protocol/field_value.hpp"
#include "http/protocol/url.hpp"
#include "messages/text/ascii.hpp"

namespace herald {

namespace {

/// Beside those that `Connection` names, and those that begin with `if-` or `x-original-`.
constexpr std::array<std::string_view, 21> left_out = {
  "accept",
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "forwarded",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "range",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-forwarded-for",
  "x-real-ip",
  "x-rewrite-url",
};

std::string plain_name(std::string_view name) {
  auto plain = ascii_lower(name);
  std::replace(plain.begin(), plain.end(), '_', '-');
  return plain;
}

/// What `Connection` names is for the next hop.
std::vector<std::string> named_by_connection(const request_head& page) {
  std::vector<std::string> names;
  for (const auto& [name, value] : page.headers) {
    if (!same_ignoring_case(name, "Connection"))
      continue;
    for (const auto one : list_elements(value))
      names.push_back(plain_name(one));
  }
  return names;
}

bool stays(std::string_view name, bool believed) {
  return std::find(left_out.begin(), left_out.end(), name) == left_out.end()
         && !name.starts_with("if-") && !name.starts_with("x-original-")
         && (believed || !name.starts_with("x-forwarded-"));
}

} // namespace

header_list question_headers(const request_head& page, std::string_view address, bool believed) {
  const auto of_the_hop = named_by_connection(page);
  header_list asked;
  for (const auto& header : page.headers) {
    const auto name = plain_name(header.first);
    if (
      stays(name, believed)
      && std::find(of_the_hop.begin(), of_the_hop.end(), name) == of_the_hop.end())
      asked.push_back(header);
  }
  asked.emplace_back("Accept", "application/json");
  const auto target = split_target(page.target);
  std::string uri{target.path};
  if (!target.query.empty())
    uri.append("?").append(target.query);
  asked.emplace_back("X-Original-URI", std::move(uri));
  if (!address.empty())
    asked.emplace_back("X-Forwarded-For", address);
  return asked;
}

} // namespace herald
