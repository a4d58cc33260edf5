#include "messages/task_json.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

#include <nlohmann/json.hpp>

namespace herald {

namespace {

using json = nlohmann::ordered_json;

std::string text_of(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

json time_json(const std::optional<wall_time>& time) {
  return time ? json(iso8601(*time)) : json(nullptr);
}

/// A JSON value that is text already, or null.
std::string_view or_null(const std::string& text) {
  return text.empty() ? std::string_view{"null"} : std::string_view{text};
}

} // namespace

std::string iso8601(wall_time time) {
  using namespace std::chrono;
  const auto since = floor<milliseconds>(time.time_since_epoch());
  const auto whole = floor<seconds>(since);
  const std::time_t seconds_since = whole.count();
  std::tm utc{};
  gmtime_r(&seconds_since, &utc);
  std::array<char, 40> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(
    text.data() + length, text.size() - length, ".%03dZ",
    static_cast<int>((since - whole).count()));
  return text.data();
}

std::string to_json(const task_view& task) {
  const json head = {
    {"task_id", task.id.str()},
    {"type", task.type},
    {"status", to_string(task.status)},
    {"start_time", time_json(task.start_time)},
    {"end_time", time_json(task.end_time)},
    {"progress", task.progress},
    {"progress_text", task.progress_text},
  };
  const json error =
    task.status == task_status::failed ? json(std::string_view{task.error}) : json(nullptr);
  auto text = text_of(head);
  text.pop_back();
  text.append(",\"result\":").append(or_null(task.result_json));
  text.append(",\"error\":").append(text_of(error)) += '}';
  return text;
}

std::string to_json(const task_page& page) {
  std::string text = "{\"tasks\":[";
  for (const auto& task : page.tasks) {
    if (text.back() != '[')
      text += ',';
    text += to_json(task);
  }
  text.append("],\"total\":").append(std::to_string(page.total));
  text.append(",\"next\":");
  if (page.next)
    text.append("\"").append(std::to_string(*page.next)).append("\"");
  else
    text += "null";
  text += '}';
  return text;
}

std::string to_json(const task_event& event) {
  const json head = {
    {"event_type", to_string(event.type)},
    {"task_id", event.id.str()},
    {"timestamp", iso8601(event.timestamp)},
  };
  auto text = text_of(head);
  text.pop_back();
  text.append(",\"data\":").append(or_null(event.data_json)) += '}';
  return text;
}

std::string progress_json(const task_view& task) {
  return text_of({{"text", task.progress_text}, {"value", task.progress}});
}

std::string error_json(std::string_view error) {
  return text_of({{"error", error}});
}

} // namespace herald
