#include "http/access/authorize_answer.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

const wall_time asked_at{std::chrono::seconds{1'800'000'000}};

class AuthorizeAnswer : public ::testing::Test {
protected:
  AuthorizeAnswer() { rules.mode = auth_mode::required; }

  [[nodiscard]] authorize_verdict
  read(unsigned status, std::string_view body, std::string_view challenge = {}) const {
    return read_authorize_answer({status, body, challenge}, rules, asked_at);
  }
  [[nodiscard]] stream_grant granted(std::string_view body) const {
    const auto said = read(200, body);
    EXPECT_TRUE(std::holds_alternative<stream_grant>(said))
      << body << ": " << std::get<no_answer>(said).why;
    return std::get<stream_grant>(said);
  }
  [[nodiscard]] std::string fault(std::string_view body, unsigned status = 200) const {
    const auto said = read(status, body);
    const auto* const nothing = std::get_if<no_answer>(&said);
    return nothing == nullptr ? "it counts" : nothing->why;
  }

  auth_options rules;
};

TEST_F(AuthorizeAnswer, GrantsWhatItSays) {
  const auto grant = granted(
    R"({"subject":"ann","roles":["ops","dev"],"topics":["orders/*"],"expires_at":1800000060})");
  EXPECT_EQ(grant.subject, "ann");
  EXPECT_EQ(grant.roles, (texts{"ops", "dev"}));
  EXPECT_EQ(grant.topics, texts{"orders/*"});
  EXPECT_EQ(grant.expires_at, asked_at + 1min);
  EXPECT_EQ(grant.issued_at, asked_at) << "when the question was put";
  EXPECT_EQ(grant.credential_id, "");
}

TEST_F(AuthorizeAnswer, NeedSayNoMoreThanASubject) {
  const auto grant = granted(R"({"subject":"ann","name":"Ann","id":{"a":[1]}})");
  EXPECT_EQ(grant.subject, "ann");
  EXPECT_TRUE(grant.roles.empty());
  EXPECT_TRUE(grant.topics.empty());
  EXPECT_EQ(grant.expires_at, asked_at + rules.max_lifetime_s);
  EXPECT_EQ(granted(R"({"subject":"ann","roles":"ops","topics":"a"})").roles, texts{"ops"});
  EXPECT_TRUE(std::holds_alternative<stream_grant>(read(201, R"({"subject":"ann"})")));
}

TEST_F(AuthorizeAnswer, MayNameNobodyWhereACredentialIsOptional) {
  for (const auto* body : {"{}", R"({"subject":null})", R"({"subject":""})"}) {
    rules.mode = auth_mode::required;
    EXPECT_EQ(fault(body), "subject must be there with auth.mode required");
    rules.mode = auth_mode::optional;
    EXPECT_EQ(granted(body).subject, "");
  }
  EXPECT_EQ(granted(R"({"topics":["news/*"]})").topics, texts{"news/*"});
}

TEST_F(AuthorizeAnswer, DoesNotCountWhereItBreaksARule) {
  rules.max_roles = 1;
  rules.max_topics = 1;
  rules.max_lifetime_s = 1h;
  for (const auto& [body, field] : std::vector<std::pair<std::string, std::string>>{
         {"", ""},
         {"<html>", ""},
         {"[]", ""},
         {R"({"subject":"ann")", ""},
         {R"({"subject":"ann","subject":"bob"})", "subject"},
         {R"({"subject":7})", "subject"},
         {R"({"subject":")" + std::string(256, 'a') + "\"}", "subject"},
         {R"({"subject":"ann","roles":["a","b"]})", "roles"},
         {R"({"subject":"ann","roles":[""]})", "roles"},
         {R"({"subject":"ann","topics":["a","b"]})", "topics"},
         {R"({"subject":"ann","topics":["a//b"]})", "topics"},
         {R"({"subject":"ann","expires_at":"1800000060"})", "expires_at"},
         {R"({"subject":"ann","expires_at":1800000000})", "expires_at"},
         {R"({"subject":"ann","expires_at":-1})", "expires_at"},
         {R"({"subject":"ann","expires_at":1800003601})", "expires_at"},
         {R"({"subject":"ann","expires_at":1800000060000})", "expires_at"},
         {R"({"subject":"ann","expires_at":1e300})", "expires_at"}}) {
    EXPECT_NE(fault(body), "it counts") << body;
    EXPECT_TRUE(fault(body).starts_with(field)) << body << ": " << fault(body);
  }
  EXPECT_EQ(
    granted(R"({"subject":"ann","expires_at":1800003600,"roles":[],"topics":[]})").expires_at,
    asked_at + 1h);
}

TEST_F(AuthorizeAnswer, IsNoneWithAnotherStatus) {
  for (const unsigned status : {100U, 199U, 300U, 302U, 304U, 400U, 402U, 404U, 429U, 500U, 503U})
    EXPECT_EQ(fault(R"({"subject":"ann"})", status), "the answer was " + std::to_string(status));
}

TEST_F(AuthorizeAnswer, TurnsAPageDown) {
  const auto said = std::get<turned_down>(read(401, "<html>", R"(Bearer realm="app")"));
  EXPECT_EQ(said.status, 401);
  EXPECT_EQ(said.challenge, R"(Bearer realm="app")");
  EXPECT_EQ(std::get<turned_down>(read(403, "", "Basic")).status, 403);
  EXPECT_EQ(std::get<turned_down>(read(401, "")).challenge, "");
  const std::string longest(1024, 'a');
  EXPECT_EQ(std::get<turned_down>(read(401, "", longest)).challenge, longest);
  for (const auto& nothing_to_pass_on :
       {std::string(1025, 'a'), std::string{"Bearer \x01"}, std::string{"a\r\nb: c"}})
    EXPECT_EQ(std::get<turned_down>(read(401, "", nothing_to_pass_on)).challenge, "");
}

} // namespace
} // namespace herald
