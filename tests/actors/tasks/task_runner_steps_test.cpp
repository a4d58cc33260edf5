#include "actors/tasks/task_runner.hpp"

#include <string>
#include <vector>

#include "tests/support/log_capture.hpp"
#include "tests/support/task_runner_test.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

using lines = std::vector<std::string>;

class TaskRunnerSteps : public testing::task_runner_test {};

TEST_F(TaskRunnerSteps, TellsHowATaskEnded) {
  spawn_ready();
  const auto a = start();
  succeed(a, R"({"n":1.0})");
  EXPECT_EQ(events.of(a), (lines{"task_started null", R"(task_completed {"n":1.0})"}));
  EXPECT_EQ(get(a).status, task_status::completed);
  EXPECT_EQ(get(a).result_json, R"({"n":1.0})");
  EXPECT_TRUE(get(a).end_time);
  const auto b = start();
  tell(runner, task_finished{b, {}, "disk full"});
  EXPECT_EQ(events.of(b), (lines{"task_started null", R"(task_failed {"error":"disk full"})"}));
  EXPECT_EQ(get(b).error, "disk full");
  tell(runner, worker_idle{0});
  const auto c = start();
  EXPECT_TRUE(ask<task_view>(runner, cancel_task{c}));
  EXPECT_EQ(events.of(c), (lines{"task_started null", "task_cancelled null"}));
  tell(runner, worker_idle{1});
  const auto d = start();
  succeed(d, "");
  EXPECT_EQ(events.of(d).back(), "task_completed null");
}

TEST_F(TaskRunnerSteps, LogsWhyATaskHasFailed) {
  spawn_ready();
  const auto done = start();
  const auto failed = start();
  testing::log_capture log;
  succeed(done, "1");
  tell(runner, task_finished{failed, {}, "disk full"});
  EXPECT_EQ(
    log.lines("task_ended"),
    (lines{
      "info task-runner task_ended task_id=" + done.str() + " type=demo status=completed",
      "error task-runner task_ended task_id=" + failed.str()
        + " type=demo status=failed error=\"disk full\""}));
}

TEST_F(TaskRunnerSteps, SaysNothingAfterTheEndOfATask) {
  spawn_ready();
  const auto done = start();
  const auto failed = start();
  const auto cancelled = start(external_type);
  succeed(done, "1");
  tell(runner, task_finished{failed, {}, "no"});
  EXPECT_TRUE(ask<task_view>(runner, cancel_task{cancelled}));
  const auto before = events.all();
  for (const auto& id : {done, failed, cancelled}) {
    tell(runner, task_progressed{id, 0.9, "late"});
    tell(runner, task_finished{id, "2", std::nullopt});
    tell(runner, task_finished{id, {}, "late"});
    EXPECT_EQ(refusal_of<task_view>(cancel_task{id}), ec::task_ended);
  }
  advance(1h);
  EXPECT_EQ(events.all(), before);
}

TEST_F(TaskRunnerSteps, IgnoresReportsOnTasksThatItDoesNotKnow) {
  spawn_ready();
  const task_id id{"never"};
  tell(runner, task_progressed{id, 0.9, "late"});
  tell(runner, task_finished{id, "2", std::nullopt});
  tell(runner, worker_idle{77});
  EXPECT_EQ(events.all(), lines{});
  EXPECT_EQ(ask<task_page>(runner, list_tasks{})->total, 0u);
}

TEST_F(TaskRunnerSteps, CountsAndMeasuresTasks) {
  spawn_ready();
  const auto a = start();
  advance(2s);
  succeed(a, "1");
  const auto b = start();
  tell(runner, task_finished{b, {}, "no"});
  EXPECT_EQ(metric("task_executions_total{status=\"completed\",type=\"demo\"}"), 1);
  EXPECT_EQ(metric("task_executions_total{status=\"failed\",type=\"demo\"}"), 1);
  EXPECT_EQ(metric("task_duration_seconds_sum{type=\"demo\"}"), 2);
  EXPECT_EQ(metric("task_duration_seconds_count{type=\"demo\"}"), 2);
  EXPECT_EQ(metric("herald_tasks_active"), 0);
  EXPECT_EQ(metric("herald_tasks_kept"), 2);
  const auto x = start(external_type);
  EXPECT_EQ(metric("herald_tasks_active"), 1);
  EXPECT_TRUE(ask<task_view>(runner, cancel_task{x}));
  EXPECT_EQ(metric("task_executions_total{status=\"cancelled\",type=\"external\"}"), 1);
}

TEST_F(TaskRunnerSteps, BoundsWhatAWorkerSaysOfAFailure) {
  spawn_ready();
  const auto a = start();
  tell(runner, task_finished{a, {}, "\xff" + std::string(2 * max_task_error_bytes, 'x')});
  const auto error = get(a).error;
  EXPECT_LE(error.size(), max_task_error_bytes);
  EXPECT_EQ(error.substr(0, 4), "\xef\xbf\xbdx");
}

TEST_F(TaskRunnerSteps, TellsProgressThatRises) {
  spawn_ready();
  const auto a = start();
  for (const auto& [value, text] :
       {std::pair{0.25, "quarter"}, std::pair{0.1, "quarter"}, std::pair{0.1, "back?"},
        std::pair{7.0, "done"}}) {
    tell(runner, task_progressed{a, value, text});
    advance(100ms);
  }
  EXPECT_EQ(
    events.of(a), (lines{
                    "task_started null",
                    R"(progress_update {"text":"quarter","value":0.25})",
                    R"(progress_update {"text":"back?","value":0.25})",
                    R"(progress_update {"text":"done","value":1})",
                  }));
  EXPECT_EQ(get(a).progress, 1.0);
  EXPECT_EQ(get(a).progress_text, "done");
}

TEST_F(TaskRunnerSteps, CoalescesProgressToWhatAScreenCanShow) {
  spawn_ready();
  const auto a = start();
  for (int i = 1; i <= 50; ++i)
    tell(runner, task_progressed{a, i / 100.0, std::nullopt});
  EXPECT_EQ(get(a).progress, 0.5) << "whoever asks gets the latest";
  EXPECT_EQ(
    events.of(a), (lines{"task_started null", R"(progress_update {"text":"","value":0.01})"}));
  advance(99ms);
  EXPECT_EQ(events.of(a).size(), 2u);
  advance(1ms);
  EXPECT_EQ(events.of(a).back(), R"(progress_update {"text":"","value":0.5})");
  EXPECT_EQ(events.of(a).size(), 3u);
  advance(1s);
  EXPECT_EQ(events.of(a).size(), 3u) << "nothing new, nothing told";
}

TEST_F(TaskRunnerSteps, TellsTheLastProgressBeforeTheEnd) {
  spawn_ready();
  const auto a = start();
  tell(runner, task_progressed{a, 0.1, std::nullopt});
  tell(runner, task_progressed{a, 0.9, "nearly"});
  succeed(a, "1");
  advance(1s);
  EXPECT_EQ(
    events.of(a), (lines{
                    "task_started null",
                    R"(progress_update {"text":"","value":0.1})",
                    R"(progress_update {"text":"nearly","value":0.9})",
                    "task_completed 1",
                  }));
}

TEST_F(TaskRunnerSteps, EndsATaskThatRunsTooLong) {
  spawn_ready();
  const auto a = start();
  advance(299s);
  EXPECT_EQ(get(a).status, task_status::running);
  advance(1s);
  EXPECT_EQ(get(a).status, task_status::failed);
  EXPECT_EQ(get(a).error, "timed out after 300 s");
  EXPECT_EQ(events.of(a).back(), R"(task_failed {"error":"timed out after 300 s"})");
  EXPECT_EQ(orders(), (lines{"0 run a", "0 abort a"}));
  EXPECT_EQ(metric("task_executions_total{status=\"failed\",type=\"demo\"}"), 1);
  EXPECT_EQ(metric("task_duration_seconds_sum{type=\"demo\"}"), 300);
}

TEST_F(TaskRunnerSteps, CountsTheTimeOfATaskFromWhenAWorkerHasIt) {
  options.workers = 1;
  spawn_ready();
  const auto a = start();
  const auto b = start();
  advance(200s);
  succeed(a, "1");
  tell(runner, worker_idle{0});
  advance(299s);
  EXPECT_EQ(get(b).status, task_status::running);
  advance(1s);
  EXPECT_EQ(get(b).status, task_status::failed);
}

TEST_F(TaskRunnerSteps, GivesACommandItsOwnTime) {
  spawn_ready();
  const auto a = start("report");
  const auto b = start("endless");
  advance(2499ms);
  EXPECT_EQ(get(a).status, task_status::running);
  advance(1ms);
  EXPECT_EQ(get(a).error, "timed out after 2.5 s");
  for (int i = 0; i < 48; ++i)
    advance(1h);
  EXPECT_EQ(get(b).status, task_status::running) << "zero is no limit";
}

TEST_F(TaskRunnerSteps, SaysTheTimeOfATimeOutAsBrieflyAsItCan) {
  for (const auto& [limit, text] :
       {std::pair{1ms, "0.001 s"}, std::pair{500ms, "0.5 s"}, std::pair{1010ms, "1.01 s"},
        std::pair{60'000ms, "60 s"}}) {
    options.timeout_s = limit;
    spawn_ready();
    const auto a = start();
    advance(limit);
    EXPECT_EQ(get(a).error, std::string{"timed out after "} + text);
  }
}

TEST_F(TaskRunnerSteps, EndsAnExternalTaskThatNobodyReportsOn) {
  options.external_timeout_s = 60s;
  spawn();
  const auto silent = start(external_type);
  const auto reported = start(external_type);
  for (int i = 0; i < 5; ++i) {
    advance(30s);
    // The value need not rise: a report is a sign of life.
    EXPECT_TRUE(ask<task_view>(runner, report_progress{reported, 0.1, {}}));
  }
  EXPECT_EQ(get(silent).error, "timed out after 60 s");
  EXPECT_EQ(get(reported).status, task_status::running);
  advance(60s);
  EXPECT_EQ(get(reported).status, task_status::failed);
  EXPECT_EQ(refusal_of<task_view>(report_completion{reported, "null"}), ec::task_ended);
}

TEST_F(TaskRunnerSteps, ForgetsEndedTasksAfterTheirRetention) {
  spawn_ready();
  const auto a = start();
  succeed(a, "1");
  const auto b = start();
  advance(599s);
  EXPECT_EQ(get(a).status, task_status::completed);
  advance(1s);
  EXPECT_EQ(refusal_of<task_view>(get_task{a}), ec::no_such_task);
  EXPECT_EQ(refusal_of<void>(remove_task{a}), ec::no_such_task);
  EXPECT_EQ(get(b).status, task_status::failed) << "timed out, and kept from then on";
  EXPECT_EQ(metric("herald_tasks_kept"), 1);
  EXPECT_EQ(metric("herald_tasks_evicted_total"), 0);
}

TEST_F(TaskRunnerSteps, KeepsABoundedNumberOfEndedTasks) {
  options.max_ended = 3;
  spawn();
  for (int i = 0; i < 5; ++i) {
    const auto view = ask<task_view>(runner, report_completion{start(external_type), "null"});
    ASSERT_TRUE(view);
    EXPECT_EQ(view->status, task_status::completed);
  }
  EXPECT_EQ(refusal_of<task_view>(get_task{ids[0]}), ec::no_such_task);
  EXPECT_EQ(refusal_of<task_view>(get_task{ids[1]}), ec::no_such_task);
  EXPECT_EQ(get(ids[2]).status, task_status::completed);
  EXPECT_EQ(metric("herald_tasks_kept"), 3);
  EXPECT_EQ(metric("herald_tasks_evicted_total"), 2);
}

TEST_F(TaskRunnerSteps, LeavesNoHeapOfTimersBehind) {
  options.external_timeout_s = 1h;
  spawn();
  const auto a = start(external_type);
  for (int i = 1; i <= 1000; ++i) {
    EXPECT_TRUE(ask<task_view>(runner, report_progress{a, i / 1000.0, {}}));
    advance(50ms);
  }
  // One alarm, those of the last ten seconds that an earlier one has replaced, and those that `ask`
  // leaves for a second. Without bound there would be one for each progress event: 500.
  EXPECT_LT(scheduler().clock().schedule().size(), 150u);
  EXPECT_EQ(get(a).progress, 1.0);
}

TEST_F(TaskRunnerSteps, NumbersTheEventsOfEachTask) {
  spawn_ready();
  const auto a = start();
  EXPECT_EQ(get(a).seq, 1u);
  const auto waits = (start(), start());
  EXPECT_EQ(get(waits).seq, 0u) << "nothing was told of it";
  for (int i = 1; i <= 9; ++i)
    tell(runner, task_progressed{a, i / 10.0, std::nullopt});
  EXPECT_EQ(get(a).seq, 2u) << "of the last event, not of the last report";
  succeed(a, "1");
  EXPECT_EQ(get(a).seq, 4u);
  EXPECT_EQ(ask<task_page>(runner, list_tasks{})->tasks.front().seq, 4u);
  EXPECT_EQ(events.of(a).size(), 4u);
}

TEST_F(TaskRunnerSteps, TellsOfATaskWhomItWasStartedFor) {
  spawn_ready();
  const auto page = audience_of_page(request_id{"mine"});
  events.expect(page);
  const auto begin = [&](const char* type) {
    auto task = ask<task_view>(runner, start_task{type, "{}", page});
    EXPECT_TRUE(task);
    EXPECT_EQ(task->to, page);
    return task->id;
  };
  const auto completed = begin(demo_type);
  tell(runner, task_progressed{completed, 0.5, "half"});
  succeed(completed, "1");
  const auto lost = begin(demo_type);
  tell(runner, worker_idle{1});
  const auto cancelled = begin(external_type);
  EXPECT_TRUE(ask<task_view>(runner, report_progress{cancelled, 0.5, {}}));
  EXPECT_TRUE(ask<task_view>(runner, cancel_task{cancelled}));
  const auto reported = begin(external_type);
  EXPECT_TRUE(ask<task_view>(runner, report_completion{reported, "1"}));
  const auto silent = begin(external_type);
  (void)ask<void>(runner, begin_shutdown{});
  tell(runner, abort_all_tasks{});
  EXPECT_EQ(get(silent).error, "shutting down");
  EXPECT_EQ(get(lost).error, "the worker of this task failed");
  EXPECT_EQ(get(silent).to, page);
  EXPECT_EQ(events.all().size(), 3u + 2 + 3 + 2 + 2);
}

TEST_F(TaskRunnerSteps, TellsNobodyOfATaskThatNamesNobodyWhereTheSettingsSaySo) {
  options.audience = task_audience::none;
  spawn_ready();
  const auto a = start();
  tell(runner, task_progressed{a, 0.5, "half"});
  succeed(a, "1");
  const auto all_but_one =
    std::make_shared<const audience>(audience{{}, {}, {}, {}, {request_id{"away"}}});
  EXPECT_FALSE(ask<task_view>(runner, start_task{demo_type, "{}", all_but_one})->told);
  EXPECT_EQ(events.all(), lines{});
  EXPECT_EQ(get(a).status, task_status::completed);
  EXPECT_EQ(get(a).result_json, "1");
  EXPECT_EQ(get(a).progress, 0.5);
  EXPECT_EQ(get(a).seq, 0u);
  const auto named = std::make_shared<const audience>(audience{{}, "ann", {}, {}, {}});
  events.expect(named);
  EXPECT_TRUE(ask<task_view>(runner, start_task{external_type, "{}", named}));
  EXPECT_EQ(events.all(), (lines{"task_started null"}));
}

TEST_F(TaskRunnerSteps, KeepsWhatAProgramComplainsOfFromPages) {
  for (const bool publish : {false, true}) {
    options.publish_errors = publish;
    spawn_ready();
    const auto a = start("report");
    tell(runner, task_finished{a, {}, "exit code 3: password=hush", "exit code 3"});
    EXPECT_EQ(get(a).error, "exit code 3: password=hush");
    EXPECT_EQ(
      events.of(a).back(), publish ? R"(task_failed {"error":"exit code 3: password=hush"})"
                                   : R"(task_failed {"error":"exit code 3"})");
    const auto reported = start(external_type);
    EXPECT_TRUE(ask<task_view>(runner, report_failure{reported, "no paper"}));
    EXPECT_EQ(events.of(reported).back(), R"(task_failed {"error":"no paper"})")
      << "what a service reports is for pages";
  }
}

} // namespace
} // namespace herald
