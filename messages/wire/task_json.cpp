#include "messages/wire/task_json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "messages/json/json_writer.hpp"
#include "messages/text/iso_time.hpp"
#include "messages/wire/audience_json.hpp"

namespace herald {

namespace {

std::string fraction_json(double value) {
  if (!std::isfinite(value))
    return "0";
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

std::string time_text(const std::optional<wall_time>& time) {
  return time ? iso_time(*time) : std::string{};
}

/// A JSON value that is text already, or null.
std::string_view or_null(const std::string& text) {
  return text.empty() ? std::string_view{"null"} : std::string_view{text};
}

} // namespace

std::string to_json(const task_view& task) {
  const auto error =
    task.status == task_status::failed ? json_string(task.error) : std::string{"null"};
  object_writer out;
  out.text("task_id", task.id.str())
    .text("type", task.type)
    .text("status", to_string(task.status))
    .text_or_null("start_time", time_text(task.start_time))
    .text_or_null("end_time", time_text(task.end_time))
    .raw("progress", fraction_json(task.progress))
    .text_or_null("progress_text", task.progress_text)
    .raw("result", or_null(task.result_json))
    .raw("error", error)
    .number("seq", task.seq);
  audience_fields(out, task.to);
  if (!task.told)
    out.text("audience", "none");
  return out.finish();
}

std::string to_json(const task_page& page) {
  return object_writer{}
    .raw("tasks", array_json(page.tasks, [](const task_view& task) { return to_json(task); }))
    .number("total", page.total)
    .text_or_null("next", page.next ? std::to_string(*page.next) : std::string{})
    .finish();
}

std::string started_json(const task_view& task, std::string_view token) {
  object_writer out;
  out.text("task_id", task.id.str()).text("status", to_string(task.status));
  if (!token.empty())
    out.text("task_token", token);
  return out.finish();
}

std::string to_json(const task_event& event) {
  object_writer out;
  out.text("event_type", to_string(event.type)).text("task_id", event.id.str());
  if (event.seq != 0)
    out.number("seq", event.seq);
  return out.text("timestamp", iso_time(event.timestamp))
    .raw("data", or_null(event.data_json))
    .finish();
}

std::string progress_json(const task_view& task) {
  return object_writer{}
    .text("text", task.progress_text)
    .raw("value", fraction_json(task.progress))
    .finish();
}

std::string error_json(std::string_view error) {
  return object_writer{}.text("error", error).finish();
}

std::string pauses_json(std::size_t steps) {
  return object_writer{}.text("status", "success").number("steps", steps).finish();
}

} // namespace herald
