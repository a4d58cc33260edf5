#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

#include "messages/tasks.hpp"

namespace herald {

/// Reads what the API is sent about tasks. Fails with `ec::invalid_json`, `ec::invalid_field`,
/// `ec::unknown_field` or `ec::body_too_large`, naming the field that is to blame.
///
/// {"type", "params"?}
[[nodiscard]] caf::expected<start_task> parse_start_task(std::string_view body);
/// {"task_type", "params"?}, as existing browser suites send it.
[[nodiscard]] caf::expected<start_task> parse_test_task(std::string_view body);
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
};

/// {"steps"?, "delay"?}; blames `params.steps` and the like.
[[nodiscard]] caf::expected<pause_params> parse_pause_params(std::string_view params_json);

/// What a child process says on one line of its output.
struct child_report {
  std::optional<double> value;
  std::optional<std::string> text;
  std::optional<std::string> result_json;
};

/// Nothing for a line that is not a report: no JSON object, or one with none of the keys. A result
/// over `max_task_json_bytes` is no report either.
[[nodiscard]] std::optional<child_report> parse_child_line(std::string_view line);

/// `text` as valid UTF-8 (what is not becomes U+FFFD) of at most `max_bytes`: its front, or with
/// `keep_end` its end.
[[nodiscard]] std::string
safe_text(std::string_view text, std::size_t max_bytes, bool keep_end = false);

} // namespace herald
