#include "actors/tasks/task_table.hpp"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

task_moment at(std::chrono::milliseconds time) {
  return {std::chrono::steady_clock::time_point{} + time, wall_time{} + 1000h + time};
}

class TaskTable : public ::testing::Test {
protected:
  /// Brings a new task into a state.
  task_id task_in(task_status status, const std::string& name = "t", task_moment when = at(0ms)) {
    task_id id{name};
    EXPECT_TRUE(table.add(id, "demo", false));
    if (status != task_status::pending) {
      EXPECT_EQ(table.start(id, when), ec::none);
    }
    if (status == task_status::completed) {
      EXPECT_EQ(table.complete(id, "1", when), ec::none);
    } else if (status == task_status::failed) {
      EXPECT_EQ(table.fail(id, "no", when), ec::none);
    } else if (status == task_status::cancelled) {
      EXPECT_EQ(table.cancel(id, when), ec::none);
    }
    return id;
  }

  task_table table{{10s, 3}};
};

/// Everything that can be asked of a task.
enum class step { start, complete, fail, cancel, progress, remove };

constexpr std::array all_steps = {step::start,  step::complete, step::fail,
                                  step::cancel, step::progress, step::remove};
constexpr std::array all_states = {
  task_status::pending, task_status::running, task_status::completed, task_status::failed,
  task_status::cancelled};

/// The state machine in full: what comes of a step in a state.
struct outcome {
  ec answer;
  /// Nothing: the task is gone.
  std::optional<task_status> then;
};

outcome expected_of(task_status state, step s) {
  const bool ended = state >= task_status::completed;
  const bool running = state == task_status::running;
  switch (s) {
  case step::start:
    if (state == task_status::pending)
      return {ec::none, task_status::running};
    return {ended ? ec::task_ended : ec::internal, state};
  case step::complete:
    if (running)
      return {ec::none, task_status::completed};
    return {ended ? ec::task_ended : ec::internal, state};
  case step::fail:
    return ended ? outcome{ec::task_ended, state} : outcome{ec::none, task_status::failed};
  case step::cancel:
    return ended ? outcome{ec::task_ended, state} : outcome{ec::none, task_status::cancelled};
  case step::progress:
    return {running ? ec::none : ec::internal, state};
  case step::remove:
    return ended ? outcome{ec::none, std::nullopt} : outcome{ec::task_not_ended, state};
  }
  return {};
}

ec take(task_table& table, const task_id& id, step s) {
  switch (s) {
  case step::start:
    return table.start(id, at(1ms));
  case step::complete:
    return table.complete(id, "2", at(1ms));
  case step::fail:
    return table.fail(id, "error", at(1ms));
  case step::cancel:
    return table.cancel(id, at(1ms));
  case step::progress:
    return table.progress(id, 0.5, "half") ? ec::none : ec::internal;
  case step::remove:
    return table.remove(id);
  }
  return ec::internal;
}

TEST_F(TaskTable, HasExactlyTheStepsOfTheStateMachine) {
  for (const auto state : all_states) {
    for (const auto s : all_steps) {
      table = task_table{{10s, 3}};
      const auto id = task_in(state);
      const auto before = *table.find(id);
      const auto expected = expected_of(state, s);
      const auto where =
        std::string{to_string(state)} + ", step " + std::to_string(static_cast<int>(s));
      EXPECT_EQ(take(table, id, s), expected.answer) << where;
      const auto* after = table.find(id);
      ASSERT_EQ(after != nullptr, expected.then.has_value()) << where;
      EXPECT_EQ(table.check(), std::nullopt) << where;
      if (after == nullptr)
        continue;
      EXPECT_EQ(after->status, *expected.then) << where;
      EXPECT_EQ(after->start_time.has_value(), state != task_status::pending || s == step::start)
        << where;
      EXPECT_EQ(after->end_time.has_value(), is_final(after->status)) << where;
      if (expected.answer != ec::none) {
        EXPECT_EQ(after->end_time, before.end_time) << where;
        EXPECT_EQ(after->result_json, before.result_json) << where;
        EXPECT_EQ(after->error, before.error) << where;
        EXPECT_EQ(after->progress, before.progress) << where;
      }
    }
  }
}

TEST_F(TaskTable, KnowsNothingOfATaskThatWasNeverAdded) {
  const task_id id{"never"};
  for (const auto s : all_steps)
    EXPECT_EQ(take(table, id, s), s == step::progress ? ec::internal : ec::no_such_task);
  EXPECT_EQ(table.find(id), nullptr);
  EXPECT_FALSE(table.is_external(id));
  EXPECT_EQ(table.ran(id), std::nullopt);
}

TEST_F(TaskTable, TakesAnIdOnce) {
  const auto id = task_in(task_status::running);
  EXPECT_FALSE(table.add(id, "other", true));
  EXPECT_EQ(table.find(id)->type, "demo");
  EXPECT_FALSE(table.is_external(id));
  EXPECT_EQ(table.size(), 1u);
}

TEST_F(TaskTable, KeepsWhatATaskEndedWith) {
  const auto done = task_in(task_status::completed, "done");
  EXPECT_EQ(table.find(done)->result_json, "1");
  EXPECT_EQ(table.find(done)->error, "");
  const auto failed = task_in(task_status::failed, "failed");
  EXPECT_EQ(table.find(failed)->error, "no");
  EXPECT_EQ(table.find(failed)->result_json, "");
}

TEST_F(TaskTable, TellsHowLongATaskRan) {
  const auto id = task_in(task_status::running, "t", at(5ms));
  EXPECT_EQ(table.find(id)->start_time, at(5ms).wall);
  EXPECT_EQ(table.ran(id), std::nullopt) << "it has not ended";
  EXPECT_EQ(table.complete(id, "1", at(30ms)), ec::none);
  EXPECT_EQ(table.ran(id), 25ms);
  EXPECT_EQ(table.find(id)->end_time, at(30ms).wall);
  const auto pending = task_in(task_status::pending, "p");
  EXPECT_EQ(table.cancel(pending, at(40ms)), ec::none);
  EXPECT_EQ(table.ran(pending), std::nullopt) << "it never ran";
}

TEST_F(TaskTable, LetsProgressOnlyRise) {
  const auto id = task_in(task_status::running);
  const auto report = [&](double value) {
    const bool changed = table.progress(id, value, std::nullopt);
    return std::pair{changed, table.find(id)->progress};
  };
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(report(0.0), (std::pair{false, 0.0}));
  EXPECT_EQ(report(-1.0), (std::pair{false, 0.0}));
  EXPECT_EQ(report(0.5), (std::pair{true, 0.5}));
  EXPECT_EQ(report(0.5), (std::pair{false, 0.5}));
  EXPECT_EQ(report(0.4), (std::pair{false, 0.5}));
  EXPECT_EQ(report(std::nan("")), (std::pair{false, 0.5}));
  EXPECT_EQ(report(-infinity), (std::pair{false, 0.5}));
  EXPECT_EQ(report(7.0), (std::pair{true, 1.0}));
  EXPECT_EQ(report(infinity), (std::pair{false, 1.0}));
}

TEST_F(TaskTable, TakesATextWithoutAValueThatRises) {
  const auto id = task_in(task_status::running);
  EXPECT_TRUE(table.progress(id, 0.5, "half"));
  EXPECT_FALSE(table.progress(id, 0.5, "half"));
  EXPECT_TRUE(table.progress(id, 0.1, "still half"));
  EXPECT_EQ(table.find(id)->progress, 0.5);
  EXPECT_EQ(table.find(id)->progress_text, "still half");
  EXPECT_FALSE(table.progress(id, 0.1, std::nullopt)) << "no text leaves the text";
  EXPECT_EQ(table.find(id)->progress_text, "still half");
}

TEST_F(TaskTable, CountsTasksByTheirState) {
  task_in(task_status::pending, "a");
  task_in(task_status::running, "b");
  task_in(task_status::failed, "c");
  ASSERT_TRUE(table.add(task_id{"x"}, "external", true));
  EXPECT_TRUE(table.is_external(task_id{"x"}));
  EXPECT_EQ(table.running_external(), 0u);
  ASSERT_EQ(table.start(task_id{"x"}, at(0ms)), ec::none);
  EXPECT_EQ(table.size(), 4u);
  EXPECT_EQ(table.pending(), 1u);
  EXPECT_EQ(table.running(), 2u);
  EXPECT_EQ(table.running_external(), 1u);
  EXPECT_EQ(table.running_ids(), (std::vector<task_id>{task_id{"b"}, task_id{"x"}}));
  ASSERT_EQ(table.complete(task_id{"x"}, "null", at(0ms)), ec::none);
  EXPECT_EQ(table.running_external(), 0u);
  EXPECT_EQ(table.running(), 1u);
}

TEST_F(TaskTable, ForgetsEndedTasksAfterTheirRetention) {
  task_in(task_status::completed, "a", at(1s));
  task_in(task_status::cancelled, "b", at(2s));
  task_in(task_status::running, "c", at(0s));
  EXPECT_EQ(table.next_expiry(), at(11s).at);
  EXPECT_EQ(table.expire(at(10'999ms).at), 0u);
  EXPECT_EQ(table.expire(at(11s).at), 1u);
  EXPECT_EQ(table.find(task_id{"a"}), nullptr);
  EXPECT_EQ(table.next_expiry(), at(12s).at);
  EXPECT_EQ(table.expire(at(1h).at), 1u);
  EXPECT_EQ(table.next_expiry(), std::nullopt);
  EXPECT_NE(table.find(task_id{"c"}), nullptr) << "what runs stays, however long";
  EXPECT_EQ(table.evicted(), 0u);
}

TEST_F(TaskTable, MakesRoomForTheTaskThatEndedLast) {
  // All at the same moment, in another order than that of their starts.
  for (const auto* name : {"a", "b", "c", "d"})
    task_in(task_status::running, name);
  for (const auto* name : {"d", "c", "b", "a"})
    EXPECT_EQ(table.fail(task_id{name}, "no", at(1s)), ec::none);
  EXPECT_EQ(table.find(task_id{"d"}), nullptr) << "ended first";
  ASSERT_NE(table.find(task_id{"a"}), nullptr) << "has just ended and can be asked for";
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(table.evicted(), 1u);
  EXPECT_EQ(table.check(), std::nullopt);
}

TEST_F(TaskTable, PagesInTheOrderOfStarting) {
  for (const auto* name : {"e", "b", "d", "a", "c"})
    task_in(task_status::pending, name);
  const auto names = [](const task_page& page) {
    std::string text;
    for (const auto& task : page.tasks)
      text += task.id.str();
    return text;
  };
  const auto first = table.list(0, 2);
  EXPECT_EQ(names(first), "eb");
  EXPECT_EQ(first.total, 5u);
  ASSERT_TRUE(first.next);
  ASSERT_EQ(table.cancel(task_id{"b"}, at(0ms)), ec::none);
  ASSERT_EQ(table.remove(task_id{"b"}), ec::none);
  const auto second = table.list(*first.next, 2);
  EXPECT_EQ(names(second), "da") << "the cursor outlives its task";
  ASSERT_TRUE(second.next);
  const auto last = table.list(*second.next, 2);
  EXPECT_EQ(names(last), "c");
  EXPECT_EQ(last.next, std::nullopt);
  EXPECT_EQ(table.list(0, 4).next, std::nullopt) << "a full page that is the last";
  EXPECT_EQ(names(table.list(1'000'000, 2)), "");
}

TEST_F(TaskTable, WithdrawsATaskThatHasNotBegun) {
  const auto id = task_in(task_status::pending);
  EXPECT_TRUE(table.withdraw(id));
  EXPECT_EQ(table.find(id), nullptr);
  EXPECT_FALSE(table.withdraw(id));
  for (const auto state : {task_status::running, task_status::completed})
    EXPECT_FALSE(table.withdraw(task_in(state, std::string{to_string(state)})));
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.check(), std::nullopt);
}

TEST_F(TaskTable, TellsOnceWhatItHasForgotten) {
  task_in(task_status::completed, "expired", at(0ms));
  task_in(task_status::completed, "removed", at(5s));
  task_in(task_status::pending, "withdrawn", at(5s));
  EXPECT_TRUE(table.take_forgotten().empty());
  table.expire(at(10s).at);
  EXPECT_EQ(table.remove(task_id{"removed"}), ec::none);
  EXPECT_TRUE(table.withdraw(task_id{"withdrawn"}));
  EXPECT_EQ(
    table.take_forgotten(),
    (std::vector<task_id>{task_id{"expired"}, task_id{"removed"}, task_id{"withdrawn"}}));
  EXPECT_TRUE(table.take_forgotten().empty());
  for (const auto* name : {"1", "2", "3", "4"})
    task_in(task_status::failed, name, at(11s));
  EXPECT_EQ(table.take_forgotten(), (std::vector<task_id>{task_id{"1"}})) << "to make room";
}

TEST_F(TaskTable, GoesOnFromWhatAFormerLifeHasLeft) {
  const auto former = [](const char* name, task_status status, std::chrono::milliseconds ended) {
    task_table::former one;
    one.view.id = task_id{name};
    one.view.status = status;
    one.external = true;
    if (is_final(status))
      one.view.end_time = at(ended).wall;
    one.ended_at = at(ended).at;
    return one;
  };
  table.restore(
    {former("a", task_status::failed, 4s), former("b", task_status::running, 0s),
     former("c", task_status::completed, 1s), former("d", task_status::pending, 0s),
     former("e", task_status::cancelled, 3s), former("f", task_status::completed, 2s),
     former("a", task_status::failed, 9s)});
  EXPECT_EQ(table.check(), std::nullopt);
  EXPECT_EQ(table.size(), 5u);
  EXPECT_EQ(table.find(task_id{"c"}), nullptr) << "one too many, and the first to end";
  EXPECT_EQ(table.running_external(), 1u);
  EXPECT_EQ(table.pending(), 1u);
  EXPECT_EQ(table.next_expiry(), at(12s).at);
  task_in(task_status::pending, "g");
  EXPECT_EQ(table.list(0, 10).tasks.front().id, task_id{"a"});
  EXPECT_EQ(table.list(0, 10).tasks.back().id, task_id{"g"});
  EXPECT_EQ(table.complete(task_id{"b"}, "1", at(5s)), ec::none);
  EXPECT_EQ(table.check(), std::nullopt);
}

TEST(TaskTableBytes, ForgetsTheTaskThatEndedFirstPastThem) {
  task_table table{{10s, 100, 35'000}};
  const std::string long_text(10'000, 'x');
  const auto end = [&](const char* name) {
    EXPECT_TRUE(table.add(task_id{name}, "demo", false));
    EXPECT_EQ(table.start(task_id{name}, at(0ms)), ec::none);
    EXPECT_EQ(table.complete(task_id{name}, long_text, at(0ms)), ec::none);
  };
  end("a");
  end("b");
  end("c");
  EXPECT_EQ(table.evicted(), 0u);
  EXPECT_GT(table.ended_bytes(), 30'000u);
  end("d");
  EXPECT_EQ(table.evicted(), 1u);
  EXPECT_EQ(table.find(task_id{"a"}), nullptr);
  EXPECT_NE(table.find(task_id{"d"}), nullptr);
  EXPECT_EQ(table.check(), std::nullopt);
  EXPECT_TRUE(table.add(task_id{"e"}, "demo", false));
  EXPECT_EQ(table.fail(task_id{"e"}, std::string(40'000, 'x'), at(0ms)), ec::none);
  EXPECT_EQ(table.size(), 1u) << "the last one stays";
  EXPECT_EQ(table.remove(task_id{"e"}), ec::none);
  EXPECT_EQ(table.ended_bytes(), 0u);
  EXPECT_EQ(table.check(), std::nullopt);
}

TEST(TaskTableBytes, AreOfAllTextsAndMayBeUsedUp) {
  const auto end_both = [](task_table& table, const std::string& type, const std::string& text) {
    for (const auto* name : {"a", "b"}) {
      const task_id id{name};
      EXPECT_TRUE(table.add(id, type, false));
      EXPECT_EQ(table.start(id, at(0ms)), ec::none);
      EXPECT_TRUE(table.progress(id, 0.5, text));
      EXPECT_EQ(table.complete(id, "1", at(0ms)), ec::none);
    }
    return table.evicted();
  };
  task_table bare{{10s, 100, 100'000}};
  EXPECT_EQ(end_both(bare, "demo", "x"), 0u);
  task_table wide{{10s, 100, 100'000}};
  EXPECT_EQ(end_both(wide, "demo" + std::string(50, 'x'), std::string(101, 'x')), 0u);
  EXPECT_EQ(wide.ended_bytes(), bare.ended_bytes() + 2 * 150);
  task_table exact{{10s, 100, bare.ended_bytes()}};
  EXPECT_EQ(end_both(exact, "demo", "x"), 0u);
  task_table narrow{{10s, 100, bare.ended_bytes() - 1}};
  EXPECT_EQ(end_both(narrow, "demo", "x"), 1u);
}

TEST(TaskTableBytes, HoldForTasksOfAFormerLife) {
  task_table table{{10s, 100, 25'000}};
  std::vector<task_table::former> former;
  for (const auto* name : {"a", "b", "c"}) {
    task_view view;
    view.id = task_id{name};
    view.type = "demo";
    view.status = task_status::completed;
    view.end_time = wall_time{};
    view.result_json = std::string(10'000, 'x');
    former.push_back({std::move(view), false, {}, {}});
  }
  table.restore(std::move(former));
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.check(), std::nullopt);
}

} // namespace
} // namespace herald
