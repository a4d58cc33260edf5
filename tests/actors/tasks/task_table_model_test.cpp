#include "actors/tasks/task_table.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using std::chrono::milliseconds;

/// A task table in the plainest way: a list that is gone through for everything.
class naive_table {
public:
  struct task {
    task_view view;
    bool external = false;
    int started = 0;
    int ended = 0;
    /// How many had ended before.
    int rank = 0;
  };

  task* find(const std::string& name) {
    for (auto& t : tasks)
      if (t.view.id.str() == name)
        return &t;
    return nullptr;
  }

  bool add(const std::string& name, bool external) {
    if (find(name) != nullptr)
      return false;
    task added;
    added.view.id = task_id{name};
    added.view.type = external ? "external" : "demo";
    added.external = external;
    tasks.push_back(std::move(added));
    return true;
  }

  ec start(const std::string& name, int now) {
    auto* t = find(name);
    if (t == nullptr)
      return ec::no_such_task;
    if (is_final(t->view.status))
      return ec::task_ended;
    if (t->view.status == task_status::running)
      return ec::internal;
    t->view.status = task_status::running;
    t->started = now;
    return ec::none;
  }

  ec end(const std::string& name, task_status how, const std::string& text, int now) {
    auto* t = find(name);
    if (t == nullptr)
      return ec::no_such_task;
    if (is_final(t->view.status))
      return ec::task_ended;
    if (how == task_status::completed && t->view.status == task_status::pending)
      return ec::internal;
    t->view.status = how;
    t->ended = now;
    t->rank = ++ends;
    if (how == task_status::completed)
      t->view.result_json = text;
    if (how == task_status::failed)
      t->view.error = text;
    while (count(task_status::completed) + count(task_status::failed)
             + count(task_status::cancelled)
           > max_ended) {
      tasks.erase(oldest_end());
      ++evicted;
    }
    return ec::none;
  }

  bool progress(const std::string& name, double value, const std::optional<std::string>& text) {
    auto* t = find(name);
    if (t == nullptr || t->view.status != task_status::running)
      return false;
    const auto before = t->view;
    t->view.progress = std::max(t->view.progress, std::clamp(value, 0.0, 1.0));
    t->view.progress_text = text.value_or(t->view.progress_text);
    return t->view.progress != before.progress || t->view.progress_text != before.progress_text;
  }

  ec remove(const std::string& name) {
    auto* t = find(name);
    if (t == nullptr)
      return ec::no_such_task;
    if (!is_final(t->view.status))
      return ec::task_not_ended;
    tasks.erase(tasks.begin() + (t - tasks.data()));
    return ec::none;
  }

  std::size_t expire(int now) {
    return std::erase_if(
      tasks, [&](const task& t) { return is_final(t.view.status) && t.ended + retention <= now; });
  }

  std::size_t count(task_status status) const {
    return static_cast<std::size_t>(std::count_if(
      tasks.begin(), tasks.end(), [&](const task& t) { return t.view.status == status; }));
  }

  std::vector<task>::iterator oldest_end() {
    auto oldest = tasks.end();
    for (auto t = tasks.begin(); t != tasks.end(); ++t)
      if (is_final(t->view.status) && (oldest == tasks.end() || t->rank < oldest->rank))
        oldest = t;
    return oldest;
  }

  static constexpr int retention = 30;
  static constexpr std::size_t max_ended = 6;
  std::vector<task> tasks;
  int ends = 0;
  std::size_t evicted = 0;
};

/// The table and the naive one under the same random orders.
class duel {
public:
  explicit duel(unsigned seed) : random_(seed) {}

  void run() {
    for (int i = 0; i < 400 && !::testing::Test::HasFailure(); ++i) {
      now_ += below(3); // often the same moment twice
      step();
      compare();
    }
  }

private:
  int below(int n) { return std::uniform_int_distribution<int>{0, n - 1}(random_); }

  task_moment now() const {
    return {
      std::chrono::steady_clock::time_point{} + milliseconds{now_},
      wall_time{} + milliseconds{now_}};
  }

  void step() {
    const std::string name{static_cast<char>('a' + below(12))};
    const task_id id{name};
    const auto text = std::to_string(below(4));
    switch (below(9)) {
    case 0:
    case 1: {
      const bool external = below(2) == 0;
      EXPECT_EQ(
        table_.add(id, external ? "external" : "demo", external), naive_.add(name, external));
      break;
    }
    case 2:
    case 3:
      EXPECT_EQ(table_.start(id, now()), naive_.start(name, now_));
      break;
    case 4:
      EXPECT_EQ(
        table_.complete(id, text, now()), naive_.end(name, task_status::completed, text, now_));
      break;
    case 5:
      EXPECT_EQ(table_.fail(id, text, now()), naive_.end(name, task_status::failed, text, now_));
      break;
    case 6: {
      const auto value = (below(14) - 2) / 10.0;
      const auto said = below(2) == 0 ? std::optional{text} : std::nullopt;
      EXPECT_EQ(table_.progress(id, value, said), naive_.progress(name, value, said));
      break;
    }
    case 7:
      if (below(2) == 0)
        EXPECT_EQ(table_.remove(id), naive_.remove(name));
      else
        EXPECT_EQ(table_.cancel(id, now()), naive_.end(name, task_status::cancelled, "", now_));
      break;
    default:
      EXPECT_EQ(table_.expire(now().at), naive_.expire(now_));
    }
  }

  void compare() {
    EXPECT_EQ(table_.check(), std::nullopt);
    EXPECT_EQ(table_.size(), naive_.tasks.size());
    EXPECT_EQ(table_.pending(), naive_.count(task_status::pending));
    EXPECT_EQ(table_.running(), naive_.count(task_status::running));
    EXPECT_EQ(table_.evicted(), naive_.evicted);
    std::vector<task_id> running;
    std::size_t external = 0;
    for (const auto& t : naive_.tasks) {
      compare(t);
      if (t.view.status == task_status::running) {
        running.push_back(t.view.id);
        external += t.external ? 1u : 0u;
      }
    }
    EXPECT_EQ(table_.running_ids(), running);
    EXPECT_EQ(table_.running_external(), external);
    const auto oldest = naive_.oldest_end();
    EXPECT_EQ(table_.next_expiry().has_value(), oldest != naive_.tasks.end());
    if (oldest != naive_.tasks.end()) {
      EXPECT_EQ(
        table_.next_expiry(), std::chrono::steady_clock::time_point{}
                                + milliseconds{oldest->ended + naive_table::retention});
    }
    compare_pages();
  }

  void compare(const naive_table::task& expected) {
    const auto* found = table_.find(expected.view.id);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->type, expected.view.type);
    EXPECT_EQ(found->status, expected.view.status);
    EXPECT_EQ(found->progress, expected.view.progress);
    EXPECT_EQ(found->progress_text, expected.view.progress_text);
    EXPECT_EQ(found->result_json, expected.view.result_json);
    EXPECT_EQ(found->error, expected.view.error);
    EXPECT_EQ(table_.is_external(expected.view.id), expected.external);
    if (is_final(expected.view.status) && found->start_time) {
      EXPECT_EQ(table_.ran(expected.view.id), milliseconds{expected.ended - expected.started});
    }
  }

  void compare_pages() {
    const auto limit = static_cast<std::size_t>(1 + below(5));
    std::vector<task_id> listed;
    std::uint64_t after = 0;
    for (std::size_t pages = 0; pages < 20; ++pages) {
      const auto page = table_.list(after, limit);
      EXPECT_EQ(page.total, naive_.tasks.size());
      for (const auto& task : page.tasks)
        listed.push_back(task.id);
      if (!page.next)
        break;
      EXPECT_EQ(page.tasks.size(), limit);
      after = *page.next;
    }
    ASSERT_EQ(listed.size(), naive_.tasks.size());
    for (std::size_t i = 0; i < listed.size(); ++i)
      EXPECT_EQ(listed[i], naive_.tasks[i].view.id);
  }

  std::mt19937 random_;
  int now_ = 0;
  task_table table_{{milliseconds{naive_table::retention}, naive_table::max_ended}};
  naive_table naive_;
};

TEST(TaskTableModel, AgreesWithTheNaiveTableInRandomSequences) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    duel{seed}.run();
    if (HasFailure())
      return;
  }
}

} // namespace
} // namespace herald
