#pragma once

#include <functional>

namespace herald {

/// Gives numbers from 0 up to, not including, 1. Not for secrets.
using random_source = std::function<double()>;

/// Seeded by the system; for one thread at a time.
[[nodiscard]] random_source make_random_source();

} // namespace herald
