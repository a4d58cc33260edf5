// Tasks and versions over lives of herald that are killed at any message: no program starts twice,
// nothing follows the end of a task or takes it back, and what is in the file was told.

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "actors/journal/journal.hpp"
#include "actors/journal/journal_recovery.hpp"
#include "actors/registry/connection_registry.hpp"
#include "actors/tasks/task_runner.hpp"
#include "actors/versions/version_store.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/full_disk_store.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

/// The text between `before` and the next quote.
std::string quoted(const std::string& text, const std::string& before) {
  const auto from = text.find(before);
  if (from == std::string::npos)
    return {};
  const auto begin = from + before.size();
  return text.substr(begin, text.find('"', begin) - begin);
}

std::size_t number_of(const std::string& text, const std::string& before) {
  const auto from = text.find(before);
  return from == std::string::npos ? 0 : std::stoul(text.substr(from + before.size()));
}

/// A page that comes back with its cursor.
struct reader {
  std::string id;
  /// Its stream; empty while it is away.
  std::string stream;
  event_id cursor;
  /// By task: the kinds of its events, in the order of getting them.
  std::map<std::string, lines> steps;
  std::map<std::string, int> versions;
};

class CrashModel : public testing::actor_test, public ::testing::WithParamInterface<unsigned> {
protected:
  CrashModel() {
    via = mock<delivery_actor>(
      [this](const attach_stream& m) {
        auto missed = m.missed;
        while (const auto what = missed.next())
          give(m.stream.str(), *what);
        for (auto& page : pages)
          if (page.stream == m.stream.str())
            page.cursor = std::max(page.cursor, m.cursor);
        open.insert(m.stream.str());
      },
      [](const refuse_stream&) { ADD_FAILURE() << "nothing is refused"; },
      [this](const close_stream& m) { open.erase(m.stream.str()); },
      [](const change_reach&) { ADD_FAILURE() << "nobody asked for it"; },
      [](const get_backlogs&) { return stream_backlogs{}; },
      [this](const deliver& m) {
        for (const auto& item : *m.batch)
          for (const auto& stream : open)
            give(stream, *item.what);
      });
    client = own(system().spawn([this](caf::event_based_actor* self) -> caf::behavior {
      return {
        [this, self](const start_task& command) {
          self->request(tasks, caf::infinite, command)
            .then(
              [this](const task_view& v) { started.insert(v.id.str()); }, [](const caf::error&) {});
        },
        [this, self](const list_tasks& query) {
          self->request(tasks, caf::infinite, query)
            .then(
              [this](const task_page& page) {
                for (const auto& task : page.tasks)
                  saw(task);
              },
              [](const caf::error&) {});
        },
        [this, self](const cancel_task& command) { end(self, command); },
        [this, self](const report_completion& command) { end(self, command); },
        [this, self](const report_failure& command) { end(self, command); },
        [this, self](const queue_version& command) {
          self->request(versions, caf::infinite, command)
            .then(
              [this, command](const version_queued&) {
                auto& last = queued[command.id.str()];
                last = std::max(last, std::stoi(command.version));
              },
              [](const caf::error&) {});
        }};
    }));
    options.workers = 2;
    options.commands["program"] = {{"program"}, "", {}, std::nullopt};
    for (const auto* id : {"a", "b", "c"})
      pages.push_back({id, {}, {}, {}, {}});
  }

  /// Asks for a task's end; what is answered must stay.
  template <class Command>
  void end(caf::event_based_actor* self, const Command& command) {
    self->request(tasks, caf::infinite, command)
      .then([this](const task_view& v) { saw(v); }, [](const caf::error&) {});
  }

  unsigned pick(unsigned n) { return std::uniform_int_distribution<unsigned>{0, n - 1}(random); }

  void give(const std::string& stream, const event& what) {
    const auto page =
      std::find_if(pages.begin(), pages.end(), [&](const reader& p) { return p.stream == stream; });
    if (page == pages.end())
      return;
    ASSERT_NE(what.name, "gap");
    ASSERT_GT(what.id, page->cursor) << page->id << " got an event again, or out of order";
    page->cursor = what.id;
    if (what.name == "version") {
      EXPECT_EQ(++page->versions[what.data], 1) << page->id << ' ' << what.data;
      return;
    }
    auto& steps = page->steps[quoted(what.data, R"("task_id":")")];
    const auto kind = quoted(what.data, R"("event_type":")");
    if (!steps.empty()) {
      EXPECT_FALSE(is_end(steps.back())) << page->id << ": " << kind << " after " << steps.back();
      EXPECT_NE(kind, "task_started") << page->id << " hears of the beginning twice";
    }
    steps.push_back(kind);
    const auto seq = number_of(what.data, R"("seq":)");
    EXPECT_EQ(seq, steps.size()) << page->id << " missed an event, or two have one place";
    told_at[quoted(what.data, R"("task_id":")")][seq] = kind;
  }

  static bool is_end(const std::string& kind) {
    return kind == "task_completed" || kind == "task_failed" || kind == "task_cancelled";
  }

  /// A task is shown to somebody: later it is no less far.
  void saw(const task_view& now) {
    auto& most = seen[now.id.str()];
    EXPECT_GE(now.status, most) << "taken back";
    if (is_final(most)) {
      EXPECT_EQ(now.status, most) << "ended twice";
    }
    most = now.status;
    // A page that asks ignores events up to this one.
    const auto last = told_at[now.id.str()].find(now.seq);
    if (last != told_at[now.id.str()].end()) {
      EXPECT_EQ(is_end(last->second), is_final(now.status)) << last->second << " is not shown";
    }
    EXPECT_EQ(now.seq == 0, now.status == task_status::pending);
  }
  void look() { inject(client, list_tasks{0, 1000}); }

  // The lives of herald.

  void begin_life() {
    auto past =
      recover_journal({dir / "journal.db", journal_sync::off}, std::chrono::system_clock::now());
    ASSERT_TRUE(past) << describe(past.error()).detail;
    auto& old = past->snapshot;
    log = own(journal_actor{spawn_supervised<journal::interface, journal>(
      system(), {"journal", {}, nullptr},
      journal::builder(
        std::make_unique<testing::full_disk_store>(std::move(past->file), random, 8, &disk_is_well),
        {}, numbers))});
    registry_memory memory;
    memory.journal = log;
    memory.events = std::move(old.events);
    memory.history_floor = old.history_floor;
    memory.last_id = old.ids_upto;
    memory.ids_reserved = past->ids_reserved;
    registry = spawn_connection_registry(
      system(), {"connection-registry", {}, nullptr}, {{100'000, 1 << 26, 240h}}, numbers,
      std::move(memory));
    versions = spawn_version_store(
      system(), {"version-store", {}, nullptr}, {}, registry, {}, numbers,
      {registry, std::move(old.versions)});
    tasks = spawn_task_runner(
      system(), {"task-runner", {}, nullptr}, options, registry, numbers,
      [this](const task_runner_actor& to, std::size_t number) { return worker(to, number); },
      {log, registry, std::move(old.tasks)});
    for (const auto& actor :
         {caf::actor_cast<caf::actor>(registry), caf::actor_cast<caf::actor>(versions),
          caf::actor_cast<caf::actor>(tasks)})
      life.push_back(actor);
    life.push_back(caf::actor_cast<caf::actor>(log));
  }

  task_worker_actor worker(const task_runner_actor& to, std::size_t number) {
    caf::anon_send(to, worker_idle{number});
    return system().spawn(
      [=, this](task_worker_actor::pointer) -> task_worker_actor::behavior_type {
        return {
          [=, this](const run_task& m) {
            EXPECT_EQ(++runs[m.id.str()], 1) << "a program starts twice";
            at_work[m.id.str()] = number;
          },
          [=, this](const abort_task& m) {
            if (at_work.erase(m.id.str()) != 0)
              caf::anon_send(to, worker_idle{number});
          }};
      });
  }

  void kill() {
    for (const auto& actor : life) {
      // Before everything that waits in the mailbox.
      caf::anon_send_exit(actor, caf::exit_reason::kill);
      scheduler().prioritize(actor);
    }
    life.clear();
    registry = connection_registry_actor{};
    versions = version_store_actor{};
    tasks = task_runner_actor{};
    log = journal_actor{};
    drain();
    at_work.clear();
    open.clear();
    for (auto& page : pages)
      page.stream.clear();
  }

  // The steps.

  void connect(reader& page) {
    page.stream = "stream" + std::to_string(++streams);
    open_connection command{request_id{page.id},
                            token::from_text(page.stream),
                            "",
                            transport_kind::embedded,
                            via,
                            nullptr};
    if (page.cursor != event_id{})
      command.last_event_id = to_string(page.cursor);
    inject(registry, std::move(command));
  }

  void finish(const std::string& id) {
    // Keeps the id, which may be the key itself.
    const auto done = at_work.extract(id);
    const task_id task{done.key()};
    if (pick(2) == 0)
      inject(tasks, task_progressed{task, 0.5, std::nullopt});
    if (pick(3) == 0)
      inject(tasks, task_finished{task, {}, "broke"});
    else
      inject(tasks, task_finished{task, "1", std::nullopt});
    inject(tasks, worker_idle{done.mapped()});
  }

  std::string some_task() {
    if (seen.empty())
      return "none";
    return std::next(seen.begin(), pick(static_cast<unsigned>(seen.size())))->first;
  }

  void happen() {
    switch (pick(12)) {
    case 0:
    case 1:
      inject(client, start_task{"program", "{}"});
      break;
    case 2:
      inject(client, start_task{"external", "{}"});
      break;
    case 3:
      inject(client, report_completion{task_id{some_task()}, "2"});
      break;
    case 4:
      inject(client, report_failure{task_id{some_task()}, "gave up"});
      break;
    case 5:
      inject(client, cancel_task{task_id{some_task()}});
      break;
    case 6:
      inject(tasks, report_progress{task_id{some_task()}, 0.5, std::nullopt});
      break;
    case 7:
      inject(
        client, queue_version{
                  request_id{"other" + std::to_string(pick(3))}, std::to_string(++version_number),
                  std::nullopt});
      break;
    case 8:
      connect(pages[pick(static_cast<unsigned>(pages.size()))]);
      break;
    case 9:
      look();
      break;
    default:
      if (!at_work.empty())
        finish(std::next(at_work.begin(), pick(static_cast<unsigned>(at_work.size())))->first);
    }
    for (auto steps = pick(14); steps > 0 && step(); --steps) {
    }
    if (pick(30) == 0)
      advance(1s);
  }

  void come_to_rest() {
    disk_is_well = true;
    for (auto& page : pages)
      connect(page);
    drain();
    for (int i = 0; i < 4; ++i)
      advance(1s);
    while (!at_work.empty()) {
      finish(at_work.begin()->first);
      drain();
    }
    look();
    drain();
    for (const auto& [id, _] : seen)
      inject(client, report_completion{task_id{id}, "2"});
    drain();
    look();
    drain();
  }

  std::mt19937 random{GetParam()};
  testing::temporary_folder dir;
  metrics numbers;
  task_options options;
  bool disk_is_well = false;
  caf::actor client;
  delivery_actor via;
  journal_actor log;
  connection_registry_actor registry;
  version_store_actor versions;
  task_runner_actor tasks;
  std::vector<caf::actor> life;

  std::vector<reader> pages;
  std::set<std::string> open;
  std::size_t streams = 0;
  int version_number = 0;
  /// The highest number of each that was answered for.
  std::map<std::string, int> queued;
  std::set<std::string> started;
  std::map<std::string, task_status> seen;
  /// By task and `seq`: the kinds of events.
  std::map<std::string, std::map<std::size_t, std::string>> told_at;
  std::map<std::string, int> runs;
  std::map<std::string, std::size_t> at_work;
};

TEST_P(CrashModel, TakesNothingBackOverItsLives) {
  begin_life();
  for (auto& page : pages)
    connect(page);
  drain();
  for (int lives = 0; lives < 4 && !HasFailure(); ++lives) {
    if (lives != 0)
      begin_life();
    for (auto i = 30 + pick(60); i > 0 && !HasFailure(); --i)
      happen();
    kill();
  }
  begin_life();
  come_to_rest();
  EXPECT_FALSE(started.empty());
  for (const auto& id : started) {
    ASSERT_TRUE(seen.contains(id)) << "it is gone";
    EXPECT_TRUE(is_final(seen.at(id))) << to_string(seen.at(id));
    for (const auto& page : pages) {
      const auto told = page.steps.find(id);
      ASSERT_NE(told, page.steps.end()) << page.id << " was never told of " << id;
      EXPECT_EQ(told->second.back(), "task_" + std::string{to_string(seen.at(id))});
    }
  }
  for (int i = 0; i < 3; ++i) {
    const auto id = "other" + std::to_string(i);
    const auto kept = ask<pending_version>(versions, get_pending_version{request_id{id}});
    if (!kept) {
      EXPECT_FALSE(queued.contains(id)) << "it was answered for";
      continue;
    }
    EXPECT_GE(std::stoi(kept->version), queued[id]);
    for (const auto& page : pages)
      EXPECT_TRUE(page.versions.contains(R"({"version":")" + kept->version + "\"}"))
        << page.id << " was never told of " << kept->version;
  }
  kill();
}

INSTANTIATE_TEST_SUITE_P(Seeds, CrashModel, ::testing::Range(0u, 100u));

} // namespace
} // namespace herald
