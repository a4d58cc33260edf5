#pragma once

#include <cstdint>
#include <string_view>

namespace herald {

/// Where a handler of a supervised actor is.
enum class handler_moment : std::uint8_t {
  before, ///< not begun: the message has done nothing
  after,  ///< all of its work is done, and its answer is not given yet
};

/// Called around each handler, on the actor's thread; an exception out of it is the handler's own.
/// Null in herald, where it costs a look at this pointer. A test binary sets it before the first
/// actor is spawned, and leaves it as it is from then on.
inline void (*fault_hook)(std::string_view actor, std::string_view kind, handler_moment when) =
  nullptr;

} // namespace herald
