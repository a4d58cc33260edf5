#include "actors/tasks/task_options.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(TaskOptions, ListsEveryTypeByName) {
  task_options options;
  EXPECT_EQ(task_types(options), (std::vector<std::string>{"demo", "external", "failing"}));
  options.commands["report"].argv = {"report"};
  options.commands["backup"].argv = {"backup"};
  EXPECT_EQ(
    task_types(options),
    (std::vector<std::string>{"backup", "demo", "external", "failing", "report"}));
}

} // namespace
} // namespace herald
