#include "http/config/config.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

std::string broken_key(const config& c) {
  const auto broken = validate(c);
  return broken ? broken->key : "";
}

TEST(Config, IsGoodByDefault) {
  EXPECT_EQ(broken_key({}), "");
}

TEST(Config, WantsASecretWhereOthersCanCallBack) {
  config c;
  c.gateway.url = "http://gateway:3000";
  EXPECT_EQ(broken_key(c), "") << "on a loopback address there may be none";
  for (const auto* host : {"0.0.0.0", "::", "10.0.0.1", "herald.internal"}) {
    c.api.host = host;
    EXPECT_EQ(broken_key(c), "callback.secret") << host;
  }
  c.api.open = true;
  c.callback.secret = "s";
  EXPECT_EQ(broken_key(c), "");
  c.callback.secret = "";
  c.gateway.url = "";
  EXPECT_EQ(broken_key(c), "") << "without a gateway nobody calls back";
}

TEST(Config, LeavesThreadsOfTheApiToOthersThanConnectsThatWait) {
  config c;
  c.api.max_connections = c.auth.max_waiting_callbacks;
  EXPECT_EQ(broken_key(c), "") << "without a gateway none waits";
  c.gateway.url = "http://gateway:3000";
  EXPECT_EQ(broken_key(c), "") << "nor where nobody is asked";
  c.auth.mode = auth_mode::required;
  EXPECT_EQ(broken_key(c), "auth.max_waiting_callbacks");
  ++c.api.max_connections;
  EXPECT_EQ(broken_key(c), "");
}

TEST(Config, IsOpenToOthersOnlyWhereThatIsMeant) {
  config c;
  for (const auto* host : {"0.0.0.0", "::", "10.0.0.1", "herald.internal"}) {
    c.api.host = host;
    c.api.open = false;
    c.api.keys.clear();
    EXPECT_EQ(broken_key(c), "api.host") << host;
    c.api.open = true;
    EXPECT_EQ(broken_key(c), "") << host;
    c.api.open = false;
    c.api.keys.emplace_back();
    EXPECT_EQ(broken_key(c), "") << host;
  }
  c.api.keys.clear();
  for (const auto* host : {"127.0.0.1", "::1", "localhost"}) {
    c.api.host = host;
    EXPECT_EQ(broken_key(c), "") << host;
  }
}

TEST(Config, IsAGatewayOrUsesOne) {
  config c;
  c.callback.url = "http://backend/api/sse/callback";
  EXPECT_EQ(broken_key(c), "");
  c.gateway.url = "http://gateway";
  EXPECT_EQ(broken_key(c), "gateway.url");
}

TEST(Config, WantsTwoPorts) {
  config c;
  c.stream.port = c.api.port;
  EXPECT_EQ(broken_key(c), "stream.port");
  c.auth.mode = auth_mode::none;
  c.stream.host = "0.0.0.0";
  EXPECT_EQ(broken_key(c), "stream.port") << "a wildcard includes the other's address";
  c.stream.host = "10.0.0.1";
  c.api.host = "0.0.0.0";
  c.api.open = true;
  EXPECT_EQ(broken_key(c), "stream.port") << "whichever of them it is";
  c.api.host = "127.0.0.1";
  EXPECT_EQ(broken_key(c), "");
  c.stream.host = c.api.host;
  c.gateway.url = "http://gateway";
  EXPECT_EQ(broken_key(c), "") << "the endpoint is off";
  c.gateway.url = "";
  c.stream.port = c.api.port = 0;
  EXPECT_EQ(broken_key(c), "") << "two free ports differ";
}

TEST(Config, SaysWhoMayHearWhereOthersReachTheStreams) {
  config c;
  EXPECT_EQ(broken_key(c), "") << "this machine alone";
  for (const auto* host : {"0.0.0.0", "::", "10.0.0.1", "herald.internal"}) {
    c.auth.mode = auth_mode::by_host;
    c.stream.host = host;
    EXPECT_EQ(broken_key(c), "auth.mode") << host;
    for (const auto mode : {auth_mode::none, auth_mode::optional, auth_mode::required}) {
      c.auth.mode = mode;
      EXPECT_EQ(broken_key(c), "") << host;
    }
  }
}

TEST(Config, LeavesItToTheBackendWhoMayHearAsAGatewayAndBehindOneAsksWhereItIsSaid) {
  config behind;
  behind.gateway.url = "http://gateway";
  config stand_in;
  stand_in.callback.url = "http://backend";
  config one_port;
  one_port.gateway.one_port = true;
  for (auto* c : {&behind, &stand_in, &one_port}) {
    c->stream.host = "0.0.0.0";
    EXPECT_EQ(broken_key(*c), "");
    c->auth.mode = auth_mode::none;
    EXPECT_EQ(broken_key(*c), "");
    c->auth.mode = auth_mode::required;
    EXPECT_EQ(broken_key(*c), c == &behind ? "" : "auth.mode");
  }
}

TEST(Config, HasRoomForItsLargestEvent) {
  config c;
  c.api.max_event_bytes = c.api.max_body_bytes + 1;
  EXPECT_EQ(broken_key(c), "api.max_event_bytes");
  c.api.max_event_bytes = c.stream.log_bytes / 8;
  c.stream.private_queue_bytes = c.api.max_event_bytes;
  EXPECT_EQ(broken_key(c), "");
  c.stream.private_queue_bytes -= 1;
  EXPECT_EQ(broken_key(c), "stream.private_queue_bytes");
  c.stream.private_queue_bytes += 1;
  c.stream.max_private_bytes = c.stream.private_queue_bytes;
  EXPECT_EQ(broken_key(c), "");
  c.stream.max_private_bytes -= 1;
  EXPECT_EQ(broken_key(c), "stream.max_private_bytes");
  c.stream.log_bytes -= 1;
  EXPECT_EQ(broken_key(c), "stream.log_bytes");
}

TEST(Config, WantsToKnowWhoSpeaksTheProxyProtocol) {
  config c;
  c.stream.proxy_protocol = true;
  EXPECT_EQ(broken_key(c), "stream.proxy_protocol");
  c.stream.trusted_proxies = {"10.0.0.0/8"};
  EXPECT_EQ(broken_key(c), "");
}

TEST(Config, HasRoomForItsLargestEventOnTheWayToAGateway) {
  config c;
  c.gateway.url = "http://gateway";
  c.stream.log_bytes = 1;
  EXPECT_EQ(broken_key(c), "") << "the endpoint is off";
  c.gateway.max_stream_bytes = c.api.max_event_bytes - 1;
  EXPECT_EQ(broken_key(c), "gateway.max_stream_bytes");
  c.gateway.max_stream_bytes = c.gateway.max_queue_bytes + 1;
  EXPECT_EQ(broken_key(c), "gateway.max_queue_bytes");
}

TEST(Config, KeepsTheNamesOfBuiltInTaskTypes) {
  for (const auto* name : {"demo", "failing", "external"}) {
    config c;
    c.tasks.commands[name].argv = {"/bin/true"};
    EXPECT_EQ(broken_key(c), std::string{"tasks.commands."} + name);
  }
  config c;
  c.tasks.commands["demo2"].argv = {"/bin/true"};
  EXPECT_EQ(broken_key(c), "");
}

TEST(Config, WantsToKnowWhoseTokensAreGoodAndForWhom) {
  for (const auto source : {&auth_options::secret_file, &auth_options::jwks_file}) {
    config c;
    c.auth.*source = "/keys";
    EXPECT_EQ(broken_key(c), "auth.issuer");
    c.auth.issuer = "https://issuer.example";
    EXPECT_EQ(broken_key(c), "auth.audience");
    c.auth.audience = {"herald"};
    EXPECT_EQ(broken_key(c), "");
  }
}

TEST(Config, WantsAnAlgorithmForEachSourceOfKeys) {
  config c;
  c.auth.issuer = "https://issuer.example";
  c.auth.audience = {"herald"};
  c.auth.secret_file = "/secret";
  c.auth.algorithms = {"ES256"};
  EXPECT_EQ(broken_key(c), "auth.algorithms");
  c.auth.secret_file = "";
  c.auth.jwks_url = "https://issuer.example/keys";
  EXPECT_EQ(broken_key(c), "");
  c.auth.algorithms = {"HS256"};
  EXPECT_EQ(broken_key(c), "auth.algorithms");
  c.auth.algorithms = {};
  EXPECT_EQ(broken_key(c), "auth.algorithms");
}

TEST(Config, TakesOneDocumentOfKeys) {
  config c;
  c.auth.issuer = "https://issuer.example";
  c.auth.audience = {"herald"};
  c.auth.jwks_url = "https://issuer.example/keys";
  c.auth.jwks_file = "/keys";
  EXPECT_EQ(broken_key(c), "auth.jwks_file");
}

TEST(Config, AsksTheApplicationWhereCredentialsAreAskedForAlone) {
  config c;
  c.auth.authorize_url = "https://app.example/authorize?key=a";
  for (const auto mode : {auth_mode::by_host, auth_mode::none}) {
    c.auth.mode = mode;
    EXPECT_EQ(broken_key(c), "auth.mode");
  }
  for (const auto mode : {auth_mode::optional, auth_mode::required}) {
    c.auth.mode = mode;
    EXPECT_EQ(broken_key(c), "") << "without any key";
  }
  c.callback.url = "http://backend";
  EXPECT_EQ(broken_key(c), "auth.mode") << "there the backend decides";
  c.callback.url = "";
  c.auth.authorize_url = "https://app.example/authorize?***";
  EXPECT_EQ(broken_key(c), "auth.authorize_url") << "it is masked";
}

TEST(Config, AsksWithPlainHttpElsewhereWhereThatIsWrittenDown) {
  config c;
  c.auth.mode = auth_mode::required;
  for (const auto* here : {"http://127.0.0.1:3000/a", "http://localhost/a", "http://[::1]/a"}) {
    c.auth.authorize_url = here;
    EXPECT_EQ(broken_key(c), "") << here;
  }
  for (const auto* elsewhere : {"http://app:3000/a", "http://10.0.0.1/a"}) {
    c.auth.authorize_url = elsewhere;
    c.auth.authorize_plain = false;
    EXPECT_EQ(broken_key(c), "auth.authorize_url") << elsewhere;
    c.auth.authorize_plain = true;
    EXPECT_EQ(broken_key(c), "") << elsewhere;
  }
}

TEST(Config, WantsAKeyForWebhooks) {
  config c;
  c.webhook.url = "https://backend/hooks";
  EXPECT_EQ(broken_key(c), "webhook.secret_file");
  c.webhook.keys = {std::string(24, 'k')};
  EXPECT_EQ(broken_key(c), "");
  c.webhook.min_backoff_ms = c.webhook.max_backoff_ms + std::chrono::milliseconds{1};
  EXPECT_EQ(broken_key(c), "webhook.min_backoff_ms");
}

TEST(Config, TakesNoMaskForASecret) {
  config secret;
  secret.callback.secret = masked_secret;
  EXPECT_EQ(broken_key(secret), "callback.secret");
  config callback;
  callback.callback.url = "http://backend/callback?***";
  EXPECT_EQ(broken_key(callback), "callback.url");
  config version;
  version.version.url = "http://backend/version?***";
  EXPECT_EQ(broken_key(version), "version.url");
  config webhook;
  webhook.webhook.url = "http://backend/hooks?***";
  EXPECT_EQ(broken_key(webhook), "webhook.url");
  config internal;
  internal.internal.secret = masked_secret;
  EXPECT_EQ(broken_key(internal), "internal.secret");
  config command;
  command.tasks.commands["build"] = {{"make"}, "", {{"KEY", masked_secret}}, std::nullopt};
  EXPECT_EQ(broken_key(command), "tasks.commands.build.env.KEY");
}

} // namespace
} // namespace herald
