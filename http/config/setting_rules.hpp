#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "http/admission/client_origin.hpp"
#include "http/config/setting_place.hpp"
#include "http/protocol/http_url.hpp"
#include "http/protocol/request_origin.hpp"

/// What values of settings must be, for the table of settings.
namespace herald::setting_rules {

[[nodiscard]] bool is_plain_text(std::string_view text);
[[nodiscard]] bool is_base_url(std::string_view text);
[[nodiscard]] bool is_any_url(std::string_view text);
[[nodiscard]] bool is_origin(std::string_view text);
/// No list of pages that may do anything says *.
[[nodiscard]] bool is_named_origin(std::string_view text);
/// Keys of tokens come by TLS, or from this machine.
[[nodiscard]] bool is_key_url(std::string_view text);
[[nodiscard]] bool is_token_algorithm(std::string_view text);
/// The name of a claim; dots between names lead into objects.
[[nodiscard]] bool is_claim_path(std::string_view text);
/// What stands for nothing where it is a part of a list.
[[nodiscard]] bool is_name(std::string_view text);
/// A token of RFC 9110, or nothing.
[[nodiscard]] bool is_cookie_name(std::string_view text);
[[nodiscard]] bool is_pattern(std::string_view text);

inline constexpr text_rule cookie_name = {is_cookie_name, "empty, or the name of a cookie"};
inline constexpr text_rule patterns = {is_pattern, "a list of patterns of topics such as news/*"};
inline constexpr text_rule host = {is_host, "an IP address or a host name"};
inline constexpr text_rule plain = {is_plain_text, "a text without control characters"};
inline constexpr text_rule origins = {
  is_origin, "a list of origins such as https://example.org, or *"};
inline constexpr text_rule named_origins = {
  is_named_origin, "a list of origins such as https://example.org"};
inline constexpr text_rule networks = {
  is_network, "a list of networks such as 10.0.0.0/8 or 2001:db8::/32, or addresses"};
inline constexpr text_rule hosts = {is_host, "a list of host names, without ports"};
inline constexpr text_rule base_url = {
  is_base_url,
  "empty, or http://HOST[:PORT][/PATH] (https is not supported between herald and a gateway)"};
inline constexpr text_rule any_url = {
  is_any_url, "empty, or http://HOST[:PORT][/PATH][?QUERY], or the same with https"};

inline constexpr text_rule key_url = {
  is_key_url,
  "empty, or https://HOST[:PORT][/PATH][?QUERY], or the same with http to a loopback address"};
inline constexpr text_rule token_algorithms = {
  is_token_algorithm, "a list of HS256, RS256, ES256 and EdDSA"};
inline constexpr text_rule claim_path = {
  is_claim_path, "the name of a claim, or names with single dots between them"};
inline constexpr text_rule names = {
  is_name, "a list of texts without control characters, none of them empty"};

inline constexpr number_range port = {0, 65'535};
inline constexpr std::int64_t day_s = 86'400;
inline constexpr number_range interval_s = {1, day_s};
inline constexpr number_range long_time_s = {0, 30 * day_s};
inline constexpr number_range interval_ms = {1, 600'000};
inline constexpr number_range delay_ms = {0, 600'000};

[[nodiscard]] constexpr number_range bytes(std::size_t least) {
  return {static_cast<std::int64_t>(least), std::int64_t{1} << 30U};
}

[[nodiscard]] constexpr number_range count(std::int64_t least, std::int64_t most) {
  return {least, most};
}

/// Of a program: no limit, or up to a TiB.
inline constexpr number_range program_bytes = {0, std::int64_t{1} << 40U};

inline constexpr std::monostate by_type{};

} // namespace herald::setting_rules
