#include "actors/tasks/task_runner.hpp"

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/task_runner_test.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

using lines = std::vector<std::string>;

class TaskRunner : public testing::task_runner_test {};

TEST_F(TaskRunner, GivesATaskToAWorkerThatIsFree) {
  spawn_ready();
  const auto view = ask<task_view>(runner, start_task{"report", R"({"n":1})"});
  ASSERT_TRUE(view);
  EXPECT_EQ(view->status, task_status::pending);
  EXPECT_EQ(view->type, "report");
  EXPECT_EQ(last_order.id, view->id);
  EXPECT_EQ(last_order.type, "report");
  EXPECT_EQ(last_order.params_json, R"({"n":1})");
  const auto now = get(view->id);
  EXPECT_EQ(now.status, task_status::running);
  EXPECT_TRUE(now.start_time);
  EXPECT_EQ(events.of(view->id), (lines{"task_started null"}));
}

TEST_F(TaskRunner, NamesEachTaskWithARandomUuid) {
  spawn_ready();
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    const auto id = start(external_type).str();
    EXPECT_EQ(id.size(), 36u);
    EXPECT_EQ(id[14], '4') << id;
    EXPECT_NE(std::string{"89ab"}.find(id[19]), std::string::npos) << id;
    EXPECT_TRUE(seen.insert(id).second);
  }
}

TEST_F(TaskRunner, LetsTasksWaitForAWorkerInTheirOrder) {
  spawn();
  const auto a = start();
  const auto b = start();
  const auto c = start();
  EXPECT_EQ(events.all(), lines{}) << "no worker has said that it is ready";
  EXPECT_EQ(get(a).status, task_status::pending);
  tell(runner, worker_idle{1});
  tell(runner, worker_idle{0});
  EXPECT_EQ(orders(), (lines{"1 run a", "0 run b"}));
  EXPECT_EQ(get(c).status, task_status::pending);
  EXPECT_EQ(metric("herald_tasks_active"), 2);
  EXPECT_EQ(metric("herald_tasks_pending"), 1);
  succeed(b, "1");
  EXPECT_EQ(get(c).status, task_status::pending) << "the worker has not let go of b";
  tell(runner, worker_idle{0});
  EXPECT_EQ(orders().back(), "0 run c");
  EXPECT_EQ(metric("herald_tasks_pending"), 0);
}

TEST_F(TaskRunner, RefusesUnknownTypesAndListsTheKnown) {
  spawn_ready();
  const auto answer = ask<task_view>(runner, start_task{"reprot", "{}"});
  ASSERT_FALSE(answer);
  const auto why = describe(answer.error());
  EXPECT_EQ(why.code, ec::unknown_task_type);
  EXPECT_EQ(why.field, "type");
  EXPECT_EQ(why.detail, "no such type; there are: demo, endless, external, failing, report");
  EXPECT_EQ(ask<task_page>(runner, list_tasks{})->total, 0u);
}

TEST_F(TaskRunner, RefusesMoreThanMayWait) {
  options.max_pending = 2;
  spawn_ready();
  const auto a = start();
  start();
  start();
  const auto d = start();
  const start_task one_more{demo_type, "{}"};
  EXPECT_EQ(refusal_of<task_view>(one_more), ec::overloaded);
  EXPECT_EQ(metric("herald_tasks_refused_total{limit=\"pending\"}"), 1);
  EXPECT_EQ(metric("herald_tasks_refused_total{limit=\"external\"}"), 0);
  start(external_type); // waits for nobody
  EXPECT_TRUE(ask<task_view>(runner, cancel_task{d}));
  start();
  EXPECT_EQ(refusal_of<task_view>(one_more), ec::overloaded);
  succeed(a, "1");
  tell(runner, worker_idle{0});
  start();
  EXPECT_EQ(metric("herald_tasks_refused_total{limit=\"pending\"}"), 2);
}

TEST_F(TaskRunner, RefusesMoreExternalTasksThanMayRun) {
  options.max_external = 2;
  spawn_ready();
  const auto a = start(external_type);
  start(external_type);
  const start_task one_more{external_type, "{}"};
  EXPECT_EQ(refusal_of<task_view>(one_more), ec::overloaded);
  EXPECT_EQ(metric("herald_tasks_refused_total{limit=\"external\"}"), 1);
  start(demo_type);
  EXPECT_TRUE(ask<task_view>(runner, report_completion{a, "null"}));
  start(external_type);
}

TEST_F(TaskRunner, CancelsATaskBeforeAWorkerGetsIt) {
  spawn();
  const auto a = start();
  const auto b = start();
  const auto cancelled = ask<task_view>(runner, cancel_task{a});
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->status, task_status::cancelled);
  EXPECT_EQ(cancelled->start_time, std::nullopt);
  EXPECT_TRUE(cancelled->end_time);
  EXPECT_EQ(events.of(a), (lines{"task_cancelled null"}));
  tell(runner, worker_idle{0});
  tell(runner, worker_idle{1});
  EXPECT_EQ(orders(), (lines{"0 run b"}));
  EXPECT_EQ(get(b).status, task_status::running);
}

TEST_F(TaskRunner, CancelsATaskAtWorkAndWaitsForItsWorker) {
  options.workers = 1;
  spawn_ready();
  const auto a = start();
  start();
  EXPECT_EQ(ask<task_view>(runner, cancel_task{a})->status, task_status::cancelled);
  EXPECT_EQ(orders(), (lines{"0 run a", "0 abort a"}));
  EXPECT_EQ(events.of(a).back(), "task_cancelled null");
  tell(runner, worker_idle{0});
  EXPECT_EQ(orders().back(), "0 run b");
  EXPECT_EQ(get(a).status, task_status::cancelled) << "that it is idle is no failure";
  EXPECT_EQ(get(a).error, "");
}

TEST_F(TaskRunner, RemovesEndedTasksOnly) {
  spawn();
  const auto a = start();
  const auto x = start(external_type);
  EXPECT_EQ(refusal_of<void>(remove_task{a}), ec::task_not_ended) << "pending";
  EXPECT_EQ(refusal_of<void>(remove_task{x}), ec::task_not_ended) << "running";
  EXPECT_TRUE(ask<task_view>(runner, cancel_task{a}));
  EXPECT_EQ(refusal_of<void>(remove_task{a}), ec::none);
  EXPECT_EQ(refusal_of<void>(remove_task{a}), ec::no_such_task);
  EXPECT_EQ(refusal_of<task_view>(get_task{a}), ec::no_such_task);
  EXPECT_EQ(refusal_of<task_view>(cancel_task{a}), ec::no_such_task);
  EXPECT_EQ(metric("herald_tasks_kept"), 1);
}

TEST_F(TaskRunner, RemovesATaskThatItsWorkerIsStillTidyingUp) {
  options.workers = 1;
  spawn_ready();
  const auto a = start();
  EXPECT_TRUE(ask<task_view>(runner, cancel_task{a}));
  EXPECT_EQ(refusal_of<void>(remove_task{a}), ec::none);
  start();
  EXPECT_EQ(orders(), (lines{"0 run a", "0 abort a"}));
  tell(runner, worker_idle{0});
  EXPECT_EQ(orders().back(), "0 run b");
}

TEST_F(TaskRunner, ListsTasks) {
  spawn_ready();
  const auto a = start();
  const auto b = start(external_type);
  auto page = ask<task_page>(runner, list_tasks{0, 1});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->total, 2u);
  ASSERT_EQ(page->tasks.size(), 1u);
  EXPECT_EQ(page->tasks[0].id, a);
  ASSERT_TRUE(page->next);
  page = ask<task_page>(runner, list_tasks{*page->next, 1});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->tasks[0].id, b);
  EXPECT_EQ(page->next, std::nullopt);
}

TEST_F(TaskRunner, RunsExternalTasksFromTheStart) {
  spawn();
  const auto view = ask<task_view>(runner, start_task{external_type, "{}"});
  ASSERT_TRUE(view);
  EXPECT_EQ(view->status, task_status::running) << "without any worker";
  EXPECT_TRUE(view->start_time);
  EXPECT_EQ(events.of(view->id), (lines{"task_started null"}));
  EXPECT_EQ(orders(), lines{});
}

TEST_F(TaskRunner, TakesReportsOnExternalTasks) {
  spawn();
  const auto a = start(external_type);
  auto view = ask<task_view>(runner, report_progress{a, 0.5, "half"});
  ASSERT_TRUE(view);
  EXPECT_EQ(view->progress, 0.5);
  EXPECT_EQ(view->progress_text, "half");
  view = ask<task_view>(runner, report_progress{a, 0.2, std::nullopt});
  ASSERT_TRUE(view) << "what does not rise is no error";
  EXPECT_EQ(view->progress, 0.5);
  view = ask<task_view>(runner, report_completion{a, "[1]"});
  ASSERT_TRUE(view);
  EXPECT_EQ(view->status, task_status::completed);
  EXPECT_EQ(view->result_json, "[1]");
  const auto b = start(external_type);
  view = ask<task_view>(runner, report_failure{b, "no"});
  ASSERT_TRUE(view);
  EXPECT_EQ(view->status, task_status::failed);
  EXPECT_EQ(view->error, "no");
  EXPECT_EQ(
    events.of(a), (lines{
                    "task_started null", R"(progress_update {"text":"half","value":0.5})",
                    "task_completed [1]"}));
  EXPECT_EQ(events.of(b), (lines{"task_started null", R"(task_failed {"error":"no"})"}));
}

TEST_F(TaskRunner, RefusesReportsOnAllOtherTasks) {
  spawn_ready();
  const auto demo = start();
  const auto ended = start(external_type);
  EXPECT_TRUE(ask<task_view>(runner, report_completion{ended, "null"}));
  const auto before = events.all();
  for (const auto& [id, code] :
       {std::pair{demo, ec::task_not_external}, std::pair{ended, ec::task_ended},
        std::pair{task_id{"never"}, ec::no_such_task}}) {
    EXPECT_EQ(refusal_of<task_view>(report_progress{id, 0.5, {}}), code);
    EXPECT_EQ(refusal_of<task_view>(report_completion{id, "null"}), code);
    EXPECT_EQ(refusal_of<task_view>(report_failure{id, "no"}), code);
  }
  EXPECT_EQ(events.all(), before);
}

TEST_F(TaskRunner, FailsTheTaskThatAWorkerHasLost) {
  spawn_ready();
  const auto a = start();
  start();
  start();
  tell(runner, worker_idle{0});
  EXPECT_EQ(get(a).status, task_status::failed);
  EXPECT_EQ(get(a).error, "the worker of this task failed");
  EXPECT_EQ(events.of(a).back(), R"(task_failed {"error":"the worker of this task failed"})");
  EXPECT_EQ(orders(), (lines{"0 run a", "1 run b", "0 run c"})) << "and works on";
}

TEST_F(TaskRunner, IsBuiltAnewWhereAWorkerCannotBeMade) {
  int made = 0;
  const auto publisher = mock<publisher_actor>([](const publish&) { return publish_receipt{}; });
  runner = own(spawn_task_runner(
    system(), {"task-runner", {}, &numbers}, options, publisher, numbers,
    [&](const task_runner_actor&, std::size_t number) {
      if (++made == 2)
        throw std::runtime_error("no worker to be had");
      return worker(number);
    }));
  EXPECT_EQ(made, 3) << "the first worker was kept";
  tell(runner, worker_idle{1});
  start();
  EXPECT_EQ(orders(), (lines{"1 run a"}));
}

/// Asks the runner to end, and knows whether it has answered.
class end_request {
public:
  template <class Command>
  end_request(caf::actor_system& system, const task_runner_actor& runner, Command command)
    : asker_(system, true),
      pending_(asker_->request(runner, caf::infinite, command)) {}

  bool answered() { return asker_->has_next_message(); }

private:
  caf::scoped_actor asker_;
  decltype(std::declval<caf::scoped_actor&>()->request(
    std::declval<const task_runner_actor&>(), caf::infinite, begin_shutdown{})) pending_;
};

TEST_F(TaskRunner, EndsAtOnceWhereNothingRuns) {
  spawn_ready();
  succeed(start(), "1");
  tell(runner, worker_idle{0});
  end_request end{system(), runner, begin_shutdown{}};
  drain();
  EXPECT_TRUE(end.answered());
}

TEST_F(TaskRunner, LetsRunningTasksEndAndTakesNoNewOnes) {
  options.workers = 1;
  spawn_ready();
  const auto running = start();
  const auto waiting = start();
  const auto external = start(external_type);
  end_request end{system(), runner, begin_shutdown{}};
  drain();
  for (const auto* type : {demo_type, external_type}) {
    const auto answer = ask<task_view>(runner, start_task{type, "{}"});
    ASSERT_FALSE(answer);
    EXPECT_EQ(describe(answer.error()).code, ec::shutting_down);
  }
  EXPECT_EQ(events.of(waiting), (lines{"task_cancelled null"}));
  tell(runner, task_progressed{running, 0.5, std::nullopt});
  EXPECT_TRUE(ask<task_view>(runner, report_progress{external, 0.5, {}}));
  EXPECT_TRUE(ask<task_view>(runner, report_completion{external, "1"}));
  EXPECT_EQ(events.of(external).back(), "task_completed 1");
  EXPECT_FALSE(end.answered());
  succeed(running, "1");
  EXPECT_FALSE(end.answered()) << "the worker still has something of it";
  tell(runner, worker_idle{0});
  EXPECT_TRUE(end.answered());
  EXPECT_EQ(events.of(running).back(), "task_completed 1");
  EXPECT_EQ(orders(), (lines{"0 run a"}));
}

TEST_F(TaskRunner, EndsWhatHasHadItsGrace) {
  options.workers = 2;
  spawn_ready();
  const auto a = start();
  const auto b = start();
  const auto external = start(external_type);
  end_request grace{system(), runner, begin_shutdown{}};
  drain();
  EXPECT_FALSE(grace.answered());
  tell(runner, task_progressed{a, 0.1, std::nullopt});
  tell(runner, task_progressed{a, 0.2, std::nullopt});
  end_request end{system(), runner, abort_all_tasks{}};
  drain();
  EXPECT_EQ(
    events.of(a),
    (lines{
      "task_started null", R"(progress_update {"text":"","value":0.1})",
      R"(progress_update {"text":"","value":0.2})", R"(task_failed {"error":"shutting down"})"}));
  EXPECT_EQ(events.of(b).back(), R"(task_failed {"error":"shutting down"})");
  EXPECT_EQ(get(external).error, "shutting down");
  EXPECT_EQ(orders(), (lines{"0 run a", "1 run b", "0 abort a", "1 abort b"}));
  EXPECT_FALSE(end.answered());
  tell(runner, worker_idle{1});
  EXPECT_FALSE(end.answered());
  tell(runner, worker_idle{0});
  EXPECT_TRUE(end.answered());
  EXPECT_TRUE(grace.answered()) << "whoever waited for the grace, too";
}

TEST_F(TaskRunner, AbortsWithoutAGraceBefore) {
  options.workers = 1;
  spawn_ready();
  start();
  const auto waiting = start();
  end_request end{system(), runner, abort_all_tasks{}};
  drain();
  EXPECT_EQ(get(waiting).status, task_status::cancelled);
  EXPECT_EQ(refusal_of<task_view>(start_task{demo_type, "{}"}), ec::shutting_down);
  tell(runner, worker_idle{0});
  EXPECT_TRUE(end.answered());
  EXPECT_EQ(orders(), (lines{"0 run a", "0 abort a"}));
}

TEST_F(TaskRunner, TimesTasksOutDuringTheGrace) {
  spawn_ready();
  const auto a = start("report");
  end_request end{system(), runner, begin_shutdown{}};
  drain();
  advance(2500ms);
  EXPECT_EQ(get(a).error, "timed out after 2.5 s");
  tell(runner, worker_idle{0});
  EXPECT_TRUE(end.answered());
}

TEST_F(TaskRunner, StartsATaskOnceThatHasItsIdFromAKey) {
  spawn_ready();
  start_task wish{demo_type, "{}"};
  wish.planned = task_id{"planned"};
  EXPECT_EQ(ask<task_view>(runner, wish)->id, task_id{"planned"});
  EXPECT_EQ(ask<task_view>(runner, wish)->id, task_id{"planned"});
  EXPECT_EQ(ask<task_page>(runner, list_tasks{})->total, 1u);
}

} // namespace
} // namespace herald
