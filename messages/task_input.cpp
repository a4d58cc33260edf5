#include "messages/task_input.hpp"

#include <algorithm>
#include <initializer_list>

#include <nlohmann/json.hpp>

#include "messages/errors.hpp"

namespace herald {

namespace {

using json = nlohmann::ordered_json;

/// Deepest nesting that is read: writing JSON recurses, so depth costs stack.
constexpr int max_depth = 128;

bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth)
        return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

/// The value of a text, or a discarded one.
json parse(std::string_view text) {
  if (too_deep(text))
    return json(json::value_t::discarded);
  return json::parse(text, nullptr, false);
}

std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

caf::expected<json> parse_object(
  std::string_view text, std::initializer_list<std::string_view> known,
  std::string_view prefix = {}) {
  auto document = parse(text);
  if (document.is_discarded())
    return fail(ec::invalid_json, "not valid JSON, or nested too deeply");
  if (!document.is_object())
    return fail(ec::invalid_field, "must be a JSON object", std::string{prefix});
  for (const auto& item : document.items()) {
    if (std::find(known.begin(), known.end(), item.key()) != known.end())
      continue;
    const auto path = prefix.empty() ? item.key() : std::string{prefix} + "." + item.key();
    return fail(ec::unknown_field, "unknown field", safe_text(path, 256));
  }
  return document;
}

caf::expected<std::string>
string_field(const json& object, const char* name, std::size_t max_bytes) {
  const auto found = object.find(name);
  if (found == object.end())
    return fail(ec::invalid_field, "is required", name);
  if (!found->is_string())
    return fail(ec::invalid_field, "must be a string", name);
  auto text = found->get<std::string>();
  if (text.size() > max_bytes)
    return fail(ec::invalid_field, "must be at most " + std::to_string(max_bytes) + " bytes", name);
  return text;
}

caf::expected<start_task> parse_start(std::string_view body, const char* type_field) {
  auto document = parse_object(body, {type_field, "params"});
  if (!document)
    return document.error();
  auto type = string_field(*document, type_field, 128);
  if (!type)
    return type.error();
  start_task result{std::move(*type), "{}"};
  if (const auto params = document->find("params"); params != document->end()) {
    if (!params->is_object())
      return fail(ec::invalid_field, "must be a JSON object", "params");
    result.params_json = text_of(*params);
  }
  if (result.params_json.size() > max_task_json_bytes)
    return fail(ec::body_too_large, "must be at most 65536 bytes of JSON", "params");
  return result;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80;
}

} // namespace

caf::expected<start_task> parse_start_task(std::string_view body) {
  return parse_start(body, "type");
}

caf::expected<start_task> parse_test_task(std::string_view body) {
  return parse_start(body, "task_type");
}

caf::expected<report_progress> parse_progress(task_id id, std::string_view body) {
  auto document = parse_object(body, {"value", "text"});
  if (!document)
    return document.error();
  const auto value = document->find("value");
  if (value == document->end())
    return fail(ec::invalid_field, "is required", "value");
  if (!value->is_number())
    return fail(ec::invalid_field, "must be a number", "value");
  report_progress report{std::move(id), value->get<double>(), std::nullopt};
  if (!(report.value >= 0.0 && report.value <= 1.0))
    return fail(ec::invalid_field, "must be from 0 to 1", "value");
  if (document->contains("text")) {
    auto text = string_field(*document, "text", max_task_text_bytes);
    if (!text)
      return text.error();
    report.text = std::move(*text);
  }
  return report;
}

caf::expected<report_completion> parse_completion(task_id id, std::string_view body) {
  report_completion report{std::move(id), "null"};
  if (body.empty())
    return report;
  auto document = parse_object(body, {"result"});
  if (!document)
    return document.error();
  if (const auto result = document->find("result"); result != document->end())
    report.result_json = text_of(*result);
  if (report.result_json.size() > max_task_json_bytes)
    return fail(ec::body_too_large, "must be at most 65536 bytes of JSON", "result");
  return report;
}

caf::expected<report_failure> parse_failure(task_id id, std::string_view body) {
  auto document = parse_object(body, {"error"});
  if (!document)
    return document.error();
  auto error = string_field(*document, "error", max_task_error_bytes);
  if (!error)
    return error.error();
  return report_failure{std::move(id), std::move(*error)};
}

caf::expected<pause_params> parse_pause_params(std::string_view params_json) {
  auto document = parse_object(params_json, {"steps", "delay"}, "params");
  if (!document)
    return document.error();
  pause_params params;
  if (const auto steps = document->find("steps"); steps != document->end()) {
    const bool in_range = steps->is_number_integer() && *steps >= 1 && *steps <= 10'000;
    if (!in_range)
      return fail(ec::invalid_field, "must be a whole number from 1 to 10000", "params.steps");
    params.steps = steps->get<int>();
  }
  if (const auto delay = document->find("delay"); delay != document->end()) {
    const bool in_range = delay->is_number() && *delay >= 0 && *delay <= 3600;
    if (!in_range)
      return fail(ec::invalid_field, "must be a number of seconds from 0 to 3600", "params.delay");
    params.delay = delay->get<double>();
  }
  return params;
}

std::optional<child_report> parse_child_line(std::string_view line) {
  // Most lines of a talkative program are not ours: do not parse them.
  const auto start = line.find_first_not_of(" \t\r");
  if (start == std::string_view::npos || line[start] != '{')
    return std::nullopt;
  const auto document = parse(line);
  if (!document.is_object())
    return std::nullopt;
  child_report report;
  if (const auto value = document.find("value"); value != document.end() && value->is_number())
    report.value = value->get<double>();
  if (const auto text = document.find("text"); text != document.end() && text->is_string())
    report.text = safe_text(text->get_ref<const std::string&>(), max_task_text_bytes);
  if (const auto result = document.find("result"); result != document.end()) {
    auto json_text = text_of(*result);
    if (json_text.size() <= max_task_json_bytes)
      report.result_json = std::move(json_text);
  }
  if (!report.value && !report.text && !report.result_json)
    return std::nullopt;
  return report;
}

std::string safe_text(std::string_view text, std::size_t max_bytes, bool keep_end) {
  if (text.size() > max_bytes && keep_end && max_bytes >= 4) {
    text.remove_prefix(text.size() - max_bytes);
    for (int i = 0; i < 3 && is_continuation(text.front()); ++i)
      text.remove_prefix(1);
  } else if (text.size() > max_bytes) {
    auto end = max_bytes;
    for (int i = 0; i < 3 && end > 0 && is_continuation(text[end]); ++i)
      --end;
    text = text.substr(0, end);
  }
  // A replaced byte takes three: what has grown over the limit is cut once more.
  auto repaired = json::parse(text_of(std::string{text})).get<std::string>();
  if (repaired.size() > max_bytes)
    return safe_text(repaired, max_bytes, keep_end);
  return repaired;
}

} // namespace herald
