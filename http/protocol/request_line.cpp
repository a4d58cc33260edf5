#include "http/protocol/request_line.hpp"

namespace herald {

bool is_request_target(std::string_view method, std::string_view target) {
  return target.starts_with('/') || target.find("://") != std::string_view::npos
         || (method == "OPTIONS" && target == "*");
}

bool is_http_version(std::string_view text) {
  const auto is_digit = [](char c) {
    return c >= '0' && c <= '9';
  };
  return text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.'
         && is_digit(text[7]);
}

} // namespace herald
