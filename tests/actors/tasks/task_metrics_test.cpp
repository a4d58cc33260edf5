#include "actors/tasks/task_metrics.hpp"

#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

class TaskMetrics : public ::testing::Test {
protected:
  /// Whether `/metrics` has this line.
  bool shows(const std::string& line) const {
    return numbers.render().find("\n" + line + "\n") != std::string::npos;
  }

  task_options options;
  metrics numbers;
};

TEST_F(TaskMetrics, ShowsEveryTypeFromTheStart) {
  options.commands["report"].argv = {"report"};
  const task_metrics counts{options, numbers};
  for (const std::string type : {"demo", "external", "failing", "report"}) {
    for (const std::string status : {"completed", "failed", "cancelled"})
      EXPECT_TRUE(shows("task_executions_total{status=\"" + status + "\",type=\"" + type + "\"} 0"))
        << type << ' ' << status;
    EXPECT_TRUE(shows("task_duration_seconds_count{type=\"" + type + "\"} 0")) << type;
  }
}

TEST_F(TaskMetrics, CountsEnds) {
  task_metrics counts{options, numbers};
  counts.count_end("demo", task_status::completed, 2s);
  counts.count_end("demo", task_status::completed, 3s);
  counts.count_end("demo", task_status::failed, 1s);
  counts.count_end("failing", task_status::cancelled, std::nullopt);
  EXPECT_TRUE(shows("task_executions_total{status=\"completed\",type=\"demo\"} 2"));
  EXPECT_TRUE(shows("task_executions_total{status=\"failed\",type=\"demo\"} 1"));
  EXPECT_TRUE(shows("task_executions_total{status=\"cancelled\",type=\"failing\"} 1"));
  EXPECT_TRUE(shows("task_duration_seconds_count{type=\"demo\"} 3"));
  EXPECT_TRUE(shows("task_duration_seconds_sum{type=\"demo\"} 6"));
  EXPECT_TRUE(shows("task_duration_seconds_count{type=\"failing\"} 0"))
    << "a task that never ran took no time";
}

TEST_F(TaskMetrics, TakesNoOtherLabelThanTheTypesOfTheOptions) {
  task_metrics counts{options, numbers};
  counts.count_end("made up", task_status::completed, 1s);
  EXPECT_EQ(numbers.render().find("made up"), std::string::npos);
}

TEST_F(TaskMetrics, ShowsHowManyTasksThereAre) {
  task_metrics counts{options, numbers};
  task_table tasks{{std::chrono::hours{1}, 1}};
  for (const auto* id : {"a", "b", "c", "d"})
    EXPECT_TRUE(tasks.add(task_id{id}, "demo", false));
  EXPECT_EQ(tasks.start(task_id{"a"}, {}), ec::none);
  counts.show(tasks);
  EXPECT_TRUE(shows("herald_tasks_active 1"));
  EXPECT_TRUE(shows("herald_tasks_pending 3"));
  EXPECT_TRUE(shows("herald_tasks_kept 4"));
  EXPECT_TRUE(shows("herald_tasks_ended_bytes 0"));
  EXPECT_TRUE(shows("herald_tasks_evicted_total 0"));
  for (const auto* id : {"b", "c", "d"})
    EXPECT_EQ(tasks.cancel(task_id{id}, {}), ec::none);
  counts.show(tasks);
  EXPECT_TRUE(shows("herald_tasks_pending 0"));
  EXPECT_TRUE(shows("herald_tasks_kept 2"));
  EXPECT_TRUE(shows("herald_tasks_evicted_total 2"));
  EXPECT_TRUE(shows("herald_tasks_ended_bytes " + std::to_string(tasks.ended_bytes())));
}

} // namespace
} // namespace herald
