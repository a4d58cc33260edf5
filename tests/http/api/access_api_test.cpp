#include "http/api/access_api.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/api_routes.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using std::chrono::system_clock;

class AccessApi : public testing::api_routes {
protected:
  explicit AccessApi(auth_mode mode = auth_mode::required) {
    rules.mode = mode;
    rules.max_roles = 2;
    registry = spawn<revoker_actor>([this](const revoke_access& order) -> result<void> {
      seen.push_back(order);
      if (error)
        return *error;
      return caf::unit;
    });
    add_access_routes(routes, system(), registry, tickets, rules);
  }

  api_reply ticket(const std::string& body) { return call("POST", "/api/tickets", body); }
  api_reply revoke(const std::string& body) { return call("POST", "/api/revocations", body); }

  metrics numbers;
  ticket_book tickets{{2, 10'000}, numbers};
  auth_options rules;
  revoker_actor registry;
  std::vector<revoke_access> seen;
  std::optional<caf::error> error;
};

std::string ticket_in(const api_reply& reply) {
  const auto begin = reply.body.find(":\"") + 2;
  return reply.body.substr(begin, reply.body.find('"', begin) - begin);
}

TEST_F(AccessApi, IssuesATicketForWhatItIsAsked) {
  const auto before = system_clock::now();
  const auto reply = ticket(
    R"({"request_id":"p","subject":"ann","roles":["ops"],"topics":["a/*","b"],"ttl_s":600})");
  ASSERT_EQ(reply.status, 201) << reply.body;
  EXPECT_NE(reply.body.find(R"("use_within_s":30,"ttl_s":600)"), std::string::npos) << reply.body;
  EXPECT_EQ(reply.headers, (header_list{{"Cache-Control", "no-store"}}));
  const auto name = ticket_in(reply);
  EXPECT_FALSE(tickets.use({name, request_id{"q"}, std::nullopt, {1}}, system_clock::now()));
  const auto grant = tickets.use({name, request_id{"p"}, std::nullopt, {1}}, system_clock::now());
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->subject, "ann");
  EXPECT_EQ(grant->roles, std::vector<std::string>{"ops"});
  EXPECT_EQ(grant->topics, (std::vector<std::string>{"a/*", "b"}));
  EXPECT_GE(*grant->issued_at, before);
  EXPECT_EQ(*grant->expires_at, *grant->issued_at + 600s);
}

TEST_F(AccessApi, IssuesOneForAnHourWhereNothingElseIsSaid) {
  const auto reply = ticket("{}");
  EXPECT_NE(reply.body.find(R"("ttl_s":3600)"), std::string::npos) << reply.body;
  EXPECT_NE(ticket(R"({"ttl_s":5})").body.find(R"("use_within_s":5)"), std::string::npos);
}

TEST_F(AccessApi, RefusesTicketsThatBreakARuleByTheNameOfTheField) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
    {R"({"subject":""})", "subject"},
    {R"({"request_id":"a:b"})", "request_id"},
    {R"({"roles":["a","b","c"]})", "roles"},
    {R"({"roles":["a",""]})", "roles[1]"},
    {R"({"topics":["a/*/b"]})", "topics[0]"},
    {R"({"ttl_s":0})", "ttl_s"},
    {R"({"ttl_s":1.5})", "ttl_s"},
    {R"({"ttl_s":86401})", "ttl_s"},
    {R"({"Subject":"ann"})", "Subject"}};
  for (const auto& [body, field] : wrong) {
    const auto reply = ticket(body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_NE(reply.body.find("\"field\":\"" + field + "\""), std::string::npos) << reply.body;
  }
  EXPECT_EQ(tickets.size(), 0u);
}

TEST_F(AccessApi, RefusesMoreTicketsThanMayBe) {
  EXPECT_EQ(ticket("{}").status, 201);
  EXPECT_EQ(ticket("{}").status, 201);
  EXPECT_EQ(ticket("{}").status, 503);
}

TEST_F(AccessApi, RevokesACredentialOrWhatASubjectHas) {
  const auto before = system_clock::now();
  EXPECT_EQ(revoke(R"({"jti":"7"})").status, 204);
  EXPECT_EQ(revoke(R"({"sub":"ann"})").status, 204);
  EXPECT_EQ(revoke(R"({"sub":"ann","issued_before":1500.5})").status, 204);
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].what.credential_id, "7");
  ASSERT_GT(rules.leeway_s, 0s);
  EXPECT_GE(seen[0].until, before + rules.max_lifetime_s + 2 * rules.leeway_s)
    << "by then a token that is good now has ended";
  EXPECT_EQ(seen[1].what.subject, "ann");
  EXPECT_GE(seen[1].what.issued_before, before);
  EXPECT_LE(seen[1].what.issued_before, system_clock::now());
  EXPECT_EQ(seen[2].what.issued_before, wall_time{1500500ms});
}

TEST_F(AccessApi, RefusesRevocationsThatBreakARule) {
  for (const auto* body :
       {"{}", R"({"jti":""})", R"({"jti":"7","sub":"ann"})", R"({"jti":"7","issued_before":1})",
        R"({"sub":"ann","issued_before":-1})", R"({"sub":"ann","issued_before":1e300})",
        R"({"sub":"ann","issued_before":"now"})", R"({"subject":"ann"})"})
    EXPECT_EQ(revoke(body).status, 400) << body;
  EXPECT_EQ(revoke(R"({"jti":")" + std::string(256, 'j') + R"("})").status, 400);
  EXPECT_TRUE(seen.empty());
  error = fail(ec::overloaded, "full");
  EXPECT_EQ(revoke(R"({"jti":"7"})").status, 503);
}

class AccessApiWithoutCredentials : public AccessApi {
protected:
  AccessApiWithoutCredentials() : AccessApi(auth_mode::none) {}
};

TEST_F(AccessApiWithoutCredentials, SaysThatStreamsNeedNone) {
  EXPECT_EQ(ticket("{}").status, 404);
  EXPECT_EQ(revoke(R"({"jti":"7"})").status, 404);
  EXPECT_TRUE(seen.empty());
}

} // namespace
} // namespace herald
