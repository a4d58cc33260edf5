#pragma once

#include <ctime>
#include <string>
#include <string_view>

namespace herald {

/// A moment as HTTP has it (RFC 9110 section 5.6.7), e.g. "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string http_date(std::time_t moment);

/// Now, for the `Date` of an answer. Made once a second for each thread; valid until the thread's
/// next call.
[[nodiscard]] std::string_view http_date_now();

} // namespace herald
