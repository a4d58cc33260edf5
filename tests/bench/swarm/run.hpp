#pragma once

#include <string>

#include "tests/bench/swarm/options.hpp"
#include "tests/bench/swarm/run_result.hpp"

namespace herald::bench {

/// Opens the streams, waits, publishes, waits for the rest, closes.
[[nodiscard]] run_result run(const options& wanted);

/// One line of JSON.
[[nodiscard]] std::string report(const options& wanted, const run_result& result);

} // namespace herald::bench
