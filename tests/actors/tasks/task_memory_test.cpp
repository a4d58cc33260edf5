#include "actors/tasks/task_runner.hpp"

#include <string>
#include <vector>

#include "tests/support/actor_test.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

/// A task runner with a journal and a recorder that answer when they are told to, and workers that
/// do nothing.
class TaskMemory : public testing::actor_test {
protected:
  TaskMemory() {
    log = mock<journal_actor>(
      [this](const record_entries& m) {
        for (const auto& entry : m.entries)
          if (const auto* kept = std::get_if<task_kept>(&entry)) {
            note(*kept);
          } else if (const auto* dropped = std::get_if<task_dropped>(&entry)) {
            recorded.push_back("dropped");
            known.erase(dropped->id.str());
          }
        if (m.ticket == 0)
          return;
        listener = m.listener;
        last = m.ticket;
        if (answers)
          answer();
      },
      [](const flush&) {});
    publisher = mock<publisher_actor>([this](const publish& m) {
      for (const auto& d : m.drafts)
        told.push_back(kind_of(d));
      return publish_receipt{};
    });
    recorder = mock<recorder_actor>(
      [](const publish_recorded&) {
        ADD_FAILURE() << "steps alone";
        return publish_receipt{};
      },
      [this](const publish_step& m) {
        note(m.task);
        steps.push_back(m);
        if (answers)
          write_steps();
      });
    options.workers = 1;
  }

  void spawn(std::vector<task_kept> tasks = {}) {
    runner = own(task_runner_actor{spawn_task_runner(
      system(), {"task-runner", {}, nullptr}, options, publisher, numbers,
      [this](const task_runner_actor& to, std::size_t number) {
        caf::anon_send(to, worker_idle{number});
        return mock<task_worker_actor>(
          [this](const run_task& order) { ran.push_back(order.type + " " + order.params_json); },
          [](const abort_task&) {});
      },
      {log, recorder, std::move(tasks), watcher})});
  }

  void note(const task_kept& kept) {
    recorded.push_back(
      kept.task.type + " " + std::string{to_string(kept.task.status)}
      + (kept.params_json.empty() ? "" : " " + kept.params_json));
    known[kept.task.id.str()] = kept;
  }

  /// "task_started"
  static std::string kind_of(const draft& d) {
    const std::string before = R"("event_type":")";
    const auto from = d.data.find(before) + before.size();
    return d.data.substr(from, d.data.find('"', from) - from);
  }

  /// Of what waits for the journal.
  void answer(ec code = ec::none) {
    inject(listener, entries_recorded{1, last, {code, "disk", {}}});
  }
  /// The steps that wait are in the file and told, or could not be written.
  void write_steps(ec code = ec::none) {
    for (const auto& step : steps) {
      if (code == ec::none)
        told.push_back(kind_of(step.what));
      inject(step.listener, step_published{step.number, {code, "disk", {}}});
    }
    if (code == ec::none)
      steps.clear();
  }

  static task_kept
  former(const char* id, const char* type, task_status status, wall_time ended = {}) {
    task_kept kept;
    kept.task.id = task_id{id};
    kept.task.type = type;
    kept.task.status = status;
    if (status != task_status::pending)
      kept.task.start_time = std::chrono::system_clock::now() - 1min;
    if (is_final(status))
      kept.task.end_time = ended;
    else
      kept.params_json = R"({"steps":2})";
    kept.task.progress = 0.5;
    return kept;
  }

  task_view view(const char* id) {
    const auto found = ask<task_view>(runner, get_task{task_id{id}});
    return found ? *found : task_view{};
  }

  metrics numbers;
  task_options options;
  journal_actor log;
  publisher_actor publisher;
  recorder_actor recorder;
  watcher_actor watcher;
  task_runner_actor runner;
  journal_listener_actor listener;
  ticket_id last = 0;
  bool answers = false;
  std::vector<publish_step> steps;
  lines recorded;
  std::map<std::string, task_kept> known;
  lines told;
  lines ran;
};

TEST_F(TaskMemory, BeginsATaskOnceItIsWritten) {
  spawn();
  caf::scoped_actor client{system(), true};
  auto pending = client->request(runner, caf::infinite, start_task{"demo", R"({"steps":1})"});
  drain();
  EXPECT_EQ(recorded, (lines{R"(demo pending {"steps":1})"}));
  EXPECT_TRUE(ran.empty());
  EXPECT_FALSE(client->has_next_message());
  answer();
  drain();
  EXPECT_EQ(recorded.back(), "demo running");
  pending.receive(
    [](const task_view& v) { EXPECT_EQ(v.status, task_status::pending); },
    [](const caf::error&) { FAIL(); });
}

TEST_F(TaskMemory, HandsATaskToItsWorkerOnceItsBeginningIsWritten) {
  spawn();
  tell(runner, start_task{"demo", R"({"steps":1})"});
  answer();
  drain();
  EXPECT_EQ(recorded.back(), "demo running");
  const auto shown = [&] {
    return ask<task_page>(runner, list_tasks{})->tasks.at(0).status;
  };
  EXPECT_TRUE(ran.empty()) << "or it ran again in the next life";
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(shown(), task_status::pending);
  write_steps(ec::storage_full);
  drain();
  EXPECT_TRUE(ran.empty());
  write_steps();
  drain();
  EXPECT_EQ(ran, (lines{R"(demo {"steps":1})"}));
  EXPECT_EQ(shown(), task_status::running);
}

TEST_F(TaskMemory, ShowsATaskAsEndedOnceItsEndIsWritten) {
  answers = true;
  spawn();
  const auto id = ask<task_view>(runner, start_task{"demo", "{}"})->id;
  answers = false;
  told.clear();
  tell(runner, task_progressed{id, 0.5, "half"});
  EXPECT_EQ(recorded.back(), "demo running");
  tell(runner, task_finished{id, R"({"rows":3})", std::nullopt});
  EXPECT_EQ(recorded.back(), "demo completed");
  EXPECT_TRUE(told.empty());
  auto now = ask<task_view>(runner, get_task{id});
  EXPECT_EQ(now->status, task_status::running);
  EXPECT_EQ(now->progress, 0.5);
  EXPECT_EQ(now->seq, 1u);
  EXPECT_EQ(now->end_time, std::nullopt);
  EXPECT_EQ(now->result_json, "");
  const auto gone = ask<void>(runner, remove_task{id});
  EXPECT_EQ(describe(gone.error()).code, ec::task_not_ended);
  write_steps();
  drain();
  now = ask<task_view>(runner, get_task{id});
  EXPECT_EQ(told, (lines{"progress_update", "task_completed"}));
  EXPECT_EQ(now->status, task_status::completed);
  EXPECT_EQ(now->seq, 3u);
  EXPECT_EQ(now->result_json, R"({"rows":3})");
  EXPECT_TRUE(ask<void>(runner, remove_task{id}));
}

TEST_F(TaskMemory, TakesAWorkerBackFromATaskThatEndsBeforeItsBeginningIsWritten) {
  spawn();
  tell(runner, start_task{"demo", R"({"steps":1})"});
  answer();
  drain();
  const auto id = ask<task_page>(runner, list_tasks{})->tasks.at(0).id;
  tell(runner, cancel_task{id});
  tell(runner, start_task{"demo", R"({"steps":2})"});
  answer();
  drain();
  write_steps();
  drain();
  EXPECT_EQ(told, (lines{"task_started", "task_cancelled", "task_started"}));
  EXPECT_EQ(ran, (lines{R"(demo {"steps":2})"}));
}

TEST_F(TaskMemory, HoldsProgressBackUntilTheBeginningIsTold) {
  spawn();
  caf::scoped_actor service{system(), true};
  auto pending = service->request(runner, caf::infinite, start_task{"external", "{}"});
  drain();
  answer();
  drain();
  EXPECT_FALSE(service->has_next_message()) << "it does not run before that is written";
  const auto id = ask<task_page>(runner, list_tasks{})->tasks.at(0).id;
  tell(runner, report_progress{id, 0.5, "half"});
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(recorded.size(), 2u) << "nor is it recorded by itself";
  write_steps();
  drain();
  write_steps();
  drain();
  EXPECT_EQ(told, (lines{"task_started", "progress_update"}));
  EXPECT_EQ(known.at(id.str()).task.progress, 0.5);
  pending.receive(
    [](const task_view& v) { EXPECT_EQ(v.status, task_status::running); },
    [](const caf::error&) { FAIL(); });
}

TEST_F(TaskMemory, IsQuietOnceAllEndsAreWritten) {
  spawn();
  tell(runner, start_task{"external", "{}"});
  answer();
  drain();
  write_steps();
  drain();
  caf::scoped_actor end{system(), true};
  auto quiet = end->request(runner, caf::infinite, abort_all_tasks{});
  drain();
  EXPECT_FALSE(end->has_next_message());
  write_steps();
  drain();
  EXPECT_TRUE(end->has_next_message());
  quiet.receive([] {}, [](const caf::error&) { FAIL(); });
}

TEST_F(TaskMemory, BeginsNothingThatCannotBeWritten) {
  spawn();
  caf::scoped_actor client{system(), true};
  auto pending = client->request(runner, caf::infinite, start_task{"demo", "{}"});
  drain();
  answer(ec::storage_full);
  drain();
  pending.receive(
    [](const task_view&) { FAIL(); },
    [](const caf::error& e) { EXPECT_EQ(describe(e).code, ec::storage_full); });
  EXPECT_TRUE(ran.empty());
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(ask<task_page>(runner, list_tasks{})->total, 0u) << "as if it had never been asked for";
  EXPECT_EQ(recorded.back(), "dropped");
}

TEST_F(TaskMemory, LetsNobodyWaitForAnAnswerThatDoesNotCome) {
  spawn();
  caf::scoped_actor client{system(), true};
  auto lost = client->request(runner, caf::infinite, start_task{"demo", R"({"steps":1})"});
  drain();
  tell(runner, start_task{"demo", R"({"steps":2})"});
  tell(listener, entries_recorded{last, last, {ec::none, {}, {}}});
  ASSERT_TRUE(client->has_next_message()) << "the journal has gone on without it";
  lost.receive(
    [](const task_view&) { FAIL(); },
    [](const caf::error& e) { EXPECT_EQ(describe(e).code, ec::actor_failed); });
  write_steps();
  drain();
  EXPECT_EQ(ran, (lines{R"(demo {"steps":2})"}));
  EXPECT_EQ(ask<task_page>(runner, list_tasks{})->total, 1u) << "as if it had never been asked for";
}

TEST_F(TaskMemory, DoesNotBeginATaskThatIsCancelledBeforeItIsWritten) {
  spawn();
  caf::scoped_actor client{system(), true};
  auto pending = client->request(runner, caf::infinite, start_task{"demo", "{}"});
  drain();
  const auto id = ask<task_page>(runner, list_tasks{})->tasks.at(0).id;
  tell(runner, cancel_task{id});
  write_steps();
  answer();
  drain();
  EXPECT_TRUE(ran.empty());
  EXPECT_EQ(told, (lines{"task_cancelled"}));
  pending.receive(
    [](const task_view& v) { EXPECT_EQ(v.status, task_status::cancelled); },
    [](const caf::error&) { FAIL(); });
}

TEST_F(TaskMemory, CancelsWhatIsNotWrittenYetAtAShutdown) {
  spawn();
  tell(runner, start_task{"demo", "{}"});
  answers = true;
  EXPECT_TRUE(ask<void>(runner, begin_shutdown{}));
  EXPECT_EQ(told, (lines{"task_cancelled"}));
  answer();
  drain();
  EXPECT_TRUE(ran.empty());
}

TEST_F(TaskMemory, AnswersReportsOnTheEndOnceTheyAreWritten) {
  answers = true;
  spawn();
  const auto task = ask<task_view>(runner, start_task{"external", "{}"});
  ASSERT_TRUE(task);
  EXPECT_EQ(task->status, task_status::running);
  answers = false;
  caf::scoped_actor service{system(), true};
  auto pending = service->request(runner, caf::infinite, report_completion{task->id, "1"});
  drain();
  EXPECT_EQ(recorded.back(), "external completed");
  EXPECT_EQ(told, (lines{"task_started"})) << "or the next life took it back";
  EXPECT_FALSE(service->has_next_message());
  write_steps();
  drain();
  EXPECT_EQ(told.back(), "task_completed");
  pending.receive(
    [](const task_view& v) { EXPECT_EQ(v.result_json, "1"); }, [](const caf::error&) { FAIL(); });
}

TEST_F(TaskMemory, SaysSoWhereTheEndCannotBeWrittenYet) {
  answers = true;
  spawn();
  const auto task = ask<task_view>(runner, start_task{"external", "{}"});
  answers = false;
  caf::scoped_actor service{system(), true};
  auto pending = service->request(runner, caf::infinite, report_completion{task->id, "1"});
  drain();
  write_steps(ec::storage_full);
  drain();
  pending.receive(
    [](const task_view&) { FAIL(); },
    [](const caf::error& e) { EXPECT_EQ(describe(e).code, ec::storage_full); });
  write_steps();
  drain();
  EXPECT_EQ(view(task->id.str().c_str()).status, task_status::completed);
}

TEST_F(TaskMemory, RecordsTheProgressOfExternalTasks) {
  answers = true;
  spawn();
  const auto external = ask<task_view>(runner, start_task{"external", "{}"});
  tell(runner, report_progress{external->id, 0.25, "a quarter"});
  EXPECT_EQ(known.at(external->id.str()).task.progress, 0.25);
  EXPECT_EQ(known.at(external->id.str()).task.progress_text, "a quarter");
}

TEST_F(TaskMemory, TellsProgressOnceItsPlaceIsWritten) {
  answers = true;
  spawn();
  const auto id = ask<task_view>(runner, start_task{"demo", "{}"})->id;
  answers = false;
  told.clear();
  tell(runner, task_progressed{id, 0.25, std::nullopt});
  EXPECT_TRUE(told.empty()) << "or the next life gave its seq once more";
  EXPECT_EQ(known.at(id.str()).task.seq, 2u);
  EXPECT_EQ(view(id.str().c_str()).seq, 1u);
  EXPECT_EQ(view(id.str().c_str()).progress, 0.25) << "whoever asks gets the latest";
  tell(runner, task_progressed{id, 0.5, std::nullopt});
  tell(runner, task_progressed{id, 0.75, std::nullopt});
  EXPECT_EQ(view(id.str().c_str()).progress, 0.75);
  EXPECT_EQ(steps.size(), 1u) << "one at a time, however long the disk takes";
  write_steps();
  drain();
  EXPECT_EQ(told, (lines{"progress_update"}));
  EXPECT_EQ(view(id.str().c_str()).seq, 2u);
  advance(100ms);
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps.front().task.task.progress, 0.75);
}

TEST_F(TaskMemory, RecordsTheLastProgressWithoutTheEnd) {
  answers = true;
  spawn();
  const auto id = ask<task_view>(runner, start_task{"demo", "{}"})->id;
  answers = false;
  tell(runner, task_progressed{id, 0.25, std::nullopt});
  tell(runner, task_progressed{id, 0.5, std::nullopt});
  tell(runner, task_finished{id, "7", std::nullopt});
  ASSERT_EQ(steps.size(), 3u);
  const auto& last = steps[1].task.task;
  EXPECT_EQ(last.progress, 0.5);
  EXPECT_EQ(last.status, task_status::running) << "or its end were in the file, and never told";
  EXPECT_EQ(last.end_time, std::nullopt);
  EXPECT_EQ(last.result_json, "");
  EXPECT_EQ(steps[2].task.task.seq, 4u);
}

TEST_F(TaskMemory, GoesOnCountingTheEventsOfATask) {
  auto program = former("1", "demo", task_status::running);
  auto external = former("2", "external", task_status::running);
  program.task.seq = 5;
  external.task.seq = 8;
  external.task.to = audience_of_page(request_id{"mine"});
  spawn({program, external});
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_NE(steps[0].what.data.find(R"("seq":6)"), std::string::npos) << steps[0].what.data;
  EXPECT_EQ(view("1").seq, 5u);
  answers = true;
  write_steps();
  (void)ask<task_view>(runner, report_completion{task_id{"2"}, "1"});
  EXPECT_EQ(view("1").seq, 6u);
  EXPECT_EQ(view("2").seq, 9u);
  EXPECT_EQ(view("2").to, external.task.to);
}

TEST_F(TaskMemory, TellsOfAFormerTaskWhomItWasStartedFor) {
  auto one = former("1", "demo", task_status::running);
  one.task.to = audience_of_page(request_id{"mine"});
  options.audience = task_audience::none;
  spawn({one, former("2", "demo", task_status::running)});
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].what.to, one.task.to);
  EXPECT_EQ(steps[1].what.to, nullptr) << "the settings are for new ones";
}

TEST_F(TaskMemory, RecordsATaskThatNobodyIsToldOf) {
  options.audience = task_audience::none;
  spawn();
  tell(runner, start_task{"demo", R"({"steps":1})"});
  answer();
  drain();
  EXPECT_EQ(recorded.back(), "demo running");
  EXPECT_TRUE(ran.empty()) << "or it ran again in the next life";
  answer();
  drain();
  EXPECT_EQ(ran, (lines{R"(demo {"steps":1})"}));
  const auto id = ask<task_page>(runner, list_tasks{})->tasks.at(0).id;
  const auto before = recorded.size();
  tell(runner, task_progressed{id, 0.5, std::nullopt});
  EXPECT_EQ(recorded.size(), before) << "of no use to a later life";
  tell(runner, task_finished{id, "7", std::nullopt});
  EXPECT_EQ(recorded.back(), "demo completed");
  EXPECT_FALSE(known.at(id.str()).task.told);
  EXPECT_EQ(view(id.str().c_str()).status, task_status::running);
  answer();
  drain();
  EXPECT_EQ(view(id.str().c_str()).status, task_status::completed);
  EXPECT_TRUE(steps.empty());
  EXPECT_TRUE(told.empty());
}

TEST_F(TaskMemory, RecordsATaskThatNobodyIsToldOfUntilItIsWritten) {
  options.audience = task_audience::none;
  answers = true;
  spawn();
  const auto task = ask<task_view>(runner, start_task{"external", "{}"});
  ASSERT_TRUE(task);
  EXPECT_EQ(task->status, task_status::running);
  answers = false;
  caf::scoped_actor service{system(), true};
  auto pending = service->request(runner, caf::infinite, report_completion{task->id, "1"});
  drain();
  answer(ec::storage_full);
  drain();
  pending.receive(
    [](const task_view&) { FAIL(); },
    [](const caf::error& e) { EXPECT_EQ(describe(e).code, ec::storage_full); });
  EXPECT_EQ(view(task->id.str().c_str()).status, task_status::running);
  const auto before = recorded.size();
  answers = true;
  advance(1s);
  EXPECT_EQ(recorded.size(), before + 1);
  EXPECT_EQ(view(task->id.str().c_str()).status, task_status::completed);
}

TEST_F(TaskMemory, StaysSilentOnAFormerTaskThatNobodyIsToldOf) {
  auto one = former("1", "demo", task_status::running);
  one.task.told = false;
  answers = true;
  spawn({one});
  EXPECT_EQ(view("1").status, task_status::failed);
  EXPECT_EQ(recorded, (lines{"demo failed"}));
  EXPECT_TRUE(told.empty());
}

TEST_F(TaskMemory, ForgetsInTheFileWhatItForgets) {
  answers = true;
  options.retention_s = 10s;
  options.max_ended = 2;
  spawn();
  for (int i = 0; i < 3; ++i) {
    const auto task = ask<task_view>(runner, start_task{"external", "{}"});
    (void)ask<task_view>(runner, report_completion{task->id, "1"});
  }
  EXPECT_EQ(known.size(), 2u);
  const auto left = ask<task_page>(runner, list_tasks{})->tasks.at(0).id;
  EXPECT_TRUE(ask<void>(runner, remove_task{left}));
  EXPECT_EQ(known.size(), 1u);
  advance(11s);
  EXPECT_TRUE(known.empty());
}

TEST_F(TaskMemory, FailsWhatWasAtWorkAndTellsAll) {
  spawn({former("1", "demo", task_status::running)});
  EXPECT_EQ(recorded, (lines{"demo failed"}));
  EXPECT_EQ(view("1").status, task_status::running);
  EXPECT_TRUE(told.empty());
  write_steps();
  drain();
  EXPECT_EQ(view("1").status, task_status::failed);
  EXPECT_EQ(view("1").error, "interrupted by a restart");
  EXPECT_EQ(view("1").progress, 0.5);
  EXPECT_EQ(told, (lines{"task_failed"}));
}

TEST_F(TaskMemory, GoesOnWithExternalTasks) {
  answers = true;
  options.external_timeout_s = 60s;
  spawn({former("1", "external", task_status::running)});
  EXPECT_EQ(view("1").status, task_status::running);
  EXPECT_TRUE(told.empty());
  const auto low = ask<task_view>(runner, report_progress{task_id{"1"}, 0.2, std::nullopt});
  EXPECT_EQ(low->progress, 0.5) << "never falls, over a restart neither";
  EXPECT_TRUE(ask<task_view>(runner, report_completion{task_id{"1"}, "2"}));
  EXPECT_EQ(told, (lines{"task_completed"}));
}

TEST_F(TaskMemory, CountsTheSilenceOfAnExternalServiceFromTheRestart) {
  answers = true;
  options.external_timeout_s = 60s;
  spawn({former("1", "external", task_status::running)});
  advance(59s);
  EXPECT_EQ(view("1").status, task_status::running);
  advance(12s);
  EXPECT_EQ(view("1").status, task_status::failed);
}

TEST_F(TaskMemory, BeginsWhatHadWaited) {
  answers = true;
  spawn(
    {former("1", "demo", task_status::pending), former("2", "external", task_status::pending),
     former("3", "failing", task_status::pending)});
  EXPECT_EQ(ran, (lines{R"(demo {"steps":2})"}));
  EXPECT_EQ(view("2").status, task_status::running);
  EXPECT_EQ(view("3").status, task_status::pending) << "still, for want of a worker";
}

TEST_F(TaskMemory, FailsWhatNobodyKnowsHowToDoAnyMore) {
  answers = true;
  spawn({former("1", "no-such-command", task_status::pending)});
  EXPECT_EQ(view("1").status, task_status::failed);
  EXPECT_EQ(told, (lines{"task_failed"}));
}

TEST_F(TaskMemory, KeepsEndedTasksForTheRestOfTheirTime) {
  options.retention_s = 100s;
  const auto now = std::chrono::system_clock::now();
  spawn(
    {former("late", "demo", task_status::completed, now - 10s),
     former("early", "demo", task_status::failed, now - 60s),
     former("gone", "demo", task_status::failed, now - 200s)});
  EXPECT_EQ(ask<task_page>(runner, list_tasks{})->total, 2u);
  EXPECT_EQ(recorded, (lines{"dropped"}));
  advance(50s);
  EXPECT_EQ(ask<task_page>(runner, list_tasks{})->total, 1u) << "the one that ended first";
  EXPECT_EQ(view("late").status, task_status::completed);
  advance(60s);
  EXPECT_EQ(ask<task_page>(runner, list_tasks{})->total, 0u);
}

TEST_F(TaskMemory, ListsTasksInTheOrderOfTheirStartOverTheRestart) {
  answers = true;
  const auto now = std::chrono::system_clock::now();
  spawn(
    {former("1", "demo", task_status::completed, now),
     former("2", "external", task_status::running),
     former("3", "demo", task_status::failed, now - 5s)});
  (void)ask<task_view>(runner, start_task{"external", "{}"});
  const auto page = ask<task_page>(runner, list_tasks{});
  ASSERT_EQ(page->tasks.size(), 4u);
  EXPECT_EQ(page->tasks[0].id.str(), "1");
  EXPECT_EQ(page->tasks[2].id.str(), "3");
}

TEST_F(TaskMemory, SaysOfATaskWithAPlannedIdThatItIsStartedOnceThatIsWritten) {
  spawn();
  start_task wish{"demo", "{}"};
  wish.planned = task_id{"planned"};
  tell(runner, wish);
  EXPECT_EQ(describe(ask<task_view>(runner, wish).error()).code, ec::overloaded);
  answer();
  drain();
  EXPECT_EQ(ask<task_view>(runner, wish)->id, task_id{"planned"});
  EXPECT_EQ(ask<task_page>(runner, list_tasks{})->total, 1u);
}

TEST_F(TaskMemory, TellsItsWatcherOfAnEndOnceThatIsWritten) {
  lines ended;
  watcher = mock<watcher_actor>(
    [](const streams_changed&) { ADD_FAILURE() << "tasks are no streams"; },
    [&ended](const task_ended& m) {
      ended.push_back(m.task.type + " " + std::string{to_string(m.task.status)});
    });
  answers = true;
  spawn();
  const auto id = ask<task_view>(runner, start_task{external_type, "{}"})->id;
  answers = false;
  tell(runner, report_completion{id, "7"});
  EXPECT_EQ(ended, lines{});
  write_steps(ec::storage_full);
  drain();
  EXPECT_EQ(ended, lines{});
  write_steps();
  drain();
  EXPECT_EQ(ended, (lines{"external completed"}));
}

TEST_F(TaskMemory, TellsItsWatcherOfTheEndOfATaskThatNobodyElseIsToldOf) {
  lines ended;
  watcher = mock<watcher_actor>(
    [](const streams_changed&) { ADD_FAILURE() << "tasks are no streams"; },
    [&ended](const task_ended& m) { ended.emplace_back(to_string(m.task.status)); });
  options.audience = task_audience::none;
  answers = true;
  spawn();
  const auto id = ask<task_view>(runner, start_task{external_type, "{}"})->id;
  EXPECT_TRUE(ask<task_view>(runner, report_failure{id, "no"}));
  EXPECT_EQ(ended, (lines{"failed"}));
}

TEST_F(TaskMemory, TellsItsWatcherWithoutAJournal) {
  lines ended;
  watcher = mock<watcher_actor>(
    [](const streams_changed&) { ADD_FAILURE() << "tasks are no streams"; },
    [&ended](const task_ended& m) { ended.emplace_back(to_string(m.task.status)); });
  log = journal_actor{};
  recorder = recorder_actor{};
  spawn();
  const auto id = ask<task_view>(runner, start_task{external_type, "{}"})->id;
  EXPECT_TRUE(ask<task_view>(runner, cancel_task{id}));
  EXPECT_EQ(ended, (lines{"cancelled"}));
}

} // namespace
} // namespace herald
