#pragma once

#include <nlohmann/json_fwd.hpp>

#include "http/config/config.hpp"
#include "http/config/config_json.hpp"

namespace herald {

/// Reads `supervision.children`: what is not given stays as it is. `instances` of a child is
/// another name of the setting that says how many there are of it.
[[nodiscard]] complaint read_children(config& c, const nlohmann::ordered_json& value);

/// `supervision.children` of a config file that says the same.
[[nodiscard]] nlohmann::ordered_json children_json(const config& c);

/// A file must not give different numbers under the two names of one setting.
[[nodiscard]] complaint instances_conflict(const nlohmann::ordered_json& document);

} // namespace herald
