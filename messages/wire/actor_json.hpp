#pragma once

#include <string>

#include "messages/supervision.hpp"

namespace herald {

/// The supervisor and, in `actors`, its children: one entry for each kind, with the sums over its
/// `instances`, the worst of their states and the last of their errors. Where the instances have
/// names of their own, they follow in `actors` of the entry.
[[nodiscard]] std::string to_json(const actor_tree& tree);

} // namespace herald
