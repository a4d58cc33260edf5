#include "http/tokens/token_claims.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/token_issuer.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::token_issuer;

const token_issuer& issuer() {
  return token_issuer::shared();
}

using outcome = std::variant<stream_grant, std::string>;

outcome judge(const json& claims, const auth_options& rules = token_issuer::rules()) {
  return grant_of_claims(claims.dump(), rules, issuer().now);
}

stream_grant granted(const json& claims, const auth_options& rules = token_issuer::rules()) {
  auto how = judge(claims, rules);
  const auto* why = std::get_if<std::string>(&how);
  EXPECT_EQ(why, nullptr) << (why == nullptr ? "" : *why) << ' ' << claims;
  return why == nullptr ? std::get<stream_grant>(how) : stream_grant{};
}

std::string refused(const json& claims, const auth_options& rules = token_issuer::rules()) {
  const auto how = judge(claims, rules);
  const auto* why = std::get_if<std::string>(&how);
  return why == nullptr ? "granted" : *why;
}

TEST(TokenClaims, SayWhoAStreamIsForAndUntilWhen) {
  const auto grant = granted(issuer().claims());
  EXPECT_EQ(grant.subject, "ann");
  EXPECT_EQ(grant.expires_at, issuer().now + 10min);
  EXPECT_EQ(grant.issued_at, issuer().now);
  EXPECT_EQ(grant.credential_id, "token-1");
  EXPECT_TRUE(grant.roles.empty());
  EXPECT_TRUE(grant.topics.empty());
}

TEST(TokenClaims, NeedIssuerAudienceSubjectAndEnd) {
  for (const auto* name : {"iss", "aud", "sub", "exp"})
    EXPECT_NE(refused(issuer().claims_without(name)), "granted") << name;
  for (const auto* name : {"iat", "nbf", "jti", "scope"})
    EXPECT_EQ(refused(issuer().claims_without(name)), "granted") << name;
  EXPECT_EQ(granted(issuer().claims_without("iat")).issued_at, std::nullopt);
  EXPECT_EQ(granted(issuer().claims_without("jti")).credential_id, "");
}

TEST(TokenClaims, NameHeraldAmongTheAudience) {
  EXPECT_EQ(granted(issuer().claims({{"aud", "https://herald.example"}})).subject, "ann");
  EXPECT_EQ(granted(issuer().claims({{"aud", {"other", "herald"}}})).subject, "ann");
  for (const auto& aud :
       {json("other"), json("Herald"), json(""), json({"other", "one more"}), json::array(),
        json(nullptr), json(7), json({"herald", 7}), json({{"herald", true}})})
    EXPECT_NE(refused(issuer().claims({{"aud", aud}})), "granted") << aud;
}

TEST(TokenClaims, CountTheEndToTheSecondAndLetOtherTimesBeAhead) {
  const auto exp = [](const json& at) {
    return refused(issuer().claims({{"exp", at}}));
  };
  EXPECT_EQ(exp(issuer().at(1s)), "granted");
  EXPECT_EQ(exp(issuer().at(0s)), "exp must be later than now");
  EXPECT_EQ(exp(issuer().at(-1s)), "exp must be later than now");
  EXPECT_EQ(exp(issuer().at(24h)), "granted");
  EXPECT_EQ(exp(issuer().at(24h + 1s)), "exp is beyond auth.max_lifetime_s");
  for (const auto* name : {"nbf", "iat"}) {
    EXPECT_EQ(refused(issuer().claims({{name, issuer().at(60s)}})), "granted");
    EXPECT_EQ(
      refused(issuer().claims({{name, issuer().at(61s)}})),
      name + std::string{" is later than auth.leeway_s from now"});
    EXPECT_EQ(refused(issuer().claims({{name, 0}})), "granted");
    for (const auto& at : {json(-1), json(-1e300), json(1e300), json("0"), json(nullptr)})
      EXPECT_NE(refused(issuer().claims({{name, at}})), "granted") << name << at;
  }
}

TEST(TokenClaims, TakeAnyNumberForATime) {
  const auto half = granted(issuer().claims({{"exp", static_cast<double>(issuer().at(1s)) + 0.5}}));
  EXPECT_EQ(half.expires_at, issuer().now + 1500ms);
  auto text = issuer().claims().dump();
  const auto with_exp = [&](const std::string& digits) {
    auto other = text;
    const auto at = other.find("\"exp\":") + 6;
    other.replace(at, other.find_first_of(",}", at) - at, digits);
    return grant_of_claims(other, token_issuer::rules(), issuer().now);
  };
  EXPECT_TRUE(std::holds_alternative<stream_grant>(with_exp("1.8000006e9")));
  EXPECT_TRUE(std::holds_alternative<stream_grant>(with_exp("1800000600.000000")));
  for (const auto* digits :
       {"-1800000600", "1e300", "1e999", "-1e300", "99999999999999999999", "9e9", "9.1e9", "0",
        "-0", "\"1800000600\"", "null", "true", "[]", "NaN", "1800000600x", "01800000600", ""})
    EXPECT_FALSE(std::holds_alternative<stream_grant>(with_exp(digits))) << digits;
}

TEST(TokenClaims, ObeyTheRulesOfSubjectsRolesAndTopics) {
  const std::string longest(255, 'a');
  EXPECT_EQ(granted(issuer().claims({{"sub", longest}})).subject, longest);
  for (const auto& sub :
       {json(""), json(longest + 'a'), json("a\nb"), json("a\u200bb"), json(std::string("a\0b", 3)),
        json(7), json(nullptr), json({"ann"})})
    EXPECT_NE(refused(issuer().claims({{"sub", sub}})), "granted") << sub;
  EXPECT_NE(refused(issuer().claims({{"jti", longest + 'a'}})), "granted");
  EXPECT_NE(refused(issuer().claims({{"jti", 7}})), "granted");
  for (const auto& roles :
       {json(""), json({"a", ""}), json({"a", 7}), json({{"a", true}}), json(7), json(nullptr),
        json({"a\nb"})})
    EXPECT_NE(refused(issuer().claims({{"roles", roles}})), "granted") << roles;
  for (const auto& topics :
       {json(""), json("a//b"), json("a/*/b"), json({"a", "/"}), json(longest + "a"), json(7)})
    EXPECT_NE(refused(issuer().claims({{"topics", topics}})), "granted") << topics;
}

TEST(TokenClaims, GrantRolesAndTopics) {
  const auto grant = granted(
    issuer().claims({{"roles", {"admin", "staff"}}, {"topics", {"orders/*", "news", "*"}}}));
  EXPECT_EQ(grant.roles, (std::vector<std::string>{"admin", "staff"}));
  EXPECT_EQ(grant.topics, (std::vector<std::string>{"orders/*", "news", "*"}));
  const auto one = granted(issuer().claims({{"roles", "admin"}, {"topics", json::array()}}));
  EXPECT_EQ(one.roles, std::vector<std::string>{"admin"});
  EXPECT_TRUE(one.topics.empty());
}

TEST(TokenClaims, AreLookedUpWhereTheSettingsSay) {
  auto rules = token_issuer::rules();
  rules.roles_claim = "realm_access.roles";
  rules.topics_claim = "realm_access.herald.topics";
  const auto grant = granted(
    issuer().claims(
      {{"roles", {"elsewhere"}},
       {"realm_access", {{"roles", {"admin"}}, {"herald", {{"topics", {"a/*"}}}}}}}),
    rules);
  EXPECT_EQ(grant.roles, std::vector<std::string>{"admin"});
  EXPECT_EQ(grant.topics, std::vector<std::string>{"a/*"});
  // Where nothing is, nothing is granted; where something else is, nothing is believed.
  EXPECT_TRUE(granted(issuer().claims(), rules).roles.empty());
  EXPECT_TRUE(granted(issuer().claims({{"realm_access", json::object()}}), rules).roles.empty());
  EXPECT_NE(refused(issuer().claims({{"realm_access", "admin"}}), rules), "granted");
  EXPECT_NE(refused(issuer().claims({{"realm_access", {{"roles", 7}}}}), rules), "granted");
}

TEST(TokenClaims, MayHaveDotsInTheirNames) {
  auto rules = token_issuer::rules();
  rules.roles_claim = "https://issuer.example/roles";
  EXPECT_EQ(
    granted(issuer().claims({{"https://issuer.example/roles", {"admin"}}}), rules).roles,
    std::vector<std::string>{"admin"});
}

TEST(TokenClaims, MayBeAskedForTwice) {
  auto rules = token_issuer::rules();
  rules.roles_claim = "sub";
  rules.topics_claim = "sub";
  const auto grant = granted(issuer().claims(), rules);
  EXPECT_EQ(grant.subject, "ann");
  EXPECT_EQ(grant.roles, std::vector<std::string>{"ann"});
  EXPECT_EQ(grant.topics, std::vector<std::string>{"ann"});
  rules.roles_claim = rules.topics_claim = "groups";
  EXPECT_EQ(
    granted(issuer().claims({{"groups", {"a", "b"}}}), rules).topics,
    (std::vector<std::string>{"a", "b"}));
}

TEST(TokenClaims, AreBounded) {
  auto rules = token_issuer::rules();
  rules.max_roles = 2;
  rules.max_topics = 1;
  EXPECT_EQ(refused(issuer().claims({{"roles", {"a", "b"}}, {"topics", {"a"}}}), rules), "granted");
  EXPECT_EQ(
    refused(issuer().claims({{"roles", {"a", "b", "c"}}}), rules),
    "auth.roles_claim must be up to auth.max_roles roles");
  EXPECT_EQ(
    refused(issuer().claims({{"topics", {"a", "b"}}}), rules),
    "auth.topics_claim must be up to auth.max_topics patterns of topics");
  rules.max_roles = 0;
  EXPECT_NE(refused(issuer().claims({{"roles", "a"}}), rules), "granted");
  EXPECT_EQ(refused(issuer().claims({{"roles", json::array()}}), rules), "granted");
}

TEST(TokenClaims, ComeOnce) {
  auto text = issuer().claims().dump();
  for (const auto* twice :
       {R"("sub":"bob")", R"("exp":1800000600)", R"("iss":"https://issuer.example")",
        R"("aud":"herald")", R"("scope":"x")", R"("s\u0075b":"bob")"}) {
    const auto doubled = "{" + std::string{twice} + ',' + text.substr(1);
    EXPECT_TRUE(std::holds_alternative<std::string>(
      grant_of_claims(doubled, token_issuer::rules(), issuer().now)))
      << twice;
  }
  auto rules = token_issuer::rules();
  rules.roles_claim = "access.roles";
  for (const auto* twice :
       {R"("access":{"roles":["a"],"roles":["b"]})", R"("access":{"roles":["a"],"x":1,"x":2})"})
    EXPECT_TRUE(std::holds_alternative<std::string>(
      grant_of_claims("{" + std::string{twice} + ',' + text.substr(1), rules, issuer().now)))
      << twice;
}

TEST(TokenClaims, AreNotGrantedWhereNoIssuerIsSet) {
  auto rules = token_issuer::rules();
  rules.issuer = "";
  EXPECT_NE(refused(issuer().claims({{"iss", ""}}), rules), "granted");
  rules = token_issuer::rules();
  rules.audience = {};
  EXPECT_NE(refused(issuer().claims(), rules), "granted");
}

TEST(TokenClaims, AreAJsonObject) {
  for (const auto* text : {"", "[]", "7", "\"sub\"", "null", "{", "{}x", "\xff"})
    EXPECT_TRUE(std::holds_alternative<std::string>(
      grant_of_claims(text, token_issuer::rules(), issuer().now)))
      << text;
}

} // namespace
} // namespace herald
