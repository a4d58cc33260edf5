#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace herald {

/// How many letters must be put in, left out, replaced, or swapped with their neighbour to make one
/// text of the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that `wanted` is most likely a slip of; the first of several. Case and the kind of
/// separator (`.`, `-`, `_`) do not count. Candidates must not be empty.
[[nodiscard]] const std::string&
closest_spelling(std::string_view wanted, const std::vector<std::string>& candidates);

} // namespace herald
