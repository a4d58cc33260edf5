// What an SSE Gateway does for browsers and backends, row by row and generation by generation: the
// facts are gateway_facts.json's.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/callback_backend.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/gateway_facts.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

/// A backend and a herald in front of it that is a gateway of one generation.
class GatewayProtocol : public ::testing::TestWithParam<const char*> {
protected:
  void run(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {
      "gateway", "--callback-url", backend.url(), "--gateway-format", setting()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    herald = std::make_unique<herald_process>(std::move(arguments));
  }

  /// Its name as a setting.
  [[nodiscard]] static std::string setting() {
    const std::string name = GetParam();
    return name == "mid" ? name : "v" + name;
  }
  [[nodiscard]] static const json& ways() {
    return gateway_facts().at("generations").at(GetParam());
  }
  [[nodiscard]] static bool rejects(int status) {
    const auto& all = ways().at("rejected_statuses");
    return std::find(all.begin(), all.end(), status) != all.end();
  }
  static void expect_ready(sse_client& page) {
    if (ways().at("ready") == "")
      return;
    EXPECT_EQ(page.next(), (sse_event{"", "ready", ""}));
  }

  [[nodiscard]] sse_client page() const { return {herald->stream_port(), "/any/path?x=1"}; }
  json send(json order) const {
    order["token"] = backend.callbacks().at(0)["token"];
    return json_of(http_client{herald->stream_port()}.post("/internal/send", order.dump()));
  }
  static json event(const char* name, const char* data) {
    return {{"event", {{"name", name}, {"data", data}}}};
  }
  /// The event as a page of this generation sees it.
  static sse_event shown(const std::string& name, const std::string& data) {
    const auto& named = ways().at("stays_named");
    if (!ways().at("envelope") || std::find(named.begin(), named.end(), name) != named.end())
      return {"", name, data};
    return {"", "", R"({"type":")" + name + R"(","payload":)" + data + "}"};
  }
  /// Expects an error that a fact of `page.refusals` has.
  static void expect_refusal(sse_client& page, const char* fact) {
    const auto& wanted = gateway_facts().at("page").at("refusals").at(fact);
    EXPECT_FALSE(page.open());
    EXPECT_TRUE(page.wait_for_end());
    EXPECT_EQ(page.status(), wanted.at("status"));
    const json error = {{"message", wanted.at("message")}, {"code", wanted.at("code")}};
    EXPECT_EQ(json::parse(page.body(), nullptr, false).value("error", json{}), error)
      << page.body();
  }

  std::atomic<int> verdict = 200;
  std::function<void(const json&)> before_answer = [](const json&) {
  };
  callback_backend backend{[this](const json& callback) {
    before_answer(callback);
    return verdict.load();
  }};
  std::unique_ptr<herald_process> herald;
};

TEST_P(GatewayProtocol, Section3HeadOfAStream) {
  run();
  auto stream = page();
  ASSERT_TRUE(stream.open());
  for (const auto& [name, value] : gateway_facts().at("page").at("head").items())
    EXPECT_EQ(stream.header(name), value) << name;
}

TEST_P(GatewayProtocol, Section3FramesAndReady) {
  run();
  auto stream = page();
  ASSERT_TRUE(stream.open());
  expect_ready(stream);
  for (const auto* name : {"version", "connection_close"}) {
    EXPECT_EQ(send(event(name, R"({"a":1})")), send_answer_of("sent").body);
    EXPECT_EQ(stream.next(), shown(name, R"({"a":1})"));
  }
  EXPECT_EQ(send({{"event", {{"data", "x"}}}}), send_answer_of("sent").body);
  EXPECT_EQ(stream.next(), (sse_event{"", "", "x"})) << "without a name there is no envelope";
}

TEST_P(GatewayProtocol, Section5EventsOfTheConnectComeBeforeReady) {
  before_answer = [this](const json&) {
    EXPECT_EQ(send(event("early", "1")), send_answer_of("not_open_yet").body);
  };
  run();
  auto stream = page();
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(stream.next(), shown("early", "1"));
  send(event("late", "2"));
  expect_ready(stream);
  EXPECT_EQ(stream.next(), shown("late", "2"));
}

TEST_P(GatewayProtocol, Section1RefusalsOfTheBackend) {
  run();
  const auto& fact = gateway_facts().at("page").at("refusals").at("backend_refused");
  for (const int status : {400, 401, 403, 404, 500}) {
    verdict = status;
    auto stream = page();
    EXPECT_EQ(stream.open(), rejects(status)) << status;
    if (rejects(status)) {
      const auto event = stream.next().value_or(sse_event{});
      EXPECT_EQ(event.name, "rejected");
      EXPECT_EQ(json::parse(event.data, nullptr, false).value("status", 0), status);
      EXPECT_TRUE(stream.wait_for_end());
      continue;
    }
    EXPECT_TRUE(stream.wait_for_end());
    EXPECT_EQ(stream.status(), status);
    const auto error = json::parse(stream.body(), nullptr, false).value("error", json::object());
    EXPECT_EQ(
      error.value("code", ""),
      fact.at("codes").value(std::to_string(status), fact.at("code").get<std::string>()));
    EXPECT_EQ(error.value("message", ""), fact.at("message"));
  }
}

TEST_P(GatewayProtocol, Section3ABackendThatIsAway) {
  run({"--callback-url", "http://127.0.0.1:" + std::to_string(free_port()) + "/callback"});
  auto stream = page();
  expect_refusal(stream, "backend_away");
}

TEST_P(GatewayProtocol, Section3ABackendThatIsLate) {
  std::promise<void> release;
  before_answer = [released = release.get_future().share()](const json&) {
    released.wait();
  };
  run({"--callback-timeout-ms", "300"});
  auto stream = page();
  expect_refusal(stream, "backend_late");
  release.set_value();
}

TEST_P(GatewayProtocol, Section3Heartbeats) {
  run({"--stream-heartbeat-s", "1"});
  auto stream = page();
  ASSERT_TRUE(stream.open());
  EXPECT_TRUE(stream.wait_for_comment("heartbeat"));
}

TEST_P(GatewayProtocol, Section2OneCloseWithTheLastEvent) {
  run();
  auto stream = page();
  ASSERT_TRUE(stream.open());
  expect_ready(stream);
  auto last = event("last", "1");
  last["close"] = true;
  EXPECT_EQ(send(last), send_answer_of("sent").body);
  EXPECT_EQ(stream.next(), shown("last", "1"));
  EXPECT_TRUE(stream.wait_for_end());
  ASSERT_TRUE(eventually([&] { return backend.callbacks().size() == 2; }));
  EXPECT_EQ(
    backend.callbacks()[1]["reason"],
    gateway_facts().at("callback").at("reasons").at("backend_closed"));
  EXPECT_EQ(send({}), send_answer_of("unknown_token").body);
}

TEST_P(GatewayProtocol, Section5DataWithALineBreakBreaksNoFrame) {
  run();
  auto stream = page();
  ASSERT_TRUE(stream.open());
  expect_ready(stream);
  send(event("n", "{\n\"a\":1}"));
  EXPECT_EQ(stream.next(), shown("n", "{\n\"a\":1}"));
}

TEST_P(GatewayProtocol, Section1FieldsOfCallbacks) {
  run();
  auto stream = page();
  ASSERT_TRUE(stream.open());
  stream.close();
  ASSERT_TRUE(eventually([&] { return backend.callbacks().size() == 2; }));
  for (const auto& callback : backend.callbacks()) {
    const auto& fields = gateway_facts().at("callback").at(callback["action"].get<std::string>());
    EXPECT_EQ(callback.size(), fields.size()) << callback;
    for (const std::string field : fields)
      EXPECT_TRUE(callback.contains(field)) << field;
    EXPECT_EQ(callback["request"]["url"], "/any/path?x=1");
  }
}

TEST_P(GatewayProtocol, Section2ErrorsOfOrders) {
  run();
  http_client port{herald->stream_port()};
  for (const auto& [order, code, message] : broken_orders("t")) {
    const auto answer = port.post("/internal/send", order.dump());
    EXPECT_EQ(answer.status, status_of_broken_order());
    const json error = {{"code", code}, {"message", message}};
    EXPECT_EQ(json_of(answer)["error"], error) << order;
  }
  const auto unknown = port.post("/internal/send", R"({"token":"t"})");
  EXPECT_EQ(unknown.status, send_answer_of("unknown_token").status);
  EXPECT_EQ(json_of(unknown), send_answer_of("unknown_token").body);
  EXPECT_EQ(port.connections(), 1u) << "kept alive";
}

TEST_P(GatewayProtocol, Section3Probes) {
  run();
  http_client port{herald->stream_port()};
  EXPECT_EQ(port.get("/healthz").status, 200);
  const auto ready = port.get("/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(json_of(ready)["configured"], true);
  EXPECT_EQ(ready.header("access-control-allow-origin"), "*");
  EXPECT_TRUE(backend.callbacks().empty()) << "no streams";
}

TEST_P(GatewayProtocol, Section3AGatewayWithoutABackend) {
  herald = std::make_unique<herald_process>(
    std::vector<std::string>{"gateway", "--gateway-format", setting()});
  http_client port{herald->stream_port()};
  EXPECT_EQ(port.get("/healthz").status, 200);
  const auto ready = port.get("/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(json_of(ready), (json{{"status", "not_ready"}, {"configured", false}}));
  auto stream = page();
  expect_refusal(stream, "not_configured");
}

INSTANTIATE_TEST_SUITE_P(
  Generations, GatewayProtocol, ::testing::Values("1", "mid", "2"),
  [](const auto& generation) { return "Of" + std::string{generation.param}; });

} // namespace
} // namespace herald
