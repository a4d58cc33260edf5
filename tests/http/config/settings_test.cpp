#include "http/config/settings.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http/clients/backend_client.hpp"
#include "http/config/config_file.hpp"
#include "http/service/service_parts.hpp"

namespace herald {
namespace {

const setting& row(std::string_view key) {
  const auto* s = find_setting(key);
  if (s == nullptr)
    throw std::out_of_range{std::string{key}};
  return *s;
}

/// A text that the setting takes and that is not its default.
std::string another_value(const setting& s) {
  if (s.is_bool())
    return std::get<bool>(value_of(config{}, s)) ? "false" : "true";
  if (const auto* range = std::get_if<number_range>(&s.rule)) {
    const auto now = std::get<std::int64_t>(value_of(config{}, s));
    return std::to_string(now == range->most ? now - 1 : now + 1);
  }
  if (s.key == "log.level")
    return "error";
  if (s.key == "log.format")
    return "json";
  if (s.key == "journal.sync")
    return "off";
  if (s.key == "stream.format")
    return "envelope";
  if (s.key == "gateway.format")
    return "mid";
  if (s.key == "tasks.audience")
    return "none";
  if (s.key == "stream.cors_origins")
    return "https://a.example,https://b.example";
  if (s.key == "api.origins")
    return "https://a.example,https://b.example";
  if (s.key == "stream.trusted_proxies")
    return "10.0.0.0/8,2001:db8::1";
  if (s.key.ends_with("hosts"))
    return "a.example,b";
  if (s.key.ends_with("host"))
    return "10.1.2.3";
  if (s.key == "auth.mode")
    return "required";
  if (s.key == "auth.algorithms")
    return "ES256";
  if (s.key == "auth.jwks_url")
    return "https://other.example/x";
  if (s.key.ends_with("url"))
    return "http://other.example/x";
  return "other";
}

TEST(Settings, HaveUniqueNames) {
  std::set<std::string> flags;
  std::set<std::string> variables;
  for (const auto& s : settings()) {
    EXPECT_TRUE(flags.insert(s.flag()).second) << s.key;
    EXPECT_TRUE(variables.insert(s.variable()).second) << s.key;
    EXPECT_EQ(std::count(s.key.begin(), s.key.end(), '.'), 1) << s.key;
    EXPECT_FALSE(s.help.empty()) << s.key;
  }
}

TEST(Settings, DeriveTheirNamesFromTheKey) {
  const auto& s = row("stream.heartbeat_s");
  EXPECT_EQ(s.flag(), "--stream-heartbeat-s");
  EXPECT_EQ(s.variable(), "HERALD_STREAM_HEARTBEAT_S");
  EXPECT_EQ(s.section(), "stream");
  EXPECT_EQ(s.unit(), "s");
  EXPECT_EQ(row("gateway.retry_ms").unit(), "ms");
  EXPECT_EQ(row("api.max_body_bytes").unit(), "bytes");
  EXPECT_EQ(row("stream.port").unit(), "");
}

TEST(Settings, HaveDefaultsThatObeyTheirRules) {
  config c;
  for (const auto& s : settings()) {
    if (s.file_only())
      continue;
    EXPECT_EQ(assign(c, s, value_of(config{}, s)), std::nullopt) << s.key;
  }
}

TEST(Settings, ChangeTheirOwnMemberAndNoOther) {
  for (const auto& s : settings()) {
    // There is one strategy only.
    if (s.file_only() || s.key == "supervision.strategy")
      continue;
    config c;
    ASSERT_EQ(assign_text(c, s, another_value(s)), std::nullopt) << s.key;
    for (const auto& other : settings())
      EXPECT_EQ(value_of(c, other) == value_of(config{}, other), other.key != s.key)
        << s.key << " against " << other.key;
  }
}

/// The settings that the parts are given, gathered from the options that they take.
config seen_by_parts(const config& given) {
  config seen;
  seen.api = api_options{given.api};
  const auto stream = stream_options_of(given);
  seen.stream = stream;
  seen.auth = stream.auth;
  seen.gateway = gateway_options{given.gateway};
  seen.callback = backend_client_options{given.callback};
  seen.history = given.history;
  seen.retain = given.retain;
  seen.journal = journal_options{given.journal};
  seen.version = given.version;
  seen.webhook = given.webhook;
  seen.tasks = task_options{given.tasks};
  seen.supervision = given.supervision;
  seen.shutdown = {given.shutdown.grace_s, stream.drain_retry_spread};
  seen.log = given.log;
  seen.testing = given.testing;
  const auto access = access_rules_of(given);
  seen.internal = {access.internal_secret, given.internal.secret_file};
  seen.limits = access.limits;
  return seen;
}

TEST(Settings, ReachThePartThatTheySetFromAFile) {
  for (const auto& s : settings()) {
    if (s.file_only() || s.key == "supervision.strategy")
      continue;
    config wanted;
    ASSERT_EQ(assign_text(wanted, s, another_value(s)), std::nullopt) << s.key;
    nlohmann::json file;
    std::visit(
      [&](const auto& value) {
        file[std::string{s.section()}][std::string{s.key.substr(s.section().size() + 1)}] = value;
      },
      value_of(wanted, s));
    config c;
    ASSERT_EQ(apply_config_file(c, file.dump()), std::nullopt);
    EXPECT_EQ(print_config(seen_by_parts(c)), print_config(wanted)) << s.key;
    EXPECT_NE(print_config(seen_by_parts(c)), print_config(config{})) << s.key;
  }
}

TEST(Settings, NameTheUnitOfATime) {
  config c;
  for (const auto& s : settings()) {
    const bool is_time =
      !s.file_only() && std::holds_alternative<std::chrono::milliseconds*>(s.member(c));
    EXPECT_EQ(s.unit() == "s" || s.unit() == "ms", is_time) << s.key;
  }
}

TEST(Settings, BindToTheMemberOfTheirName) {
  config c;
  EXPECT_EQ(assign_text(c, row("api.port"), "1"), std::nullopt);
  EXPECT_EQ(assign_text(c, row("stream.heartbeat_s"), "2"), std::nullopt);
  EXPECT_EQ(assign_text(c, row("gateway.timeout_ms"), "3"), std::nullopt);
  EXPECT_EQ(assign_text(c, row("stream.max_streams"), "4"), std::nullopt);
  EXPECT_EQ(assign_text(c, row("stream.cors_origins"), "https://a:1 , *"), std::nullopt);
  EXPECT_EQ(assign_text(c, row("callback.secret"), " s,t "), std::nullopt);
  EXPECT_EQ(assign_text(c, row("log.level"), "debug"), std::nullopt);
  EXPECT_EQ(assign_text(c, row("testing.enabled"), "true"), std::nullopt);
  EXPECT_EQ(c.api.port, 1);
  EXPECT_EQ(c.stream.heartbeat_s, std::chrono::seconds{2});
  EXPECT_EQ(c.gateway.timeout_ms, std::chrono::milliseconds{3});
  EXPECT_EQ(c.stream.max_streams, 4u);
  EXPECT_EQ(c.stream.cors_origins, (std::vector<std::string>{"https://a:1", "*"}));
  EXPECT_EQ(c.callback.secret, " s,t ");
  EXPECT_EQ(c.log.level, log::level::debug);
  EXPECT_TRUE(c.testing.enabled);
  EXPECT_EQ(assign_text(c, row("stream.cors_origins"), ""), std::nullopt);
  EXPECT_TRUE(c.stream.cors_origins.empty());
}

TEST(Settings, HoldNumbersToTheirBounds) {
  for (const auto& s : settings()) {
    const auto* range = std::get_if<number_range>(&s.rule);
    if (range == nullptr)
      continue;
    ASSERT_LT(range->least, range->most) << s.key;
    for (const auto good : {range->least, range->most}) {
      config c;
      EXPECT_EQ(assign(c, s, good), std::nullopt) << s.key;
      EXPECT_EQ(value_of(c, s), setting_value{good}) << s.key << " must hold its own bounds";
    }
    for (const auto bad : {range->least - 1, range->most + 1}) {
      config c;
      EXPECT_EQ(assign(c, s, bad), "must be " + s.requirement()) << s.key;
      EXPECT_EQ(value_of(c, s), value_of(config{}, s)) << s.key;
    }
  }
}

TEST(Settings, RefuseWhatTheyAreNot) {
  struct bad {
    const char* key;
    const char* text;
    const char* rule;
  };
  constexpr const char* port_rule = "must be a whole number from 0 to 65535";
  constexpr const char* host_rule = "must be an IP address or a host name";
  for (const auto& [key, text, rule] : std::vector<bad>{
         {"stream.port", "", port_rule},
         {"stream.port", "x", port_rule},
         {"stream.port", "80x", port_rule},
         {"stream.port", " 80", port_rule},
         {"stream.port", "+80", port_rule},
         {"stream.port", "0x50", port_rule},
         {"stream.port", "80.0", port_rule},
         {"stream.port", "-1", port_rule},
         {"stream.port", "65536", port_rule},
         {"stream.port", "99999999999999999999", port_rule},
         {"api.host", "", host_rule},
         {"api.host", "a b", host_rule},
         {"api.host", "127.0.0.1:80", host_rule},
         {"testing.enabled", "", "must be true or false"},
         {"testing.enabled", "1", "must be true or false"},
         {"testing.enabled", "True", "must be true or false"},
         {"log.level", "warn", "must be one of debug, info, warning, error"},
         {"log.format", "", "must be one of json, text"},
         {"callback.secret", "a\nb", "must be a text without control characters"},
         {"stream.cors_origins", "https://a/",
          "must be a list of origins such as https://example.org, or *"},
         {"api.origins", "*", "must be a list of origins such as https://example.org"},
         {"api.hosts", "a:80", "must be a list of host names, without ports"},
         {"stream.cors_origins", "null",
          "must be a list of origins such as https://example.org, or *"},
         {"stream.cors_origins", "*,,",
          "must be a list of origins such as https://example.org, or *"},
         {"tasks.commands", "{}", "can be set in the config file only"}}) {
    config c;
    EXPECT_EQ(assign_text(c, row(key), text), rule) << key << "=" << text;
    EXPECT_EQ(value_of(c, row(key)), value_of(config{}, row(key)));
  }
}

TEST(Settings, KnowWhichUrlsTheyTake) {
  const auto takes = [](const char* key, const char* url) {
    config c;
    return !assign_text(c, row(key), url);
  };
  for (const auto* key : {"gateway.url", "callback.url", "version.url", "webhook.url"}) {
    EXPECT_TRUE(takes(key, "")) << key;
    EXPECT_TRUE(takes(key, "http://host:3000/base")) << key;
    EXPECT_FALSE(takes(key, "host:3000")) << key;
    EXPECT_FALSE(takes(key, "http://user:password@host")) << key;
    EXPECT_EQ(takes(key, "https://host"), row(key).key != "gateway.url") << key;
    EXPECT_EQ(takes(key, "http://host/x?a=b"), row(key).key != "gateway.url") << key;
  }
}

TEST(Settings, TakeKeysByTlsOrFromThisMachine) {
  const auto takes = [](const char* url) {
    config c;
    return !assign_text(c, row("auth.jwks_url"), url);
  };
  EXPECT_TRUE(takes(""));
  EXPECT_TRUE(takes("https://issuer.example/keys?a=b"));
  EXPECT_TRUE(takes("http://127.0.0.1:8090/keys"));
  EXPECT_TRUE(takes("http://[::1]/keys"));
  EXPECT_TRUE(takes("http://localhost/keys"));
  EXPECT_FALSE(takes("http://issuer.example/keys"));
  EXPECT_FALSE(takes("http://127.0.0.1.issuer.example/keys"));
  EXPECT_FALSE(takes("https://user:password@issuer.example/keys"));
}

TEST(Settings, HoldClaimsToPaths) {
  const auto takes = [](const char* path) {
    config c;
    return !assign_text(c, row("auth.roles_claim"), path);
  };
  EXPECT_TRUE(takes("roles"));
  EXPECT_TRUE(takes("realm_access.roles"));
  EXPECT_TRUE(takes("https://issuer.example/roles"));
  for (const auto* path : {"", ".", ".roles", "roles.", "realm_access..roles", "a\nb"})
    EXPECT_FALSE(takes(path)) << path;
}

TEST(Settings, HideSecrets) {
  config c;
  EXPECT_EQ(shown_value(c, row("callback.secret")), setting_value{std::string{}});
  c.callback.secret = "hunter2";
  c.callback.url = "http://backend/callback?secret=hunter2";
  c.version.url = "http://backend/version";
  EXPECT_EQ(shown_value(c, row("callback.secret")), setting_value{std::string{"***"}});
  EXPECT_EQ(
    shown_value(c, row("callback.url")), setting_value{std::string{"http://backend/callback?***"}});
  EXPECT_EQ(
    shown_value(c, row("version.url")), setting_value{std::string{"http://backend/version"}});
}

} // namespace
} // namespace herald
