#include "messages/wire/task_input.hpp"

#include <cmath>
#include <utility>

#include "messages/errors.hpp"
#include "messages/json/json_objects.hpp"
#include "messages/text/utf8.hpp"
#include "messages/wire/audience_json.hpp"

namespace herald {

namespace {

constexpr int max_steps = 10'000;
constexpr int max_delay_s = 3600;

void limit_text(json_reader& in, const std::string& text, std::size_t max_bytes, const char* name) {
  if (text.size() > max_bytes)
    in.blame(ec::invalid_field, "must be at most " + std::to_string(max_bytes) + " bytes", name);
}

void limit_json(json_reader& in, const std::string& json, const char* name) {
  if (json.size() > max_task_json_bytes)
    in.blame(
      ec::body_too_large,
      "must be at most " + std::to_string(max_task_json_bytes) + " bytes of JSON", name);
}

/// Reads {"params"?}, the fields of an audience, and whatever `read_type` makes of the field that
/// names the type.
template <class ReadType>
caf::expected<start_task> parse_start(std::string_view body, ReadType read_type) {
  auto command = parse_object(body, [&](json_reader& in) {
    start_task read;
    read.type = read_type(in);
    read.params_json = in.optional_object("params").value_or("{}");
    limit_json(in, read.params_json, "params");
    read.to = parse_audience(in);
    return read;
  });
  if (command && (command->type == demo_type || command->type == failing_type))
    if (const auto params = parse_pause_params(command->params_json); !params)
      return params.error();
  return command;
}

} // namespace

caf::expected<start_task> parse_start_task(std::string_view body) {
  return parse_start(body, [](json_reader& in) { return in.text("type"); });
}

caf::expected<start_task> parse_test_task(std::string_view body) {
  return parse_start(body, [](json_reader& in) -> std::string {
    auto type = in.text("task_type");
    if (type == "demo_task")
      return demo_type;
    if (type == "failing_task")
      return failing_type;
    in.blame(
      ec::unknown_task_type, "no such type; there are: demo_task, failing_task", "task_type");
    return type;
  });
}

caf::expected<test_task_event> parse_test_task_event(std::string_view body) {
  return parse_object(body, [](json_reader& in) {
    test_task_event read;
    read.page = in.id("request_id");
    read.event.id = task_id{in.text("task_id")};
    const auto type = in.text("event_type");
    bool known = false;
    for (const auto one :
         {task_event_type::task_started, task_event_type::progress_update,
          task_event_type::task_completed, task_event_type::task_failed,
          task_event_type::task_cancelled})
      if (type == to_string(one)) {
        read.event.type = one;
        known = true;
      }
    if (!known)
      in.blame(ec::invalid_field, "must be the type of a task's event", "event_type");
    read.event.data_json = in.optional_object("data").value_or("null");
    limit_json(in, read.event.data_json, "data");
    return read;
  });
}

caf::expected<report_progress> parse_progress(task_id id, std::string_view body) {
  return parse_object(body, [&](json_reader& in) {
    report_progress report{std::move(id), in.number("value"), in.optional_text("text")};
    if (report.value < 0.0 || report.value > 1.0)
      in.blame(ec::invalid_field, "must be from 0 to 1", "value");
    if (report.text)
      limit_text(in, *report.text, max_task_text_bytes, "text");
    return report;
  });
}

caf::expected<report_completion> parse_completion(task_id id, std::string_view body) {
  return parse_object(body.empty() ? "{}" : body, [&](json_reader& in) {
    report_completion report{std::move(id), in.optional_json("result").value_or("null")};
    limit_json(in, report.result_json, "result");
    return report;
  });
}

caf::expected<report_failure> parse_failure(task_id id, std::string_view body) {
  return parse_object(body, [&](json_reader& in) {
    report_failure report{std::move(id), in.text("error")};
    limit_text(in, report.error, max_task_error_bytes, "error");
    return report;
  });
}

caf::expected<pause_params> parse_pause_params(std::string_view params_json) {
  const auto params = parse_object(params_json, [](json_reader& in) {
    pause_params read;
    const double steps = in.optional_number("steps").value_or(read.steps);
    if (steps >= 1 && steps <= max_steps && std::floor(steps) == steps)
      read.steps = static_cast<int>(steps);
    else
      in.blame(
        ec::invalid_field, "must be a whole number from 1 to " + std::to_string(max_steps),
        "steps");
    read.delay = in.optional_number("delay").value_or(read.delay);
    if (read.delay < 0 || read.delay > max_delay_s)
      in.blame(
        ec::invalid_field, "must be a number of seconds from 0 to " + std::to_string(max_delay_s),
        "delay");
    read.error_message = in.optional_text("error_message");
    if (read.error_message)
      limit_text(in, *read.error_message, max_task_error_bytes, "error_message");
    return read;
  });
  if (params)
    return *params;
  const auto why = describe(params.error());
  return fail(why.code, why.detail, "params." + why.field);
}

std::optional<child_report> parse_child_line(std::string_view line) {
  // Most lines of a talkative program are not ours: do not parse them.
  const auto start = line.find_first_not_of(" \t\r");
  if (start == std::string_view::npos || line[start] != '{')
    return std::nullopt;
  auto in = read_object(line);
  if (!in)
    return std::nullopt;
  // Not finished: what is unknown or has the wrong type is as good as absent.
  child_report report{
    in->optional_number("value"), in->optional_text("text"), in->optional_json("result")};
  if (report.text)
    report.text = utf8_front(*report.text, max_task_text_bytes);
  if (!report.value && !report.text && !report.result_json)
    return std::nullopt;
  return report;
}

} // namespace herald
