#pragma once

#include <chrono>

namespace herald {

/// Wall-clock time as APIs show it.
using wall_time = std::chrono::system_clock::time_point;

} // namespace herald
