#include "messages/wire/expiry_notice.hpp"

#include <algorithm>
#include <cstddef>

#include "messages/json/json_writer.hpp"

namespace herald {

event expiry_notice(std::chrono::milliseconds left) {
  const auto count = std::max<std::chrono::milliseconds::rep>(left.count(), 0);
  event notice;
  notice.name = "expired";
  notice.data = object_writer{}.number("expires_in_ms", static_cast<std::size_t>(count)).finish();
  return notice;
}

} // namespace herald
