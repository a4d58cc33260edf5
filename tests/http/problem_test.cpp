#include "http/problem.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace herald {
namespace {

TEST(Problem, NamesTheFieldThatIsToBlame) {
  const auto reply = problem(fail(ec::invalid_field, "must not be empty", "[3].event"));
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.content_type, "application/problem+json");
  const auto document = nlohmann::json::parse(reply.body);
  EXPECT_EQ(document["title"], "Invalid field");
  EXPECT_EQ(document["status"], 400);
  EXPECT_EQ(document["detail"], "must not be empty");
  EXPECT_EQ(document["field"], "[3].event");
}

TEST(Problem, LeavesTheFieldOutWhereNoneIsToBlame) {
  const auto reply = problem(failure{ec::shutting_down, "no new tasks", {}});
  EXPECT_EQ(reply.status, 503);
  EXPECT_FALSE(nlohmann::json::parse(reply.body).contains("field"));
  EXPECT_EQ(reply.headers.at(0).first, "Retry-After");
}

TEST(Problem, SurvivesTextThatIsNotUtf8) {
  const auto reply = problem(failure{ec::invalid_field, "bad \xff byte", "f"});
  EXPECT_TRUE(nlohmann::json::accept(reply.body));
}

} // namespace
} // namespace herald
