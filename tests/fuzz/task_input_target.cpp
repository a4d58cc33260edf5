// What the API is sent about tasks. The first byte says about what.

#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

#include "messages/wire/task_input.hpp"
#include "messages/wire/task_json.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

namespace {

bool is_json(const std::string& text) {
  return nlohmann::json::accept(text);
}

void check_start(const caf::expected<start_task>& command) {
  if (!command)
    return;
  require(command->params_json.size() <= max_task_json_bytes, "params are too large");
  require(command->params_json.starts_with("{"), "params are no object");
  const auto params = parse_pause_params(command->params_json);
  if (!params)
    return;
  require(params->steps >= 1 && params->steps <= 10'000, "steps are out of range");
  require(params->delay >= 0 && params->delay <= 3600, "the delay is out of range");
}

} // namespace

HERALD_FUZZ_TARGET(task_input, input) {
  input_reader in{input};
  const auto choice = in.byte() % 5;
  const auto body = in.rest();
  const task_id id{"t"};
  task_view shown;
  shown.id = id;
  shown.type = "demo";
  if (choice == 0)
    check_start(parse_start_task(body));
  if (choice == 1)
    check_start(parse_test_task(body));
  if (choice == 2) {
    const auto report = parse_progress(id, body);
    if (!report)
      return;
    require(std::isfinite(report->value), "progress is no number");
    require(!report->text || report->text->size() <= max_task_text_bytes, "a text is too long");
    shown.progress = report->value;
    shown.progress_text = report->text.value_or("");
  }
  if (choice == 3) {
    const auto report = parse_completion(id, body);
    if (!report)
      return;
    require(report->result_json.size() <= max_task_json_bytes, "a result is too large");
    shown.status = task_status::completed;
    shown.result_json = report->result_json;
  }
  if (choice == 4) {
    const auto report = parse_failure(id, body);
    if (!report)
      return;
    require(report->error.size() <= max_task_error_bytes, "an error is too long");
    shown.status = task_status::failed;
    shown.error = report->error;
  }
  // A number past a double, which nlohmann refuses, is the caller's own business.
  require(is_json(to_json(shown)) || shown.result_json.size() > 4, "a task is not shown as JSON");
}

} // namespace herald::fuzz
