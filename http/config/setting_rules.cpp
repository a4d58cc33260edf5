#include "http/config/setting_rules.hpp"

#include <algorithm>

#include "messages/audience.hpp"
#include "messages/text/ascii.hpp"

namespace herald::setting_rules {

bool is_plain_text(std::string_view text) {
  return std::none_of(
    text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_base_url(std::string_view text) {
  const auto url = parse_http_url(text);
  return text.empty() || (url && !url->tls && url->target.find('?') == std::string::npos);
}

bool is_any_url(std::string_view text) {
  return text.empty() || parse_http_url(text);
}

bool is_origin(std::string_view text) {
  return text == "*" || canonical_origin(text);
}

bool is_named_origin(std::string_view text) {
  return canonical_origin(text).has_value();
}

bool is_key_url(std::string_view text) {
  const auto url = parse_http_url(text);
  return text.empty() || (url && (url->tls || is_loopback(url->host)));
}

bool is_token_algorithm(std::string_view text) {
  return text == "HS256" || text == "RS256" || text == "ES256" || text == "EdDSA";
}

bool is_claim_path(std::string_view text) {
  return !text.empty() && is_plain_text(text) && !text.starts_with('.') && !text.ends_with('.')
         && text.find("..") == std::string_view::npos;
}

bool is_name(std::string_view text) {
  return !text.empty() && is_plain_text(text);
}

bool is_cookie_name(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return std::all_of(text.begin(), text.end(), [&](char c) {
    const char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9')
           || others.find(c) != std::string_view::npos;
  });
}

bool is_pattern(std::string_view text) {
  return !pattern_violation(text);
}

} // namespace herald::setting_rules
