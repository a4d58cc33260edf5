#pragma once

#include <string>
#include <string_view>

#include "http/protocol/request_parser.hpp"

namespace herald::testing {

/// A request parser that is fed pieces, with those bytes before it that it has not used yet, as a
/// connection has them.
struct fed_parser {
  explicit fed_parser(const request_limits& limits) : parser(limits) {}

  request_parser::state feed(std::string_view bytes) {
    unread.append(bytes);
    unread.erase(0, parser.read(unread));
    return parser.now();
  }

  request_parser parser;
  std::string unread;
};

} // namespace herald::testing
