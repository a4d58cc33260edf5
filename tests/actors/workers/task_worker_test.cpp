#include "actors/workers/task_worker.hpp"

#include <string>
#include <vector>

#include "tests/support/actor_test.hpp"
#include "tests/support/fragile_worker.hpp"
#include "tests/support/task_transcript.hpp"
#include "tests/support/worker_reports.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

using lines = std::vector<std::string>;

/// A worker, and a runner that notes what it reports.
class TaskWorker : public testing::actor_test {
protected:
  TaskWorker() {
    runner = own(task_runner_actor{system().spawn([this](task_runner_actor::pointer) {
      return testing::worker_reports([this](std::string line) { told.push_back(std::move(line)); });
    })});
    auto kept = std::make_shared<task_worker::state>();
    kept->runner = runner;
    kept->number = 3;
    kept->options = std::make_shared<const task_options>();
    worker = own(spawn_supervised<task_worker::interface, testing::fragile_worker>(
      system(), {"task-worker", {}, &numbers}, [kept](self_pointer<task_worker::interface> self) {
        return std::make_unique<testing::fragile_worker>(self, kept);
      }));
  }

  void run(const char* id, const char* type, const char* params_json) {
    tell(worker, run_task{task_id{id}, type, params_json});
  }

  /// What was told since the last time.
  lines news() { return std::exchange(told, {}); }

  metrics numbers;
  lines told;
  task_runner_actor runner;
  task_worker_actor worker;
};

TEST_F(TaskWorker, SaysWhenItIsReady) {
  EXPECT_EQ(news(), (lines{"idle 3"}));
}

TEST_F(TaskWorker, PausesStepByStepInADemo) {
  news();
  run("a", demo_type, R"({"steps":3,"delay":2})");
  EXPECT_EQ(news(), lines{});
  advance(1999ms);
  EXPECT_EQ(news(), lines{});
  advance(1ms);
  EXPECT_EQ(news(), (lines{"progress a 0.333333 step 1 of 3"}));
  advance(2s);
  EXPECT_EQ(news(), (lines{"progress a 0.666667 step 2 of 3"}));
  advance(2s);
  EXPECT_EQ(
    news(),
    (lines{"progress a 1 step 3 of 3", R"(finished a {"status":"success","steps":3})", "idle 3"}));
  advance(1h);
  EXPECT_EQ(news(), lines{});
}

TEST_F(TaskWorker, GoesThroughADemoWithoutDelayAtOnce) {
  news();
  run("a", demo_type, R"({"steps":100,"delay":0})");
  EXPECT_EQ(told.size(), 102u);
  EXPECT_EQ(told.back(), "idle 3");
}

TEST_F(TaskWorker, TakesShortAndDefaultPauses) {
  news();
  run("a", demo_type, R"({"steps":1,"delay":0.0000001})");
  EXPECT_EQ(news(), lines{}) << "not even the shortest pause is none";
  advance(1us);
  EXPECT_EQ(told.size(), 3u);
  run("b", demo_type, "{}");
  news();
  for (int i = 0; i < 3; ++i)
    advance(1s);
  EXPECT_EQ(
    told, (lines{
            "progress b 0.333333 step 1 of 3", "progress b 0.666667 step 2 of 3",
            "progress b 1 step 3 of 3", R"(finished b {"status":"success","steps":3})", "idle 3"}));
}

TEST_F(TaskWorker, FailsAfterTheDelayWhereThatIsTheTask) {
  news();
  run("a", failing_type, R"({"delay":5})");
  advance(4s);
  EXPECT_EQ(news(), lines{});
  advance(1s);
  EXPECT_EQ(news(), (lines{"failed a this task type always fails", "idle 3"}));
}

TEST_F(TaskWorker, FailsWithTheMessageThatItIsGiven) {
  news();
  run("a", failing_type, R"({"delay":0,"error_message":"as the suite wants"})");
  advance(1s);
  EXPECT_EQ(news(), (lines{"failed a as the suite wants", "idle 3"}));
}

TEST_F(TaskWorker, FailsATaskWhoseParamsMakeNoSense) {
  news();
  run("a", demo_type, R"({"steps":0})");
  EXPECT_EQ(
    news(), (lines{"failed a params.steps must be a whole number from 1 to 10000", "idle 3"}));
}

TEST_F(TaskWorker, StopsWhatItIsToldTo) {
  news();
  run("a", demo_type, R"({"steps":2,"delay":1})");
  advance(1s);
  tell(worker, abort_task{task_id{"b"}});
  EXPECT_EQ(news(), (lines{"progress a 0.5 step 1 of 2"})) << "b is not at work here";
  tell(worker, abort_task{task_id{"a"}});
  EXPECT_EQ(news(), (lines{"idle 3"}));
  tell(worker, abort_task{task_id{"a"}});
  advance(1h);
  EXPECT_EQ(news(), lines{});
}

TEST_F(TaskWorker, TakesNoPauseOfAnotherTaskForItsOwn) {
  news();
  run("a", demo_type, R"({"steps":1,"delay":10})");
  tell(worker, abort_task{task_id{"a"}});
  run("b", demo_type, R"({"steps":1,"delay":100})");
  news();
  advance(99s);
  EXPECT_EQ(news(), lines{});
  advance(1s);
  EXPECT_EQ(told.size(), 3u);
}

TEST_F(TaskWorker, IsIdleAfterAFailureOfItsOwn) {
  news();
  run("a", demo_type, R"({"steps":1,"delay":10})");
  tell(worker, abort_task{task_id{"poison"}});
  EXPECT_EQ(news(), (lines{"idle 3"})) << "which tells the runner that the task is lost";
  run("b", demo_type, R"({"steps":1,"delay":100})");
  advance(99s);
  EXPECT_EQ(news(), lines{}) << "the pause of the task before is over, but is not b's";
  advance(1s);
  EXPECT_EQ(told.size(), 3u);
}

/// A runner with real workers, on the clock of the test.
class TaskWorkers : public testing::actor_test {
protected:
  TaskWorkers() {
    const auto publisher = mock<publisher_actor>([this](const publish& order) {
      events.note(order);
      return publish_receipt{};
    });
    task_options options;
    options.workers = 1;
    options.timeout_s = 60s;
    runner = own(spawn_task_runner(
      system(), {"task-runner", {}, &numbers}, options, publisher, numbers,
      task_workers(system(), options, numbers)));
  }

  task_id start(const char* type, const char* params_json) {
    const auto task = ask<task_view>(runner, start_task{type, params_json});
    EXPECT_TRUE(task);
    return task ? task->id : task_id{};
  }

  metrics numbers;
  testing::task_transcript events;
  task_runner_actor runner;
};

TEST_F(TaskWorkers, TellTheWholeLifeOfADemo) {
  const auto a = start(demo_type, R"({"steps":2,"delay":1})");
  const auto b = start(failing_type, R"({"delay":1})");
  for (int i = 0; i < 3; ++i)
    advance(1s);
  EXPECT_EQ(
    events.of(a), (lines{
                    "task_started null", R"(progress_update {"text":"step 1 of 2","value":0.5})",
                    R"(progress_update {"text":"step 2 of 2","value":1})",
                    R"(task_completed {"status":"success","steps":2})"}));
  EXPECT_EQ(
    events.of(b),
    (lines{"task_started null", R"(task_failed {"error":"this task type always fails"})"}));
  EXPECT_EQ(events.all()[4], "task_started null") << "b waited for the only worker";
}

TEST_F(TaskWorkers, AreFreeAgainAfterACancelAndATimeOut) {
  const auto cancelled = start(demo_type, R"({"steps":1,"delay":3600})");
  EXPECT_TRUE(ask<task_view>(runner, cancel_task{cancelled}));
  const auto late = start(demo_type, R"({"steps":1,"delay":3600})");
  advance(60s);
  const auto quick = start(demo_type, R"({"steps":1,"delay":0})");
  EXPECT_EQ(events.of(cancelled), (lines{"task_started null", "task_cancelled null"}));
  EXPECT_EQ(
    events.of(late),
    (lines{"task_started null", R"(task_failed {"error":"timed out after 60 s"})"}));
  EXPECT_EQ(events.of(quick).back(), R"(task_completed {"status":"success","steps":1})");
  const auto before = events.all();
  advance(2h);
  EXPECT_EQ(events.all(), before) << "the pauses of tasks that have ended say nothing";
}

} // namespace
} // namespace herald
