#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <caf/expected.hpp>

namespace herald {

/// The strings of a JSON array, unescaped: 1 to `most`. `ec::invalid_json`, or `ec::invalid_field`
/// with the place of an item that is no string as field, e.g. `[2]`.
[[nodiscard]] caf::expected<std::vector<std::string>>
read_texts(std::string_view array, std::size_t most);

} // namespace herald
