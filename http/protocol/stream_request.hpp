#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "messages/connections.hpp"

namespace herald {

/// A request head as it came in.
struct stream_request {
  std::string method;
  std::string target;
  /// 11 for HTTP/1.1.
  unsigned version = 11;
  /// In their order, names as sent.
  header_list headers;

  /// The first header of that name, whatever its case.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

} // namespace herald
