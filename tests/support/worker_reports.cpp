#include "tests/support/worker_reports.hpp"

#include <sstream>
#include <utility>

#include <gtest/gtest.h>

#include "messages/type_ids.hpp"

namespace herald::testing {

namespace {

/// What no worker says.
template <class Answer, class Message>
auto unexpected() {
  return [](const Message&) -> result<Answer> {
    ADD_FAILURE() << "a worker is not to send this";
    return fail(ec::internal, "unexpected");
  };
}

std::string progress_line(const task_progressed& report) {
  std::ostringstream line;
  line << "progress " << report.id.str() << ' ' << report.value << ' ' << report.text.value_or("-");
  return line.str();
}

std::string end_line(const task_finished& report) {
  return report.error ? "failed " + report.id.str() + " " + *report.error
                      : "finished " + report.id.str() + " " + report.result_json;
}

} // namespace

task_runner_actor::behavior_type worker_reports(std::function<void(std::string)> note) {
  return {
    unexpected<task_view, start_task>(),
    unexpected<task_view, get_task>(),
    unexpected<task_page, list_tasks>(),
    unexpected<task_view, cancel_task>(),
    unexpected<void, remove_task>(),
    unexpected<task_view, report_progress>(),
    unexpected<task_view, report_completion>(),
    unexpected<task_view, report_failure>(),
    [note](const task_progressed& report) { note(progress_line(report)); },
    [note](const task_finished& report) { note(end_line(report)); },
    [note](const worker_idle& report) { note("idle " + std::to_string(report.worker)); },
    unexpected<void, begin_shutdown>(),
    unexpected<void, abort_all_tasks>(),
  };
}

} // namespace herald::testing
