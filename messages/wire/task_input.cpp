#include "messages/wire/task_input.hpp"

#include <cmath>
#include <utility>

#include "messages/errors.hpp"
#include "messages/json/json_reader.hpp"
#include "messages/text/utf8.hpp"

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

/// Reads {"params"?} and whatever `read_type` makes of the field that names the type.
template <class ReadType>
caf::expected<start_task> parse_start(std::string_view body, ReadType read_type) {
  auto in = read_object(body);
  if (!in)
    return in.error();
  start_task command;
  command.type = read_type(*in);
  command.params_json = in->optional_object("params").value_or("{}");
  limit_json(*in, command.params_json, "params");
  if (auto error = in->finish())
    return error;
  if (command.type == demo_type || command.type == failing_type)
    if (const auto params = parse_pause_params(command.params_json); !params)
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

caf::expected<report_progress> parse_progress(task_id id, std::string_view body) {
  auto in = read_object(body);
  if (!in)
    return in.error();
  report_progress report{std::move(id), in->number("value"), in->optional_text("text")};
  if (report.value < 0.0 || report.value > 1.0)
    in->blame(ec::invalid_field, "must be from 0 to 1", "value");
  if (report.text)
    limit_text(*in, *report.text, max_task_text_bytes, "text");
  if (auto error = in->finish())
    return error;
  return report;
}

caf::expected<report_completion> parse_completion(task_id id, std::string_view body) {
  auto in = read_object(body.empty() ? "{}" : body);
  if (!in)
    return in.error();
  report_completion report{std::move(id), in->optional_json("result").value_or("null")};
  limit_json(*in, report.result_json, "result");
  if (auto error = in->finish())
    return error;
  return report;
}

caf::expected<report_failure> parse_failure(task_id id, std::string_view body) {
  auto in = read_object(body);
  if (!in)
    return in.error();
  report_failure report{std::move(id), in->text("error")};
  limit_text(*in, report.error, max_task_error_bytes, "error");
  if (auto error = in->finish())
    return error;
  return report;
}

caf::expected<pause_params> parse_pause_params(std::string_view params_json) {
  auto in = read_object(params_json);
  if (!in)
    return in.error();
  pause_params params;
  if (const auto steps = in->optional_number("steps")) {
    if (*steps >= 1 && *steps <= max_steps && std::floor(*steps) == *steps)
      params.steps = static_cast<int>(*steps);
    else
      in->blame(
        ec::invalid_field, "must be a whole number from 1 to " + std::to_string(max_steps),
        "steps");
  }
  params.delay = in->optional_number("delay").value_or(params.delay);
  if (params.delay < 0 || params.delay > max_delay_s)
    in->blame(
      ec::invalid_field, "must be a number of seconds from 0 to " + std::to_string(max_delay_s),
      "delay");
  if (const auto error = in->finish()) {
    const auto why = describe(error);
    return fail(why.code, why.detail, "params." + why.field);
  }
  return params;
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
