#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

#include "messages/ids.hpp"
#include "messages/tasks.hpp"

namespace herald {

/// Reads what the API is sent about tasks. Fails with `ec::invalid_json`, `ec::invalid_field`,
/// `ec::unknown_field` or `ec::body_too_large`, naming the field that is to blame.
///
/// {"type", "params"?} and the fields of an audience (see audience_json.hpp); params of built-in
/// types must be right, those of a command are its own business. Whether there is such a type is
/// not known here.
[[nodiscard]] caf::expected<start_task> parse_start_task(std::string_view body);
/// {"task_type", "params"?} and an audience, as existing browser suites send it: "demo_task" or
/// "failing_task". `ec::unknown_task_type` for another.
[[nodiscard]] caf::expected<start_task> parse_test_task(std::string_view body);
/// An event of a task that there need not be, for one page alone.
struct test_task_event {
  request_id page;
  task_event event;
};

/// {"request_id", "task_id", "event_type", "data"?}, as existing browser suites send it. The event
/// has no time yet.
[[nodiscard]] caf::expected<test_task_event> parse_test_task_event(std::string_view body);
/// {"value", "text"?}
[[nodiscard]] caf::expected<report_progress> parse_progress(task_id id, std::string_view body);
/// {"result"?}; an empty body is {}.
[[nodiscard]] caf::expected<report_completion> parse_completion(task_id id, std::string_view body);
/// {"error"}
[[nodiscard]] caf::expected<report_failure> parse_failure(task_id id, std::string_view body);

/// The params of the built-in types `demo` and `failing`.
struct pause_params {
  /// 1 to 10,000.
  int steps = 3;
  /// Seconds, 0 to 3600.
  double delay = 1.0;
  /// Of the type that fails: what it fails with.
  std::optional<std::string> error_message;
};

/// {"steps"?, "delay"?, "error_message"?}; blames `params.steps` and the like.
[[nodiscard]] caf::expected<pause_params> parse_pause_params(std::string_view params_json);

/// A line of a child process's output that reports something.
struct child_report {
  std::optional<double> value;
  /// At most `max_task_text_bytes`; what is longer is cut.
  std::optional<std::string> text;
  std::optional<std::string> result_json;
};

/// Nothing for a line that is no report: no JSON object, or one that has none of the keys with a
/// value of the right type.
[[nodiscard]] std::optional<child_report> parse_child_line(std::string_view line);

} // namespace herald
