#include <algorithm>
#include <csignal>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/child_program.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/standing_proxy.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

constexpr const char* event_source = HERALD_SOURCE_DIR "/tests/support/event_source.mjs";
constexpr const char* native_flag = "--experimental-eventsource";

std::vector<std::string> node_call(const std::string& kind, std::uint16_t port) {
  std::vector<std::string> call = {"node"};
  if (kind == "native")
    call.insert(call.end(), {native_flag, "--no-warnings"});
  const auto url = "http://127.0.0.1:" + std::to_string(port) + stream_target("page");
  call.insert(call.end(), {event_source, kind, url, "n", "gap", "version", "message"});
  return call;
}

/// An EventSource in a Node of its own, with no code of herald's.
class node_event_source {
public:
  node_event_source(const std::string& kind, std::uint16_t port)
    : program_(node_call(kind, port)) {}

  /// What has happened to it so far.
  [[nodiscard]] std::vector<json> happened(const std::string& type) const {
    std::vector<json> found;
    std::istringstream lines{program_.standard_output()};
    for (std::string line; std::getline(lines, line);)
      if (auto one = json::parse(line, nullptr, false); one.is_object() && one["type"] == type)
        found.push_back(std::move(one));
    return found;
  }
  [[nodiscard]] bool has(const std::string& type, std::size_t count) const {
    return eventually([&] { return happened(type).size() >= count; });
  }
  [[nodiscard]] std::vector<int> numbers() const {
    std::vector<int> received;
    for (const auto& event : happened("n"))
      received.push_back(std::stoi(event["data"].get<std::string>()));
    return received;
  }

private:
  child_program program_;
};

class NodeClient : public ::testing::TestWithParam<const char*> {
protected:
  void SetUp() override {
    if (!has_program("node"))
      GTEST_SKIP() << "node is not installed";
    if (
      GetParam() == std::string{"native"}
      && run_program({"node", native_flag, "-e", ""}).status != exited(0))
      GTEST_SKIP() << "this node has no EventSource";
  }
};

void publish(http_client& api, int number) {
  const json event = {{"event", "n"}, {"data", number}};
  EXPECT_EQ(api.post("/api/events", event.dump()).status, 202);
}

TEST_P(NodeClient, ComesBackAndMissesNothing) {
  herald_process herald{{"--stream-retry-ms", "100"}};
  http_client api{herald.api_port()};
  const node_event_source source{GetParam(), herald.stream_port()};
  ASSERT_TRUE(source.has("open", 1));
  int number = 0;
  for (std::size_t round = 1; round <= 3; ++round) {
    publish(api, number++);
    ASSERT_TRUE(source.has("n", static_cast<std::size_t>(number)));
    EXPECT_EQ(api.del("/api/connections/page").status, 204);
    publish(api, number++);
    publish(api, number++);
    ASSERT_TRUE(source.has("open", round + 1)) << "it comes back by itself";
    ASSERT_TRUE(source.has("n", static_cast<std::size_t>(number)));
  }
  const auto received = source.numbers();
  ASSERT_EQ(received.size(), static_cast<std::size_t>(number)) << "none twice";
  for (int i = 0; i < number; ++i)
    EXPECT_EQ(received[static_cast<std::size_t>(i)], i);
}

TEST_P(NodeClient, MissesNothingThatCameBeforeItsFirstEvent) {
  herald_process herald{{"--stream-retry-ms", "1000"}};
  http_client api{herald.api_port()};
  const node_event_source source{GetParam(), herald.stream_port()};
  ASSERT_TRUE(source.has("open", 1));
  EXPECT_EQ(api.del("/api/connections/page").status, 204);
  publish(api, 0);
  publish(api, 1);
  EXPECT_EQ(json_of(api.get("/api/connections"))["total"], 0) << "it is away";
  ASSERT_TRUE(source.has("n", 2));
  publish(api, 2);
  ASSERT_TRUE(source.has("n", 3));
  EXPECT_EQ(source.numbers(), (std::vector<int>{0, 1, 2}));
  EXPECT_TRUE(source.happened("message").empty()) << "its first block is no event";
}

TEST_P(NodeClient, ComesBackToAHeraldThatWasFull) {
  herald_process herald{{"--stream-max-streams", "1", "--stream-retry-ms", "100"}};
  http_client api{herald.api_port()};
  sse_client other{herald.stream_port(), stream_target("other")};
  ASSERT_TRUE(other.open());
  const node_event_source source{GetParam(), herald.stream_port()};
  const auto refused = "herald_stream_refused_total{reason=\"too_many\"}";
  ASSERT_TRUE(eventually([&] { return metric(api, refused) >= 2; })) << "it asks again";
  other.close();
  ASSERT_TRUE(eventually([&] {
    const auto all = json_of(api.get("/api/connections"))["connections"];
    return all.size() == 1 && all[0]["request_id"] == "page";
  }));
  publish(api, 7);
  ASSERT_TRUE(source.has("n", 1));
  EXPECT_EQ(source.numbers(), std::vector<int>{7});
}

/// Node's own EventSource gives up for good on one refused connect; behind a proxy that stays it
/// comes back however long herald is away.
TEST_P(NodeClient, ComesBackToAHeraldThatWasStartedAgain) {
  const std::vector<std::string> arguments = {
    "--stream-retry-ms", "100", "--shutdown-retry-window-ms", "0"};
  std::optional<herald_process> herald{arguments};
  standing_proxy proxy{herald->stream_port()};
  const node_event_source source{GetParam(), proxy.port()};
  ASSERT_TRUE(source.has("open", 1));
  EXPECT_EQ(herald->terminate(), exited(0));
  ASSERT_TRUE(eventually([&] { return proxy.told() >= 2; })) << "it comes while herald is away";
  herald.emplace(arguments);
  proxy.pass_to(herald->stream_port());
  http_client api{herald->api_port()};
  ASSERT_TRUE(eventually([&] { return json_of(api.get("/api/connections"))["total"] == 1; }));
  publish(api, 7);
  ASSERT_TRUE(source.has("n", 1));
  EXPECT_EQ(source.numbers(), std::vector<int>{7});
}

INSTANTIATE_TEST_SUITE_P(
  EventSource, NodeClient, ::testing::Values("native", "own"),
  [](const auto& kind) { return std::string{kind.param}; });

} // namespace
} // namespace herald
