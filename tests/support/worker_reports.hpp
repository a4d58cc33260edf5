#pragma once

#include <functional>
#include <string>

#include "messages/actors.hpp"

namespace herald::testing {

/// The handlers of a task runner that hears nothing but reports of workers. Each becomes a line:
/// "progress ID VALUE TEXT" (TEXT "-" for none), "finished ID RESULT", "failed ID ERROR",
/// "idle NUMBER". Anything else that it is asked fails the test.
[[nodiscard]] task_runner_actor::behavior_type
worker_reports(std::function<void(std::string)> note);

} // namespace herald::testing
