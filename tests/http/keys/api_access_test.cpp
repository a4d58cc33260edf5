#include "http/keys/api_access.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/log_capture.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

/// The access of an API with three keys, and who asks it.
class ApiAccess : public ::testing::Test {
protected:
  ApiAccess() {
    shop = add("shop", {scope::events_publish, scope::tasks_report});
    ops = add("ops", {scope::admin});
    reader = add("reader", {scope::events_read});
    rules.limits.failed_auth_per_min = 0;
    rules.internal_secret = "internal!";
    rules.callback_secret = "callback!";
  }

  std::string add(const std::string& name, const std::vector<scope>& scopes) {
    const auto text = new_api_key();
    api_key key;
    key.name = name;
    key.sha256 = hex_of(sha256_of(text));
    for (const auto which : scopes)
      key.scopes.add(which);
    rules.keys.push_back(key);
    return text;
  }

  api_access& access() {
    if (!access_)
      access_.emplace(rules, seal, numbers);
    return *access_;
  }

  static std::string bearer(const std::string& key) { return "Bearer " + key; }

  /// What a request comes to: `headers` are values of Authorization.
  api_access::verdict ask(
    const std::string& method, const std::string& pattern, const std::vector<std::string>& headers,
    const std::string& query = {}) {
    head.method = method;
    head.target = pattern + query;
    head.headers.clear();
    for (const auto& value : headers)
      head.headers.emplace_back("Authorization", value);
    return access().check(question(method, pattern), now);
  }

  access_question question(const std::string& method, const std::string& pattern) {
    method_ = method;
    pattern_ = pattern;
    return {head, method_, pattern_, arguments, from};
  }

  /// The status of a refusal; 0: there is none.
  static int status(const api_access::verdict& verdict) {
    return verdict.refusal ? verdict.refusal->status : 0;
  }

  static std::string header(const api_access::verdict& verdict, const std::string& name) {
    if (verdict.refusal)
      for (const auto& [key, value] : verdict.refusal->headers)
        if (key == name)
          return value;
    return {};
  }

  [[nodiscard]] double counted(const std::string& result) const {
    return testing::metric(numbers, "herald_auth_total{port=\"api\",result=\"" + result + "\"}");
  }

  access_rules rules;
  task_seal seal{random_secret()};
  metrics numbers;
  request_head head;
  std::vector<std::string> arguments;
  client_address from{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
  api_access::time_point now{1h};
  std::string shop;
  std::string ops;
  std::string reader;

private:
  std::string method_;
  std::string pattern_;
  std::optional<api_access> access_;
};

TEST_F(ApiAccess, AsksNobodyWithoutKeysAndSecrets) {
  rules = {};
  EXPECT_FALSE(access().active());
  for (const auto& row : scope_table()) {
    const auto verdict = ask(std::string{row.method}, std::string{row.pattern}, {});
    EXPECT_EQ(status(verdict), 0) << row.pattern;
    EXPECT_EQ(verdict.caller, nullptr);
  }
}

TEST_F(ApiAccess, LetsAKeyDoWhatItsScopesSayAndNothingElse) {
  const std::vector<std::pair<std::string, api_key>> keys = {
    {shop, rules.keys[0]}, {ops, rules.keys[1]}, {reader, rules.keys[2]}};
  for (const auto& row : scope_table())
    for (const auto& [text, key] : keys) {
      const auto verdict = ask(std::string{row.method}, std::string{row.pattern}, {bearer(text)});
      const bool may = row.by == pass::open || row.by == pass::any_key
                       || (row.by != pass::callback_secret && key.scopes.has(row.needs));
      const int refused = row.by == pass::callback_secret ? 401 : 403;
      EXPECT_EQ(status(verdict), may ? 0 : refused) << key.name << " " << row.pattern;
      if (may && row.by != pass::open) {
        EXPECT_EQ(verdict.caller->key.name, key.name);
      }
    }
}

TEST_F(ApiAccess, RefusesWhoHasNoKeyEverywhereButAtHealthChecks) {
  for (const auto& row : scope_table())
    EXPECT_EQ(
      status(ask(std::string{row.method}, std::string{row.pattern}, {})),
      row.by == pass::open ? 0 : 401)
      << row.pattern;
  EXPECT_EQ(status(ask("OPTIONS", "", {})), 401);
  const auto verdict = ask("POST", "/api/events", {});
  EXPECT_EQ(header(verdict, "WWW-Authenticate"), R"(Bearer realm="herald")");
  EXPECT_EQ(verdict.refusal->content_type, "application/problem+json");
}

TEST_F(ApiAccess, HasOneTextForAllWrongKeys) {
  const auto wrong = ask("POST", "/api/events", {bearer(new_api_key())});
  EXPECT_EQ(status(wrong), 401);
  EXPECT_EQ(header(wrong, "WWW-Authenticate"), R"(Bearer realm="herald", error="invalid_token")");
  for (const auto& value :
       {std::string{"Bearer "}, std::string{"Bearer x"}, "Basic " + shop, shop,
        bearer(shop.substr(0, 49)), bearer(shop + "A"), bearer("herald_task_" + shop.substr(7)),
        bearer(rules.keys[0].sha256), std::string{}}) {
    const auto verdict = ask("POST", "/api/events", {value});
    EXPECT_EQ(status(verdict), 401) << value;
    EXPECT_EQ(verdict.refusal->body, wrong.refusal->body) << value;
    EXPECT_EQ(verdict.refusal->headers, wrong.refusal->headers) << value;
  }
  EXPECT_EQ(status(ask("POST", "/api/events", {"bearer   " + shop})), 0);
}

TEST_F(ApiAccess, NamesTheScopeThatIsMissing) {
  const auto verdict = ask("DELETE", "/api/connections", {bearer(shop)});
  EXPECT_EQ(status(verdict), 403);
  EXPECT_EQ(
    header(verdict, "WWW-Authenticate"),
    R"(Bearer realm="herald", error="insufficient_scope", scope="connections:close")");
}

TEST_F(ApiAccess, RefusesTwoWaysAtOnce) {
  for (const auto& verdict :
       {ask("POST", "/api/events", {bearer(shop), bearer(shop)}),
        ask("POST", "/api/events", {bearer(shop)}, "?access_token=" + shop),
        ask("POST", "/internal/send", {bearer("internal!")}, "?secret=internal!"),
        ask("POST", "/internal/send", {}, "?secret=internal!&secret=internal!"),
        ask("POST", "/internal/send", {}, "?secret=internal!&access_token=" + ops),
        ask("POST", "/internal/send", {}, "?access_token=" + ops + "&secret=internal!")}) {
    EXPECT_EQ(status(verdict), 400);
    EXPECT_EQ(
      header(verdict, "WWW-Authenticate"), R"(Bearer realm="herald", error="invalid_request")");
  }
  // In the query alone a key is not even looked at.
  const auto untried = ask("POST", "/api/events", {}, "?access_token=" + shop);
  EXPECT_EQ(status(untried), 401);
  EXPECT_EQ(header(untried, "WWW-Authenticate"), R"(Bearer realm="herald")");
  EXPECT_EQ(counted("missing"), 1);
}

TEST_F(ApiAccess, TakesTheSecretOfInternalSendInTwoPlaces) {
  EXPECT_EQ(status(ask("POST", "/internal/send", {}, "?secret=internal!")), 0);
  EXPECT_EQ(status(ask("POST", "/internal/send", {bearer("internal!")})), 0);
  EXPECT_EQ(status(ask("POST", "/internal/send", {bearer(ops)})), 0);
  EXPECT_EQ(status(ask("POST", "/internal/send", {bearer(shop)})), 403);
  EXPECT_EQ(status(ask("POST", "/internal/send", {}, "?secret=internal")), 401);
  EXPECT_EQ(status(ask("POST", "/internal/send", {}, "?secret=")), 401);
  EXPECT_EQ(status(ask("POST", "/internal/send", {}, "?secret=callback!")), 401);
  EXPECT_EQ(status(ask("POST", "/internal/send", {})), 401);
}

TEST_F(ApiAccess, TakesTheSecretOfCallbacksFromTheirUrl) {
  EXPECT_EQ(status(ask("POST", "/api/sse/callback", {}, "?secret=callback!")), 0);
  EXPECT_EQ(status(ask("POST", "/api/sse/callback", {"Basic x"}, "?secret=callback!")), 0);
  for (const auto* query :
       {"", "?secret=", "?secret=callback", "?secret=callback!x", "?secret=%"}) {
    const auto verdict = ask("POST", "/api/sse/callback", {}, query);
    EXPECT_EQ(status(verdict), 401) << query;
    EXPECT_EQ(header(verdict, "WWW-Authenticate"), R"(Secret realm="callback")");
  }
  EXPECT_EQ(status(ask("POST", "/api/sse/callback", {bearer(ops)})), 401);
}

TEST_F(ApiAccess, ClosesWhatHasNoSecretWhereThereAreKeys) {
  rules.internal_secret.clear();
  rules.callback_secret.clear();
  EXPECT_EQ(status(ask("POST", "/internal/send", {}, "?secret=")), 401);
  EXPECT_EQ(status(ask("POST", "/internal/send", {})), 401);
  EXPECT_EQ(status(ask("POST", "/api/sse/callback", {}, "?secret=")), 401);
  rules.keys.clear();
  access().replace(rules);
  EXPECT_EQ(status(ask("POST", "/internal/send", {})), 0);
  EXPECT_EQ(status(ask("POST", "/api/sse/callback", {})), 0);
}

TEST_F(ApiAccess, AsksForASecretAlsoWithoutKeys) {
  rules.keys.clear();
  EXPECT_TRUE(access().active());
  EXPECT_EQ(status(ask("POST", "/internal/send", {})), 401);
  EXPECT_EQ(status(ask("POST", "/internal/send", {}, "?secret=internal!")), 0);
  EXPECT_EQ(status(ask("POST", "/api/sse/callback", {})), 401);
  EXPECT_EQ(status(ask("POST", "/api/events", {})), 0);
}

TEST_F(ApiAccess, LetsTheTokenOfATaskReportOnThatTaskAlone) {
  const task_id mine{"11111111-2222-4333-8444-555555555555"};
  const auto token = bearer(seal.token_of(mine));
  for (const auto& row : scope_table()) {
    arguments = {mine.str()};
    const bool reports = row.by == pass::task;
    const auto method = std::string{row.method};
    const auto pattern = std::string{row.pattern};
    if (row.by != pass::open) {
      EXPECT_EQ(status(ask(method, pattern, {token})), reports ? 0 : 401) << row.pattern;
    }
    arguments = {"11111111-2222-4333-8444-555555555556"};
    if (row.by != pass::open) {
      EXPECT_EQ(status(ask(method, pattern, {token})), 401) << row.pattern;
    }
  }
  EXPECT_EQ(counted("ok"), 0);
}

TEST_F(ApiAccess, SlowsThoseWhoFailDownBeforeItLooksAtWhatTheyGive) {
  rules.limits.failed_auth_per_min = 2;
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(status(ask("POST", "/api/events", {bearer("x")})), 401);
  for (const auto& verdict :
       {ask("POST", "/api/events", {bearer("x")}), ask("POST", "/api/events", {bearer(shop)}),
        ask("POST", "/internal/send", {}, "?secret=internal!"),
        ask("POST", "/api/sse/callback", {}, "?secret=callback!")}) {
    EXPECT_EQ(status(verdict), 429);
    const auto later = std::stoi(header(verdict, "Retry-After"));
    EXPECT_GE(later, 30);
    EXPECT_LE(later, 60);
  }
  // Who asks without trying is told what to do, and health is for all.
  EXPECT_EQ(status(ask("POST", "/api/events", {})), 401);
  EXPECT_EQ(status(ask("GET", "/healthz", {bearer("x")})), 0);
  from.back() = 2;
  EXPECT_EQ(status(ask("POST", "/api/events", {bearer(shop)})), 0);
  from.back() = 1;
  now += 31s;
  EXPECT_EQ(status(ask("POST", "/api/events", {bearer(shop)})), 0);
  EXPECT_EQ(counted("invalid"), 2);
  EXPECT_EQ(counted("limited"), 4);
  EXPECT_EQ(counted("missing"), 1);
}

TEST_F(ApiAccess, CountsWrongSecretsAsWrongKeys) {
  rules.limits.failed_auth_per_min = 2;
  EXPECT_EQ(status(ask("POST", "/api/sse/callback", {}, "?secret=x")), 401);
  EXPECT_EQ(status(ask("POST", "/internal/send", {}, "?secret=x")), 401);
  EXPECT_EQ(status(ask("POST", "/api/events", {bearer(shop)})), 429);
}

TEST_F(ApiAccess, BoundsTheAddressesThatItKnows) {
  rules.limits.failed_auth_per_min = 1;
  rules.limits.max_addresses = 2;
  for (std::uint8_t i = 1; i <= 4; ++i) {
    from.back() = i;
    EXPECT_EQ(status(ask("POST", "/api/events", {bearer("x")})), 401);
  }
  EXPECT_EQ(testing::metric(numbers, "herald_auth_addresses_forgotten_total"), 2);
}

TEST_F(ApiAccess, HoldsAKeyToItsRate) {
  rules.keys[0].rate = publish_limits{2, 0};
  const auto verdict = ask("POST", "/api/events", {bearer(shop)});
  ASSERT_EQ(status(verdict), 0);
  verdict.caller->published(now, 3, 10);
  const auto late = ask("POST", "/api/events", {bearer(shop)});
  EXPECT_EQ(status(late), 429);
  EXPECT_GE(std::stoi(header(late, "Retry-After")), 1);
  EXPECT_EQ(counted("over_rate"), 1);
  // What is no publish goes on, and so do others.
  EXPECT_EQ(status(ask("POST", "/api/tasks/{id}/fail", {bearer(shop)})), 0);
  EXPECT_EQ(status(ask("POST", "/api/events", {bearer(ops)})), 0);
  now += 1s;
  EXPECT_EQ(status(ask("POST", "/api/events", {bearer(shop)})), 0);
}

TEST_F(ApiAccess, HoldsAKeyToItsRateWithVersionsToo) {
  const auto press = add("press", {scope::versions_write});
  rules.keys.back().rate = publish_limits{2, 0};
  const auto verdict = ask("POST", "/api/versions", {bearer(press)});
  ASSERT_EQ(status(verdict), 0);
  verdict.caller->published(now, 3, 10);
  EXPECT_EQ(status(ask("POST", "/api/versions", {bearer(press)})), 429);
}

TEST_F(ApiAccess, ForgetsKeysThatAreTakenAway) {
  EXPECT_EQ(status(ask("POST", "/api/events", {bearer(shop)})), 0);
  const auto other = add("other", {scope::events_publish});
  rules.keys.erase(rules.keys.begin());
  access().replace(rules);
  EXPECT_EQ(status(ask("POST", "/api/events", {bearer(shop)})), 401);
  EXPECT_EQ(status(ask("POST", "/api/events", {bearer(other)})), 0);
}

TEST_F(ApiAccess, LogsWhoDidWhatAndWhoWasRefused) {
  const testing::log_capture log;
  const auto deny = ask("DELETE", "/api/connections", {bearer(shop)}, "?subject=ann");
  ASSERT_EQ(status(deny), 403);
  const auto lines = log.lines("refused");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(
    lines[0], R"(warning access refused why=insufficient_scope key=shop address=192.0.2.1 )"
              R"(route="DELETE /api/connections" target=/api/connections)");
  const auto let = ask("DELETE", "/api/connections", {bearer(ops)}, "?subject=ann");
  access().note(question("DELETE", "/api/connections"), let.caller, 200, now);
  EXPECT_EQ(
    log.lines("act"),
    std::vector<std::string>{
      R"(info access act key=ops address=192.0.2.1 route="DELETE /api/connections" )"
      R"(target=/api/connections status=200)"});
  // Everyday traffic is counted alone.
  const auto plain = ask("POST", "/api/events", {bearer(shop)});
  access().note(question("POST", "/api/events"), plain.caller, 202, now);
  EXPECT_EQ(log.lines("act").size(), 1u);
  EXPECT_EQ(counted("ok"), 2);
}

TEST_F(ApiAccess, CountsWhatHandlersRefuseAKey) {
  const testing::log_capture log;
  const auto verdict = ask("POST", "/api/events", {bearer(shop)});
  access().note(question("POST", "/api/events"), verdict.caller, 403, now);
  EXPECT_EQ(counted("insufficient_scope"), 1);
  EXPECT_EQ(counted("ok"), 0);
  EXPECT_EQ(log.lines("refused").size(), 1u);
}

TEST_F(ApiAccess, LogsNoKeysTokensAndSecrets) {
  const testing::log_capture log;
  rules.limits.failed_auth_per_min = 1000;
  const auto stray = new_api_key();
  const auto token = seal.token_of(task_id{"t"});
  for (const auto& row : scope_table())
    for (const auto& given : {shop, ops, stray, token, std::string{"internal!"}}) {
      const auto method = std::string{row.method};
      const auto pattern = std::string{row.pattern};
      for (const auto& query : {std::string{}, "?secret=" + given, "?access_token=" + given}) {
        const auto verdict = ask(method, pattern, {bearer(given)}, query);
        if (!verdict.refusal)
          access().note(question(method, pattern), verdict.caller, 200, now);
      }
    }
  // Somebody has mistaken a key for the name of a page.
  head.target = "/api/connections/" + stray;
  const auto verdict = access().check(question("DELETE", "/api/connections/{request_id}"), now);
  EXPECT_EQ(status(verdict), 401);
  std::string all = numbers.render();
  for (const auto* event : {"refused", "act"})
    for (const auto& line : log.lines(event))
      all += line + "\n";
  EXPECT_NE(all.find("key=shop"), std::string::npos);
  for (const auto& secret : {shop, ops, stray, token, std::string{"internal!"}})
    EXPECT_EQ(all.find(secret), std::string::npos) << all;
}

TEST_F(ApiAccess, DoesNotFillTheLogForThoseWhoAskWithoutAKey) {
  rules.limits.failed_auth_per_min = 3;
  const testing::log_capture log;
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(status(ask("POST", "/api/events", {})), 401);
  EXPECT_EQ(log.lines("refused").size(), 3u);
  EXPECT_EQ(counted("missing"), 10);
  rules.limits.failed_auth_per_min = 5;
  access().replace(rules);
  from.back() = 2;
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(status(ask("POST", "/api/events", {})), 401);
  EXPECT_EQ(log.lines("refused").size(), 3u + 5u) << "as the settings say now";
}

TEST_F(ApiAccess, LogsTheNetworkOfAnAddressThatIsCountedByIt) {
  const testing::log_capture log;
  from = {0x20, 0x01, 0x0d, 0xb8, 0, 7};
  EXPECT_EQ(status(ask("POST", "/api/events", {})), 401);
  const auto lines = log.lines("refused");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find(" address=2001:db8:7::/64 "), std::string::npos) << lines[0];
}

} // namespace
} // namespace herald
