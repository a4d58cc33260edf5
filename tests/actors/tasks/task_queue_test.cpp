#include "actors/tasks/task_queue.hpp"

#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

run_task order(const char* id) {
  return {task_id{id}, "demo", "{}"};
}

/// "t@0" for the task that was given to a worker, or "nothing".
std::string assigned(task_queue& queue) {
  const auto next = queue.assign();
  return next ? next->order.id.str() + "@" + std::to_string(next->worker) : "nothing";
}

TEST(TaskQueue, GivesNothingToWorkersThatHaveNotSaidTheyAreFree) {
  task_queue queue{2};
  queue.push(order("a"));
  EXPECT_FALSE(queue.any_free());
  EXPECT_EQ(assigned(queue), "nothing");
  EXPECT_EQ(queue.release(1), std::nullopt);
  EXPECT_TRUE(queue.any_free());
  EXPECT_EQ(assigned(queue), "a@1");
}

TEST(TaskQueue, GivesTasksInTheOrderInWhichTheyCame) {
  task_queue queue{2};
  queue.release(0);
  queue.release(1);
  EXPECT_EQ(assigned(queue), "nothing");
  for (const auto* id : {"a", "b", "c", "d"})
    queue.push(order(id));
  EXPECT_EQ(queue.waiting(), 4u);
  EXPECT_EQ(assigned(queue), "a@0");
  EXPECT_EQ(assigned(queue), "b@1");
  EXPECT_EQ(assigned(queue), "nothing");
  EXPECT_EQ(queue.front()->id, task_id{"c"});
  EXPECT_EQ(queue.release(1), task_id{"b"});
  EXPECT_EQ(assigned(queue), "c@1");
  EXPECT_EQ(queue.waiting(), 1u);
}

TEST(TaskQueue, KnowsWhoHasATask) {
  task_queue queue{2};
  queue.release(0);
  queue.push(order("a"));
  EXPECT_EQ(queue.worker_of(task_id{"a"}), std::nullopt) << "it still waits";
  EXPECT_EQ(assigned(queue), "a@0");
  EXPECT_EQ(queue.worker_of(task_id{"a"}), 0u);
  EXPECT_TRUE(queue.any_busy());
  EXPECT_FALSE(queue.any_free());
  EXPECT_EQ(queue.release(0), task_id{"a"});
  EXPECT_EQ(queue.worker_of(task_id{"a"}), std::nullopt);
  EXPECT_FALSE(queue.any_busy());
  EXPECT_EQ(queue.release(0), std::nullopt) << "free already";
}

TEST(TaskQueue, WithdrawsATaskThatWaits) {
  task_queue queue{1};
  for (const auto* id : {"a", "b", "c"})
    queue.push(order(id));
  EXPECT_TRUE(queue.withdraw(task_id{"b"}));
  EXPECT_FALSE(queue.withdraw(task_id{"b"}));
  queue.release(0);
  EXPECT_EQ(assigned(queue), "a@0");
  EXPECT_FALSE(queue.withdraw(task_id{"a"})) << "a worker has it";
  queue.release(0);
  EXPECT_EQ(assigned(queue), "c@0");
  EXPECT_EQ(queue.front(), nullptr);
}

TEST(TaskQueue, IgnoresWorkersThatItDoesNotHave) {
  task_queue queue{1};
  EXPECT_EQ(queue.release(1), std::nullopt);
  EXPECT_FALSE(queue.any_free());
}

} // namespace
} // namespace herald
