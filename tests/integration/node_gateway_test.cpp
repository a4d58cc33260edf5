#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/child_program.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/gateway_facts.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/node_gateway.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

/// An event as a page sees it, in whichever way its gateway wraps it.
struct page_event {
  std::string name;
  json data;

  friend bool operator==(const page_event& a, const page_event& b) {
    return a.name == b.name && a.data == b.data;
  }
  friend std::ostream& operator<<(std::ostream& out, const page_event& e) {
    return out << e.name << " " << e.data;
  }
};

/// herald with a gateway of one of the generations.
class NodeGateway : public ::testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    if (!has_program("node"))
      GTEST_SKIP() << "node is not installed";
    start_gateway();
    start_herald({});
  }

  void start_gateway() {
    gateway.emplace(
      GetParam(), gateway_port,
      "http://127.0.0.1:" + std::to_string(herald_port) + "/api/sse/callback?secret=s");
  }

  void start_herald(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {
      "--api-port",        std::to_string(herald_port),
      "--gateway-url",     "http://127.0.0.1:" + std::to_string(gateway_port),
      "--callback-secret", "s"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    herald.reset();
    herald.emplace(arguments);
    api.emplace(herald_port);
  }

  [[nodiscard]] sse_client open(const std::string& id) const {
    sse_client stream{gateway_port, stream_target(id)};
    EXPECT_TRUE(stream.open()) << stream.body();
    return stream;
  }

  static page_event unwrap(const sse_event& event) {
    auto data = json::parse(event.data, nullptr, false);
    if (event.name.empty() && data.contains("type"))
      return {data["type"], data["payload"]};
    return {event.name, std::move(data)};
  }

  /// The next event of herald's; what the gateway adds of its own is passed over.
  static page_event next(sse_client& stream) {
    auto event = stream.next();
    while (event && event->name == "ready")
      event = stream.next();
    return event ? unwrap(*event) : page_event{"nothing", nullptr};
  }

  json post(const std::string& target, const json& body, int expected) {
    const auto answer = api->post(target, body.dump());
    EXPECT_EQ(answer.status, expected) << answer.body;
    return json_of(answer);
  }

  bool connected(std::size_t count) {
    return eventually(
      [&] { return json_of(api->get("/api/connections?limit=1"))["total"] == count; });
  }

  /// The gateway answers the next sends with this.
  void break_sends(int times, int status, const std::string& code) const {
    const json fault = {{"times", times}, {"status", status}, {"code", code}};
    EXPECT_EQ(http_client{gateway_port}.post("/testing/faults", fault.dump()).status, 200);
  }

  std::uint16_t herald_port = free_port();
  std::uint16_t gateway_port = free_port();
  std::optional<node_gateway> gateway;
  std::optional<herald_process> herald;
  std::optional<http_client> api;
};

TEST_P(NodeGateway, IsAnsweredWhatItUnderstands) {
  const auto stream = open("a%20b");
  const auto callback = gateway->told("callback").at(0);
  EXPECT_EQ(callback["status"], 200);
  const auto answer = json::parse(callback["answer"].get<std::string>());
  EXPECT_TRUE(answer["request_id"].get<std::string>().starts_with("612062~")) << answer;
  EXPECT_EQ(answer["bindings"], (json{"broadcast", "connection.612062"}));
}

TEST_P(NodeGateway, GetsBroadcastAndTargetedEventsToItsStreams) {
  auto one = open("one");
  auto two = open("two");
  post("/api/events", {{"event", "all"}, {"data", {{"text", "grüße \"x\"\n"}}}}, 202);
  post("/api/events", {{"event", "whisper"}, {"data", 1}, {"request_id", "two"}}, 202);
  const auto answer = post("/api/events?wait=true", {{"event", "end"}, {"data", nullptr}}, 200);
  EXPECT_EQ(answer["delivered"], 2);
  const page_event all{"all", {{"text", "grüße \"x\"\n"}}};
  const page_event end{"end", nullptr};
  EXPECT_EQ(next(one), all);
  EXPECT_EQ(next(one), end);
  EXPECT_EQ(next(two), all);
  EXPECT_EQ(next(two), (page_event{"whisper", 1}));
  EXPECT_EQ(next(two), end);
}

TEST_P(NodeGateway, KeepsTheOrderOfAStream) {
  auto stream = open("page");
  for (int i = 0; i < 100; ++i)
    post("/api/events", {{"event", "n"}, {"data", i}}, 202);
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(next(stream), (page_event{"n", i}));
}

TEST_P(NodeGateway, OpensAStreamWithItsPendingVersion) {
  post("/api/versions", {{"request_id", "page"}, {"version", "2"}}, 202);
  for (int connect = 0; connect < 5; ++connect) {
    auto stream = open("page");
    EXPECT_EQ(next(stream), (page_event{"version", {{"version", "2"}}}));
  }
}

TEST_P(NodeGateway, IsToldToCloseAReplacedStream) {
  auto older = open("page");
  auto newer = open("page");
  EXPECT_EQ(next(older).name, "replaced");
  EXPECT_TRUE(older.wait_for_end());
  EXPECT_TRUE(connected(1));
  post("/api/events?wait=true", {{"event", "n"}, {"data", 1}}, 200);
  EXPECT_EQ(next(newer), (page_event{"n", 1}));
}

TEST_P(NodeGateway, IsToldToCloseAStream) {
  auto stream = open("page");
  EXPECT_EQ(api->del("/api/connections/page").status, 204);
  EXPECT_TRUE(stream.wait_for_end());
}

TEST_P(NodeGateway, TellsWhoHasLeft) {
  auto stays = open("stays");
  open("leaves").close();
  EXPECT_TRUE(connected(1));
}

TEST_P(NodeGateway, PassesOnThatAPageIsRefused) {
  sse_client stream{gateway_port, stream_target("a:b")};
  const auto& rejected = gateway_facts().at("generations").at(GetParam()).at("rejected_statuses");
  if (std::find(rejected.begin(), rejected.end(), 400) == rejected.end()) {
    EXPECT_FALSE(stream.open());
    EXPECT_EQ(stream.status(), 400);
  } else {
    EXPECT_TRUE(stream.open());
    const auto event = stream.next("rejected").value_or(sse_event{});
    EXPECT_EQ(json::parse(event.data, nullptr, false)["status"], 400);
    EXPECT_TRUE(stream.wait_for_end());
  }
  EXPECT_TRUE(connected(0));
}

TEST_P(NodeGateway, ShowsTheStepsOfATask) {
  auto stream = open("page");
  post("/api/tasks", {{"type", "demo"}, {"params", {{"steps", 2}, {"delay", 0}}}}, 202);
  std::vector<std::string> kinds;
  while (kinds.empty() || kinds.back() != "task_completed") {
    const auto event = next(stream);
    ASSERT_EQ(event.name, "task_event");
    kinds.push_back(event.data["event_type"]);
  }
  EXPECT_EQ(kinds.front(), "task_started");
}

TEST_P(NodeGateway, ForgetsItsStreamsWhenItIsStartedAgain) {
  auto old = open("page");
  auto other = open("other");
  gateway->kill();
  start_gateway();
  EXPECT_TRUE(old.wait_for_end());
  old.reconnect();
  ASSERT_TRUE(old.open());
  const auto answer = post("/api/events?wait=true", {{"event", "n"}, {"data", 1}}, 200);
  EXPECT_EQ(answer["delivered"], 1);
  EXPECT_EQ(next(old), (page_event{"n", 1}));
  EXPECT_TRUE(connected(1)) << "404 has told of the other";
}

TEST_P(NodeGateway, IsAskedAgainInOrderAfterErrorsOfItsOwn) {
  auto stream = open("page");
  break_sends(3, 500, "INTERNAL_ERROR");
  for (int i = 0; i < 10; ++i)
    post("/api/events", {{"event", "n"}, {"data", i}}, 202);
  for (int i = 0; i < 10; ++i)
    ASSERT_EQ(next(stream), (page_event{"n", i}));
  EXPECT_TRUE(connected(1));
}

TEST_P(NodeGateway, LosesAStreamThatItCannotWriteTo) {
  auto stream = open("page");
  break_sends(1, 500, "WRITE_FAILED");
  const auto answer = post("/api/events?wait=true", {{"event", "n"}, {"data", 1}}, 200);
  EXPECT_EQ(answer["failed"], 1);
  EXPECT_TRUE(connected(0));
}

TEST_P(NodeGateway, RefusesAnEventAloneThatIsTooLargeForIt) {
  auto stream = open("page");
  const std::string large(150 * 1024, 'x');
  const auto answer = post("/api/events?wait=true", {{"event", "n"}, {"data", large}}, 200);
  EXPECT_EQ(answer["failed"], 1);
  post("/api/events?wait=true", {{"event", "n"}, {"data", 2}}, 200);
  EXPECT_EQ(next(stream), (page_event{"n", 2}));
  EXPECT_TRUE(connected(1));
}

TEST_P(NodeGateway, MayCloseAConnectionThatWasQuiet) {
  auto stream = open("page");
  post("/api/events?wait=true", {{"event", "n"}, {"data", 1}}, 200);
  // Node closes after 5 s without a word. What is left is the stream.
  ASSERT_TRUE(eventually([&] { return gateway->told("sockets").back()["sockets"] == 1; }));
  const auto answer = post("/api/events?wait=true", {{"event", "n"}, {"data", 2}}, 200);
  EXPECT_EQ(answer["delivered"], 1);
  EXPECT_EQ(next(stream), (page_event{"n", 1}));
  EXPECT_EQ(next(stream), (page_event{"n", 2}));
  EXPECT_EQ(herald->full_log().find("gateway_down"), std::string::npos) << "no reason for alarm";
}

/// What `gateway_facts.json` says of headers is what Node does, whose HTTP server gateways use.
TEST_P(NodeGateway, ShowsHeadersAsTheFactsSay) {
  std::vector<std::string> names = {"x-a", "accept-language"};
  const auto& rules = gateway_facts().at("headers");
  for (const auto* const list : {"first_counts", "arrays"})
    for (const std::string name : rules.at(list))
      // Node refuses a second Content-Length, and the first Host is the client's own.
      if (name != "content-length" && name != "host")
        names.push_back(name);
  for (const auto& [name, separator] : rules.at("separators").items())
    names.push_back(name);
  std::string headers;
  for (const auto& name : names)
    headers += name + ": 1\r\n" + name + ": 2\r\n";
  sse_client stream{gateway_port, stream_target("page"), headers};
  ASSERT_TRUE(stream.open());
  const auto shown = gateway->told("callback").at(0)["request"]["headers"];
  for (const auto& name : names)
    EXPECT_EQ(shown[name], shown_header(name, {"1", "2"})) << name;
}

INSTANTIATE_TEST_SUITE_P(
  Generation, NodeGateway, ::testing::ValuesIn(generations()),
  [](const auto& generation) { return generation.param; });

} // namespace
} // namespace herald
