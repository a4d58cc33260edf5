#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "messages/tasks.hpp"

namespace herald {

/// A task as the API shows it; null where there is no time, result or error. Who is told of it: the
/// fields of an audience, none for everyone; `"audience":"none"` for nobody.
[[nodiscard]] std::string to_json(const task_view& task);
[[nodiscard]] std::string to_json(const task_page& page);

/// {"task_id","status","task_token"?}, the answer to whoever starts a task; an empty token is left
/// out.
[[nodiscard]] std::string started_json(const task_view& task, std::string_view token = {});

/// The data of event `task_event` as it goes onto the wire; without `seq` where that is 0.
[[nodiscard]] std::string to_json(const task_event& event);

/// The `data` of a progress_update and of a task_failed.
[[nodiscard]] std::string progress_json(const task_view& task);
[[nodiscard]] std::string error_json(std::string_view error);

/// The result of a `demo` task.
[[nodiscard]] std::string pauses_json(std::size_t steps);

} // namespace herald
