// What an SSE Gateway does for browsers and backends, row by row and generation by generation: the
// facts are gateway_facts.json's.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/callback_backend.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/gateway_facts.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/raw_client.hpp"
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
  /// The same with the bytes as they come; the head of the answer is read.
  [[nodiscard]] raw_client bare_page() const {
    raw_client client{herald->stream_port()};
    client.send("GET /any/path HTTP/1.1\r\nHost: gateway\r\n\r\n");
    EXPECT_EQ(client.read_reply(true).status, 200);
    return client;
  }
  /// Sends to the stream that has come first, or to another.
  json send(json order, std::size_t stream = 0) const {
    std::vector<json> connects;
    for (const auto& callback : backend.callbacks())
      if (callback["action"] == "connect")
        connects.push_back(callback);
    order["token"] = connects.at(stream)["token"];
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
  for (const auto* name : {"version", "connection_close", "ready", "rejected"}) {
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
      const auto& messages = gateway_facts().at("page").at("rejected_messages");
      const json data = {{"status", status}, {"message", messages.at(std::to_string(status))}};
      EXPECT_EQ(json::parse(event.data, nullptr, false), data);
      EXPECT_EQ(stream.header("content-type"), "text/event-stream");
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
  EXPECT_EQ(backend.callbacks().size(), 5u) << "asked once each, and told of no end";
}

TEST_P(GatewayProtocol, Section1StatusesThatOpenAStream) {
  run();
  const auto& accepted = gateway_facts().at("callback").at("accepted");
  for (const int status :
       {accepted.at("least").get<int>(), 201, 204, accepted.at("most").get<int>()}) {
    verdict = status;
    EXPECT_TRUE(page().open()) << status;
  }
}

TEST_P(GatewayProtocol, Section1BodiesOfAnswers) {
  run();
  for (
    const auto* body :
    {"", "no JSON", "[]", R"({"request_id":1,"bindings":"broadcast"})",
     R"({"request_id":"abc","subject":"s","role":"r","bindings":["broadcast","connection.abc"]})"}) {
    backend.answer_with(body);
    auto stream = page();
    EXPECT_TRUE(stream.open()) << body;
    expect_ready(stream);
  }
  backend.answer_with(std::string(200'000, 'x'));
  EXPECT_TRUE(page().open());
}

TEST_P(GatewayProtocol, Section1TargetsAsTheyWereSent) {
  run();
  for (const std::string target :
       {"/", "/api/sse/stream?request_id=abc", "/a%20b/%C3%A9?q=%2B+&q=2&q", "//x/../y?"}) {
    const auto before = backend.callbacks().size();
    sse_client stream{herald->stream_port(), target};
    ASSERT_TRUE(stream.open()) << target;
    stream.close();
    ASSERT_TRUE(eventually([&] { return backend.callbacks().size() == before + 2; }));
    for (const auto i : {before, before + 1})
      EXPECT_EQ(backend.callbacks()[i]["request"]["url"], target);
  }
}

TEST_P(GatewayProtocol, Section1HeadersThatComeTwice) {
  run();
  const std::vector<std::string> names = {"x-a",     "accept-language", "cookie",
                                          "referer", "user-agent",      "set-cookie"};
  std::string headers;
  for (const auto& name : names)
    headers += name + ": 1\r\n" + name + ": 2\r\n";
  sse_client stream{herald->stream_port(), "/", headers};
  ASSERT_TRUE(stream.open());
  const auto shown = backend.callbacks().at(0)["request"]["headers"];
  for (const auto& name : names)
    EXPECT_EQ(shown[name], shown_header(name, {"1", "2"})) << name;
}

TEST_P(GatewayProtocol, Section1ABrowserThatLeavesWhileTheBackendDecides) {
  std::promise<void> gone;
  std::atomic<bool> waits = true;
  before_answer = [&, left = gone.get_future().share()](const json&) {
    if (waits.exchange(false))
      left.wait();
  };
  run();
  auto leaves = page();
  ASSERT_TRUE(eventually([&] { return backend.callbacks().size() == 1; }));
  leaves.close();
  http_client api{herald->api_port()};
  EXPECT_TRUE(eventually([&] { return metric(api, "herald_callback_waiting_streams") == 0; }));
  gone.set_value();
  EXPECT_EQ(send(event("n", "1")), send_answer_of("unknown_token").body);
  auto next = page();
  ASSERT_TRUE(next.open());
  next.close();
  ASSERT_TRUE(eventually([&] { return backend.callbacks().size() == 3; }));
  EXPECT_EQ(backend.callbacks()[2]["token"], backend.callbacks()[1]["token"]);
}

TEST_P(GatewayProtocol, Section1AStreamThatCannotBeWrittenTo) {
  run({"--api-max-event-bytes", "100000", "--stream-private-queue-bytes", "100000"});
  const auto stream = bare_page();
  const json order = {{"event", {{"data", std::string(99'000, 'x')}}}};
  // Until herald knows that nobody reads; the kernel takes some MB before.
  for (int i = 0; i < 1000 && send(order) == send_answer_of("sent").body; ++i) {
  }
  EXPECT_EQ(send(order), send_answer_of("unknown_token").body);
  ASSERT_TRUE(eventually([&] { return backend.callbacks().size() == 2; }));
  EXPECT_EQ(
    backend.callbacks()[1]["reason"],
    gateway_facts().at("callback").at("reasons").at("write_failed"));
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
  EXPECT_TRUE(bare_page().wait_for(gateway_facts().at("page").at("heartbeat").get<std::string>()))
    << "its empty line, too";
}

TEST_P(GatewayProtocol, Section3BytesOfFrames) {
  run();
  auto stream = bare_page();
  EXPECT_TRUE(stream.wait_for(ways().at("ready").get<std::string>()));
  send(event("n", R"({"a":1})"));
  EXPECT_TRUE(stream.wait_for(
    ways().at("envelope") ? "data: {\"type\":\"n\",\"payload\":{\"a\":1}}\n\n"
                          : "event: n\ndata: {\"a\":1}\n\n"));
  send({{"event", {{"data", "one\ntwo"}}}});
  EXPECT_TRUE(stream.wait_for("data: one\ndata: two\n\n"));
}

TEST_P(GatewayProtocol, Section2OneOrderForOneStreamInTheirOrder) {
  run();
  std::vector<sse_client> pages;
  for (int i = 0; i < 2; ++i) {
    pages.push_back(page());
    ASSERT_TRUE(pages.back().open());
    expect_ready(pages.back());
  }
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(
      send(event("n", std::to_string(i).c_str()), static_cast<std::size_t>(i % 2)),
      send_answer_of("sent").body);
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(pages[static_cast<std::size_t>(i % 2)].next(), shown("n", std::to_string(i)));
}

TEST_P(GatewayProtocol, Section2PartsOfAnOrder) {
  run();
  auto stream = page();
  ASSERT_TRUE(stream.open());
  expect_ready(stream);
  for (const json& order :
       {json::object(), json{{"close", false}}, json{{"unknown", {1, 2}}},
        json{{"event", {{"data", "1"}, {"id", "7"}}}, {"close", false}}})
    EXPECT_EQ(send(order), send_answer_of("sent").body) << order;
  EXPECT_EQ(stream.next(), (sse_event{"", "", "1"})) << "what nobody knows is passed over";
  EXPECT_EQ(send({{"close", true}}), send_answer_of("sent").body);
  EXPECT_TRUE(stream.wait_for_end());
}

TEST_P(GatewayProtocol, Section2OrdersFromInsideOfTheConnectCloseToo) {
  before_answer = [this](const json&) {
    auto last = event("last", "1");
    last["close"] = true;
    EXPECT_EQ(send(last), send_answer_of("not_open_yet").body);
  };
  run();
  auto stream = page();
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(stream.next(), shown("last", "1"));
  EXPECT_TRUE(stream.wait_for_end());
}

/// Gateways tell nobody.
TEST_P(GatewayProtocol, Section5TellsTheBackendOfItsStreamsWhenItEnds) {
  run();
  auto stream = page();
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(herald->terminate(), exited(0));
  EXPECT_TRUE(stream.wait_for_end());
  ASSERT_EQ(backend.callbacks().size(), 2u);
  EXPECT_EQ(backend.callbacks()[1]["action"], "disconnect");
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
  const int idle_ms = gateway_facts().at("send").at("idle_timeout_ms");
  EXPECT_TRUE(
    unknown.header("keep-alive").starts_with("timeout=" + std::to_string(idle_ms / 1000)));
}

TEST_P(GatewayProtocol, Section3Probes) {
  run();
  http_client port{herald->stream_port()};
  for (const auto& [path, fact] : {std::pair{"/healthz", "healthz"}, {"/readyz", "ready"}}) {
    const auto reply = port.get(path);
    EXPECT_EQ(reply.status, gateway_facts().at("probes").at(fact).at("status"));
    EXPECT_EQ(json_of(reply), gateway_facts().at("probes").at(fact).at("body"));
    EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
  }
  EXPECT_TRUE(backend.callbacks().empty()) << "no streams";
}

TEST_P(GatewayProtocol, Section3AGatewayWithoutABackend) {
  herald = std::make_unique<herald_process>(
    std::vector<std::string>{"gateway", "--gateway-format", setting()});
  http_client port{herald->stream_port()};
  EXPECT_EQ(port.get("/healthz").status, 200);
  const auto ready = port.get("/readyz");
  const auto& fact = gateway_facts().at("probes").at("not_ready");
  EXPECT_EQ(ready.status, fact.at("status"));
  EXPECT_EQ(json_of(ready), fact.at("body"));
  auto stream = page();
  expect_refusal(stream, "not_configured");
  const auto log = herald->full_log();
  EXPECT_NE(log.find("warning gateway not_configured what="), std::string::npos) << log;
}

INSTANTIATE_TEST_SUITE_P(
  Generations, GatewayProtocol, ::testing::Values("1", "mid", "2"),
  [](const auto& generation) { return "Of" + std::string{generation.param}; });

} // namespace
} // namespace herald
