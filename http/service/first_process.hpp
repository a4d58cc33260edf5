#pragma once

#include <optional>

namespace herald {

/// For a herald that orphans fall to: process 1 of a container, or a subreaper. What a program of a
/// task leaves behind would become its child, and a zombie for ever.
///
/// There it forks, before the first thread, and watches over the child, which is to run herald: it
/// passes signals on, reaps whatever falls to it, and gives the exit code of the child once that
/// has ended (128 + n for signal n). Secrets of its command line and environment are wiped. Nothing
/// in the child, and where there is no need for all this.
[[nodiscard]] std::optional<int> watch_over_herald(int argc, char** argv, char** environment);

} // namespace herald
