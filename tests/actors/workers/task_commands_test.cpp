#include "actors/workers/task_worker.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include "http/server/ask.hpp"
#include "messages/type_ids.hpp"
#include "tests/support/fragile_worker.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/task_transcript.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

using lines = std::vector<std::string>;

/// Commands as they run in herald: a runner, its workers, their host, real threads and children.
class TaskCommands : public ::testing::Test {
protected:
  TaskCommands() {
    options.workers = 1;
    options.kill_after_ms = 100ms;
    publisher_ = system.spawn([this](publisher_actor::pointer) -> publisher_actor::behavior_type {
      return {[this](const publish& order) {
        const std::lock_guard lock{mutex_};
        events_.note(order);
        changed_.notify_all();
        return publish_receipt{};
      }};
    });
  }

  ~TaskCommands() override {
    caf::anon_send_exit(runner_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(publisher_, caf::exit_reason::kill);
    runner_ = task_runner_actor{};
    publisher_ = publisher_actor{};
    // The host ends with the last worker, and its children with it.
    EXPECT_TRUE(testing::eventually([] { return !testing::has_children(); }));
  }

  void command(const char* type, const char* script) {
    options.commands[type].argv = {"sh", "-c", script};
  }

  void spawn() { spawn(task_workers(system, options, numbers)); }

  void spawn(task_worker_factory workers) {
    runner_ = spawn_task_runner(
      system, {"task-runner", {}, &numbers}, options, publisher_, numbers, std::move(workers));
  }

  template <class Answer, class Command>
  caf::expected<Answer> ask(Command command) {
    return herald::ask<Answer>(system, runner_, std::move(command), 30s);
  }

  task_id start(const char* type, const char* params_json = "{}") {
    const auto task = ask<task_view>(start_task{type, params_json});
    EXPECT_TRUE(task);
    return task ? task->id : task_id{};
  }

  /// The events of a task, once there are so many.
  lines events_of(const task_id& id, std::size_t count) {
    std::unique_lock lock{mutex_};
    EXPECT_TRUE(changed_.wait_for(lock, 30s, [&] { return events_.of(id).size() >= count; }));
    return events_.of(id);
  }

  task_options options;
  metrics numbers;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  testing::task_transcript events_;
  caf::actor_system_config config_;

protected:
  caf::actor_system system{config_};

private:
  publisher_actor publisher_;
  task_runner_actor runner_;
};

TEST_F(TaskCommands, KeepTheirComplaintsFromPages) {
  command("broken", "echo disk full >&2; exit 3");
  command("killed", "echo what >&2; kill -40 $$");
  spawn();
  const auto broken = start("broken");
  EXPECT_EQ(events_of(broken, 2).back(), R"(task_failed {"error":"exit code 3"})");
  EXPECT_EQ(ask<task_view>(get_task{broken})->error, "exit code 3: disk full");
  EXPECT_EQ(events_of(start("killed"), 2).back(), R"(task_failed {"error":"ended by signal 40"})");
}

TEST_F(TaskCommands, TellTheWholeLifeOfACommand) {
  command("report", R"(read -r params; echo "{\"value\":0.5,\"text\":\"half\"}"
                       echo "{\"result\":$params}")");
  spawn();
  const auto id = start("report", R"({"rows":[1,2.0]})");
  EXPECT_EQ(
    events_of(id, 3), (lines{
                        "task_started null", R"(progress_update {"text":"half","value":0.5})",
                        R"(task_completed {"rows":[1,2.0]})"}));
  const auto task = ask<task_view>(get_task{id});
  ASSERT_TRUE(task);
  EXPECT_EQ(task->result_json, R"({"rows":[1,2.0]})");
}

TEST_F(TaskCommands, GetTheirEnvironment) {
  command("report", R"(echo "{\"result\":[\"$HERALD_TASK_TYPE\",\"$A\",\"$B\",\"$HOME\"]}"
                       echo "{\"text\":\"$HERALD_TASK_ID\"}")");
  options.environment["A"] = "all";
  options.environment["B"] = "all";
  options.commands["report"].env["B"] = "own";
  options.commands["report"].env["HERALD_TASK_ID"] = "another";
  options.commands["report"].env["HERALD_TASK_TYPE"] = "another";
  spawn();
  const auto id = start("report");
  EXPECT_EQ(events_of(id, 3).back(), R"(task_completed ["report","all","own",""])");
  EXPECT_EQ(ask<task_view>(get_task{id})->progress_text, id.str());
}

TEST_F(TaskCommands, EndOnCancelAndMakeRoom) {
  command("endless", "trap '' TERM; echo '{\"value\":0.1}'; while :; do sleep 1000; done");
  command("quick", "true");
  spawn();
  const auto endless = start("endless");
  const auto quick = start("quick");
  events_of(endless, 2);
  const auto cancelled = ask<task_view>(cancel_task{endless});
  ASSERT_TRUE(cancelled);
  EXPECT_EQ(cancelled->status, task_status::cancelled) << "answered before the child is gone";
  EXPECT_EQ(events_of(quick, 2), (lines{"task_started null", "task_completed null"}));
  EXPECT_EQ(events_of(endless, 3).size(), 3u);
  EXPECT_EQ(events_of(endless, 3).back(), "task_cancelled null");
}

TEST_F(TaskCommands, EndWhenTheirTimeIsOver) {
  command("endless", "sleep 1000");
  options.commands["endless"].timeout_s = 50ms;
  command("quick", "true");
  spawn();
  const auto endless = start("endless");
  const auto quick = start("quick");
  EXPECT_EQ(
    events_of(endless, 2),
    (lines{"task_started null", R"(task_failed {"error":"timed out after 0.05 s"})"}));
  EXPECT_EQ(events_of(quick, 2).back(), "task_completed null");
}

TEST_F(TaskCommands, EndWithAFailureOfTheirWorker) {
  command("endless", "echo '{\"value\":0.1}'; sleep 1000");
  command("quick", "true");
  const auto host = std::make_shared<command_host>(command_host_options{100ms, 0ms}, numbers);
  task_worker_actor worker;
  spawn([&](const task_runner_actor& runner, std::size_t number) {
    const auto kept = std::make_shared<task_worker::state>(
      task_worker::state{runner, number, std::make_shared<const task_options>(options), host, 0});
    return worker = spawn_supervised<task_worker::interface, testing::fragile_worker>(
             system, {"task-worker", {}, &numbers},
             [kept](auto* self) { return std::make_unique<testing::fragile_worker>(self, kept); });
  });
  const auto endless = start("endless");
  events_of(endless, 2);
  caf::anon_send(worker, abort_task{task_id{"poison"}});
  EXPECT_EQ(
    events_of(endless, 3).back(), R"(task_failed {"error":"the worker of this task failed"})");
  EXPECT_FALSE(testing::has_children());
  EXPECT_EQ(events_of(start("quick"), 2).back(), "task_completed null");
}

TEST_F(TaskCommands, AreGoneWhenTheEndIsAnswered) {
  command("endless", "trap '' TERM; sleep 1000 & echo '{\"value\":0.1}'; wait");
  spawn();
  const auto id = start("endless");
  events_of(id, 2);
  EXPECT_TRUE(ask<void>(abort_all_tasks{}));
  EXPECT_FALSE(testing::has_children());
  EXPECT_EQ(events_of(id, 3).back(), R"(task_failed {"error":"shutting down"})");
}

TEST_F(TaskCommands, HaveTheGraceToEndByThemselves) {
  command("slow", "sleep 0.1; echo '{\"result\":1}'");
  spawn();
  const auto id = start("slow");
  events_of(id, 1);
  EXPECT_TRUE(ask<void>(begin_shutdown{}));
  EXPECT_EQ(events_of(id, 2).back(), "task_completed 1");
}

TEST_F(TaskCommands, AreKilledWithTheRunner) {
  command("endless", "trap '' TERM; sleep 1000 & echo '{\"value\":0.1}'; wait");
  spawn();
  events_of(start("endless"), 2);
  EXPECT_TRUE(testing::has_children());
  // And then the fixture ends, and looks whether they are gone.
}

} // namespace
} // namespace herald
