#pragma once

#include <string_view>

namespace herald {

/// As far as its form goes (RFC 9112 section 3.2). Nobody is a proxy here, so there is no CONNECT.
[[nodiscard]] bool is_request_target(std::string_view method, std::string_view target);

/// "HTTP/1.1", and any other version of HTTP, of which most are not spoken here.
[[nodiscard]] bool is_http_version(std::string_view text);

/// What is wrong with a request line, as both ports say it.
inline constexpr const char* line_too_long = "the request line is too long";
inline constexpr const char* other_version = "the version is neither HTTP/1.1 nor HTTP/1.0";
inline constexpr const char* no_target = "the request target is neither a path nor a URL";

} // namespace herald
