// Pages of an external gateway that have to say who they are: herald looks at the requests of which
// the gateway tells.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/asked_application.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/gateway_facts.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/node_gateway.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/token_maker.hpp"
#include "tests/support/webhook_receiver.hpp"

namespace herald {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using nlohmann::json;

class GatewayWithTokens : public ::testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    start({});
    gateway = std::make_unique<node_gateway>(
      GetParam(), gateway_port,
      "http://127.0.0.1:" + std::to_string(herald_port) + "/api/sse/callback?secret=s");
  }

  void start(std::vector<std::string> more) {
    std::vector<std::string> arguments{
      "--api-port",
      std::to_string(herald_port),
      "--gateway-url",
      "http://127.0.0.1:" + std::to_string(gateway_port),
      "--callback-secret",
      "s",
      "--auth-mode",
      "required",
      "--auth-secret-file",
      secret,
      "--auth-issuer",
      "https://app.example",
      "--auth-audience",
      "herald",
      "--auth-topics-claim",
      "topics",
      "--auth-leeway-s",
      "0",
      "--config",
      settings};
    arguments.insert(arguments.end(), more.begin(), more.end());
    herald.reset();
    herald.emplace(arguments);
    api.emplace(herald_port);
  }

  static std::int64_t at(std::chrono::seconds from_now) {
    return std::chrono::duration_cast<std::chrono::seconds>(
             (std::chrono::system_clock::now() + from_now).time_since_epoch())
      .count();
  }
  std::string token(const json& more = json::object()) const {
    json claims{
      {"iss", "https://app.example"},
      {"aud", "herald"},
      {"sub", "ann"},
      {"iat", at(0s)},
      {"exp", at(1h)}};
    claims.update(more);
    return key.token(claims);
  }
  static std::string bearer(const std::string& token) {
    return "Authorization: Bearer " + token + "\r\n";
  }

  sse_client page(const std::string& id, const std::string& headers, std::string more = {}) const {
    return {gateway_port, stream_target(id) + std::move(more), headers};
  }
  /// The status with which a page is refused, in whichever way its gateway says so; 200: it is not.
  int status(const std::string& id, const std::string& headers, std::string more = {}) const {
    auto stream = page(id, headers, std::move(more));
    if (!stream.open())
      return stream.status();
    const auto& ways = gateway_facts().at("generations").at(GetParam());
    if (ways.at("rejected_statuses").empty())
      return 200;
    // It is rejected, or is ready.
    const auto first = stream.next();
    return first && first->name == "rejected" ? json::parse(first->data)["status"].get<int>() : 200;
  }

  /// The next event of herald's, in its gateway's envelope or without one.
  static std::string next(sse_client& stream) {
    auto event = stream.next();
    while (event && event->name == "ready")
      event = stream.next();
    if (!event)
      return "nothing";
    const auto data = json::parse(event->data, nullptr, false);
    if (event->name.empty() && data.contains("type"))
      return data["type"].get<std::string>() + " " + data["payload"].dump();
    return event->name + " " + event->data;
  }
  bool connected(std::size_t count) {
    return eventually([&] { return json_of(api->get("/api/connections"))["total"] == count; });
  }
  int publish(const json& event) { return api->post("/api/events", event.dump()).status; }

  temporary_folder folder;
  const std::string settings =
    folder.write("herald.json", R"({"stream":{"cors_origins":["https://app.example"]}})");
  const std::string secret = folder.write("secret", std::string(32, 's'));
  const signing_key key = signing_key::secret(std::string(32, 's'));
  const std::uint16_t herald_port = free_port();
  const std::uint16_t gateway_port = free_port();
  std::unique_ptr<node_gateway> gateway;
  std::optional<herald_process> herald;
  std::optional<http_client> api;
};

TEST_P(GatewayWithTokens, HearsWhatItsTokenGrants) {
  auto ann =
    page("p", bearer(token({{"roles", {"ops"}}, {"topics", {"orders/*"}}})), "&topic=orders/1");
  ASSERT_TRUE(ann.open());
  ASSERT_TRUE(connected(1));
  EXPECT_EQ(publish({{"event", "n"}, {"subject", "bob"}, {"data", 0}}), 202);
  EXPECT_EQ(publish({{"event", "n"}, {"subject", "ann"}, {"data", 1}}), 202);
  EXPECT_EQ(publish({{"event", "n"}, {"role", "ops"}, {"data", 2}}), 202);
  EXPECT_EQ(publish({{"event", "n"}, {"topic", "orders/1"}, {"data", 3}}), 202);
  EXPECT_EQ(publish({{"event", "n"}, {"request_id", "p"}, {"data", 4}}), 202);
  for (const auto* data : {"1", "2", "3", "4"})
    EXPECT_EQ(next(ann), "n " + std::string{data});
  const auto answer = json::parse(gateway->told("callback").at(0)["answer"].get<std::string>());
  EXPECT_EQ(answer["subject"], "ann");
  EXPECT_EQ(answer["role"], "ops");
  EXPECT_EQ(
    answer["bindings"], (json{"broadcast", "connection.70", "subject.616e6e", "role.6f7073"}));
}

TEST_P(GatewayWithTokens, RefusesWhoHasNoRight) {
  EXPECT_EQ(status("p", ""), 401);
  EXPECT_EQ(status("p", bearer("a.b.c")), 401);
  EXPECT_EQ(status("p", bearer(token({{"exp", at(-5s)}}))), 401);
  EXPECT_EQ(status("p", bearer(token()), "&topic=rooms/7"), 403);
  EXPECT_EQ(status("p", bearer(token()), "&ticket=x"), 400);
  const auto cookie = "Cookie: __Secure-herald=" + token() + "\r\n";
  EXPECT_EQ(status("p", cookie + "Origin: https://evil.example\r\n"), 403);
  EXPECT_EQ(json_of(api->get("/api/connections"))["total"], 0);
  auto mine = page("p", cookie + "Origin: https://app.example\r\n");
  ASSERT_TRUE(mine.open());
  EXPECT_EQ(status("p", bearer(token({{"sub", "bob"}}))), 403) << "the page is another's";
  EXPECT_EQ(metric(*api, R"(herald_auth_total{port="gateway",result="ok"})"), 2);
  EXPECT_EQ(herald->full_log().find("eyJ"), std::string::npos) << "no token is logged";
}

TEST_P(GatewayWithTokens, GoesByTheOriginsThatAreReadAgain) {
  const auto cookie = "Cookie: __Secure-herald=" + token() + "\r\nOrigin: https://new.example\r\n";
  EXPECT_EQ(status("p", cookie), 403);
  folder.write("herald.json", R"({"stream":{"cors_origins":["https://new.example"]}})");
  ASSERT_TRUE(herald->reload());
  EXPECT_EQ(status("p", cookie), 200);
}

TEST_P(GatewayWithTokens, TakesATicketOnce) {
  const auto answer = api->post("/api/tickets", R"({"subject":"ann","ttl_s":60})");
  ASSERT_EQ(answer.status, 201) << answer.body;
  const auto ticket = "&ticket=" + json_of(answer)["ticket"].get<std::string>();
  auto ann = page("p", "", ticket);
  ASSERT_TRUE(ann.open());
  ASSERT_TRUE(connected(1));
  EXPECT_EQ(publish({{"event", "n"}, {"subject", "ann"}, {"data", 1}}), 202);
  EXPECT_EQ(next(ann), "n 1");
  EXPECT_EQ(status("q", "", ticket), 401);
}

TEST_P(GatewayWithTokens, IsAskedAboutWhereTheApplicationSaysWhoItIs) {
  asked_application application;
  application.answer_with(R"({"subject":"ann"})");
  start({"--auth-secret-file", "", "--auth-authorize-url", application.url()});
  auto ann = page("p", "Cookie: session=1\r\nOrigin: https://app.example\r\n");
  ASSERT_TRUE(ann.open());
  ASSERT_TRUE(connected(1));
  EXPECT_EQ(publish({{"event", "n"}, {"subject", "ann"}, {"data", 1}}), 202);
  EXPECT_EQ(next(ann), "n 1");
  const auto asked = application.questions().at(0);
  EXPECT_EQ(asked.get_header_value("Cookie"), "session=1");
  EXPECT_EQ(asked.get_header_value("X-Original-URI"), stream_target("p"));
  application.answer_by(
    [](const httplib::Request&, httplib::Response& answer) { answer.status = 403; });
  EXPECT_EQ(status("q", ""), 403);
}

TEST_P(GatewayWithTokens, ComesBackWhereNobodyCanSayWhoItIs) {
  start(
    {"--auth-secret-file", "", "--auth-authorize-url",
     "http://127.0.0.1:" + std::to_string(free_port()) + "/"});
  auto later = page("p", "");
  ASSERT_TRUE(later.open()) << "any other status would be the last word";
  EXPECT_TRUE(later.wait_for_end());
  EXPECT_TRUE(connected(0));
}

TEST_P(GatewayWithTokens, EndsWithItsTokenAndWhenItIsRevoked) {
  auto ending = page("p", bearer(token({{"exp", at(3s)}})));
  auto revoked = page("q", bearer(token({{"jti", "7"}})));
  ASSERT_TRUE(ending.open());
  ASSERT_TRUE(revoked.open());
  EXPECT_TRUE(next(ending).starts_with(R"(expired {"expires_in_ms":)"));
  EXPECT_TRUE(ending.wait_for_end());
  EXPECT_EQ(api->post("/api/revocations", R"({"jti":"7"})").status, 204);
  EXPECT_TRUE(revoked.wait_for_end());
  EXPECT_EQ(status("q", bearer(token({{"jti", "7"}}))), 401);
}

TEST_P(GatewayWithTokens, EndsStreamsOfALifeWhoseRightsNobodyKnows) {
  const std::vector<std::string> journal{"--journal-path", folder / "journal.db"};
  start(journal);
  auto ann = page("p", bearer(token()));
  ASSERT_TRUE(ann.open());
  ASSERT_TRUE(connected(1));
  herald->kill();
  start(journal);
  EXPECT_TRUE(ann.wait_for_end());
  EXPECT_EQ(status("p", bearer(token({{"sub", "bob"}}))), 403) << "whose page it is, is known";
  EXPECT_EQ(status("p", bearer(token())), 200);
}

TEST_P(GatewayWithTokens, IsToldClosedBeforeAnythingOfTheLifeThatEndsIt) {
  webhook_receiver receiver;
  receiver.start();
  const std::vector<std::string> more{
    "--journal-path",
    folder / "journal.db",
    "--webhook-url",
    receiver.url(),
    "--webhook-secret-file",
    receiver.secret_file(),
    "--webhook-min-backoff-ms",
    "10",
    "--webhook-max-backoff-ms",
    "50"};
  start(more);
  auto ann = page("p", bearer(token({{"topics", {"orders/*"}}})), "&topic=orders/1");
  ASSERT_TRUE(ann.open());
  const std::vector<std::string> first{"stream.opened p", "topic.occupied orders/1"};
  ASSERT_EQ(receiver.told(first.size()), first);
  herald->kill();
  start(more);
  auto bob = page("q", bearer(token({{"sub", "bob"}})));
  ASSERT_TRUE(bob.open());
  EXPECT_TRUE(ann.wait_for_end()) << "of which the gateway tells as well";
  bob.close();
  const std::vector<std::string> all{"stream.opened p",         "topic.occupied orders/1",
                                     "stream.closed p restart", "topic.vacant orders/1",
                                     "stream.opened q",         "stream.closed q client_closed"};
  ASSERT_EQ(receiver.told(all.size()), all);
  const auto events = receiver.events();
  EXPECT_EQ(events[2]["data"]["token"], events[0]["data"]["token"]);
  EXPECT_EQ(events[2]["data"]["subject"], "ann");
}

INSTANTIATE_TEST_SUITE_P(
  Generation, GatewayWithTokens, ::testing::ValuesIn(generations()),
  [](const auto& generation) { return generation.param; });

} // namespace
} // namespace herald
