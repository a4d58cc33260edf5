#include "http/protocol/stream_request.hpp"

#include <algorithm>

#include "messages/text/ascii.hpp"

namespace herald {

std::optional<std::string_view> stream_request::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [name](const auto& h) {
    return same_ignoring_case(h.first, name);
  });
  if (found == headers.end())
    return std::nullopt;
  return found->second;
}

} // namespace herald
