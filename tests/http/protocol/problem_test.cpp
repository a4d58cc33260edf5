#include "http/protocol/problem.hpp"

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

TEST(Problem, HasTheStatusThatFits) {
  EXPECT_EQ(kind_of(ec::request_timed_out).status, 408);
  EXPECT_EQ(kind_of(ec::name_taken).status, 409);
  EXPECT_EQ(kind_of(ec::target_too_long).status, 414);
  EXPECT_EQ(kind_of(ec::unsupported_expectation).status, 417);
  EXPECT_EQ(kind_of(ec::head_too_large).status, 431);
  EXPECT_EQ(kind_of(ec::unsupported_coding).status, 501);
  EXPECT_EQ(kind_of(ec::unsupported_version).status, 505);
}

TEST(Problem, HasTheHeadersOfItsStatus) {
  const auto header = [](ec code) {
    const auto reply = problem(failure{code, "why", {}});
    return reply.headers.empty() ? "none" : reply.headers[0].first + ": " + reply.headers[0].second;
  };
  EXPECT_EQ(header(ec::overloaded), "Retry-After: 1");
  EXPECT_EQ(header(ec::unauthorized), "WWW-Authenticate: Secret realm=\"callback\"");
  EXPECT_EQ(header(ec::unsupported_encoding), "Accept-Encoding: identity");
  EXPECT_EQ(header(ec::invalid_field), "none");
}

TEST(Problem, HasAnAnswerForWhenMemoryIsOut) {
  const std::string text{out_of_memory_answer};
  const auto end = text.find("\r\n\r\n") + 4;
  EXPECT_NE(
    text.find("\r\nContent-Length: " + std::to_string(text.size() - end) + "\r\n"),
    std::string::npos);
  const auto document = nlohmann::json::parse(text.substr(end));
  EXPECT_EQ(document["status"], 503);
  EXPECT_EQ(document["title"], "Out of memory");
}

TEST(Problem, SurvivesTextThatIsNotUtf8) {
  const auto reply = problem(failure{ec::invalid_field, "bad \xff byte", "f"});
  EXPECT_TRUE(nlohmann::json::accept(reply.body));
}

} // namespace
} // namespace herald
