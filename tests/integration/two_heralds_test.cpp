#include <algorithm>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/herald_pair.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using json = nlohmann::json;

/// A backend and a stand-in for its gateway: what holds for one herald holds for the two.
class TwoHeralds : public ::testing::Test {
protected:
  json post(std::string_view target, const json& body, int expected) {
    const auto answer = api.post(target, body.dump());
    EXPECT_EQ(answer.status, expected) << answer.body;
    return json_of(answer);
  }

  [[nodiscard]] sse_client open(const std::string& id) const {
    sse_client stream{heralds.stream_port(), stream_target(id)};
    EXPECT_TRUE(stream.open()) << stream.body();
    return stream;
  }

  bool connected(std::size_t count) {
    return eventually(
      [&] { return json_of(api.get("/api/connections?limit=1"))["total"] == count; });
  }

  herald_pair heralds;
  http_client api{heralds.api_port()};
};

TEST_F(TwoHeralds, KeepTheOrderOfEveryStream) {
  constexpr int publishers = 4;
  constexpr int each = 25;
  constexpr std::size_t count = publishers * each;
  auto streams = open_streams(heralds.stream_port(), 40);
  std::vector<std::thread> publishing;
  for (int publisher = 0; publisher < publishers; ++publisher)
    publishing.emplace_back([port = heralds.api_port(), publisher] {
      http_client own{port};
      for (int i = 0; i < each; ++i) {
        const json event = {{"event", "note"}, {"data", {publisher, i}}};
        EXPECT_EQ(own.post("/api/events", event.dump()).status, 202);
      }
    });
  EXPECT_TRUE(read_until(streams, [&] {
    return std::all_of(streams.begin(), streams.end(), [](const sse_client& stream) {
      return stream.events().size() >= count;
    });
  }));
  for (auto& thread : publishing)
    thread.join();
  const auto answer = post("/api/events?wait=true", {{"event", "end"}, {"data", nullptr}}, 200);
  EXPECT_EQ(answer["delivered"], streams.size());
  EXPECT_EQ(answer["failed"], 0);
  for (auto& stream : streams)
    EXPECT_TRUE(read_until({&stream, 1}, [&] { return stream.events().size() > count; }));
  for (const auto& stream : streams)
    EXPECT_EQ(stream.events(), streams.front().events());
}

TEST_F(TwoHeralds, SendATargetedEventToItsStreamAlone) {
  auto streams = open_streams(heralds.stream_port(), 5);
  post("/api/events", {{"event", "whisper"}, {"data", 1}, {"request_id", "page-2"}}, 202);
  post("/api/events?wait=true", {{"event", "end"}, {"data", 1}}, 200);
  for (std::size_t i = 0; i < streams.size(); ++i) {
    EXPECT_TRUE(streams[i].next("end"));
    EXPECT_EQ(streams[i].events().size(), i == 2 ? 2u : 1u) << i;
  }
}

TEST_F(TwoHeralds, SendAPendingVersionBeforeAnythingElse) {
  post("/api/versions", {{"request_id", "page"}, {"version", "2.0"}}, 202);
  for (int connect = 0; connect < 20; ++connect) {
    auto stream = open("page");
    EXPECT_EQ(stream.next(), (sse_event{"", "version", R"({"version":"2.0"})"}));
  }
}

TEST_F(TwoHeralds, ReplaceAnOlderStreamOfTheSamePage) {
  auto older = open("page");
  auto newer = open("page");
  EXPECT_TRUE(older.next("replaced"));
  EXPECT_TRUE(older.wait_for_end());
  EXPECT_TRUE(connected(1));
  post("/api/events?wait=true", {{"event", "n"}, {"data", 1}}, 200);
  EXPECT_TRUE(newer.next("n"));
  EXPECT_FALSE(newer.ended());
}

TEST_F(TwoHeralds, KnowWhoIsConnected) {
  auto streams = open_streams(heralds.stream_port(), 3);
  const auto list = json_of(api.get("/api/connections"));
  EXPECT_EQ(list["total"], 3);
  EXPECT_EQ(list["connections"][0]["transport"], "gateway");
  EXPECT_EQ(api.del("/api/connections/page-1").status, 204);
  EXPECT_TRUE(streams[1].wait_for_end());
  streams[0].close();
  EXPECT_TRUE(connected(1)) << "the gateway tells who has left";
}

TEST_F(TwoHeralds, PassOnWhyAStreamIsRefused) {
  const auto status = [&](const std::string& target) {
    sse_client stream{heralds.stream_port(), target};
    EXPECT_FALSE(stream.open()) << target;
    return stream.status();
  };
  EXPECT_EQ(status("/api/sse/stream"), 400);
  EXPECT_EQ(status(stream_target("a:b")), 400);
  EXPECT_EQ(status(stream_target("a%3Ab")), 400);
  heralds.backend().kill();
  EXPECT_EQ(status(stream_target("page")), 503);
  heralds.start_backend();
  EXPECT_EQ(open("page").status(), 200);
}

TEST(TwoHeraldsThatDisagree, OpenNoStream) {
  herald_pair heralds{{"--callback-secret", "another"}};
  sse_client stream{heralds.stream_port(), stream_target("page")};
  EXPECT_FALSE(stream.open());
  EXPECT_EQ(stream.status(), 401);
}

TEST_F(TwoHeralds, ShowTheStepsOfATask) {
  auto streams = open_streams(heralds.stream_port(), 2);
  post("/api/tasks", {{"type", "demo"}, {"params", {{"steps", 3}, {"delay", 0}}}}, 202);
  for (auto& stream : streams) {
    std::string kind;
    while (kind != "task_completed") {
      const auto event = stream.next("task_event");
      ASSERT_TRUE(event);
      kind = json::parse(event->data)["event_type"];
    }
  }
}

TEST_F(TwoHeralds, GiveUpATokenThatTheGatewayDoesNotKnow) {
  // A gateway that lost a connect would know no such token either.
  http_client gateway_calls{heralds.api_port()};
  const json connect = {
    {"action", "connect"},
    {"token", "nobody-has-this"},
    {"request", {{"url", stream_target("ghost")}, {"headers", json::object()}}}};
  EXPECT_EQ(
    gateway_calls
      .post(std::string{"/api/sse/callback?secret="} + herald_pair::secret, connect.dump())
      .status,
    200);
  auto stream = open("page");
  const auto answer = post("/api/events?wait=true", {{"event", "n"}, {"data", 1}}, 200);
  EXPECT_EQ(answer["recipients"], 2);
  EXPECT_EQ(answer["delivered"], 1);
  EXPECT_EQ(answer["failed"], 1);
  EXPECT_TRUE(stream.next("n"));
  EXPECT_TRUE(connected(1));
}

TEST_F(TwoHeralds, EndInAnyOrderWithStreamsOpen) {
  auto streams = open_streams(heralds.stream_port(), 3);
  EXPECT_EQ(heralds.gateway().terminate(), exited(0));
  for (auto& stream : streams) {
    EXPECT_TRUE(stream.wait_for_end());
    EXPECT_TRUE(stream.retry());
  }
  EXPECT_TRUE(connected(0)) << "a gateway that ends says so";
  EXPECT_EQ(heralds.backend().terminate(), exited(0));
}

TEST(GatewayLoss, IsFoundOutByWhoeverSends) {
  herald_pair heralds{{"--gateway-retry-ms", "1000"}};
  http_client api{heralds.api_port()};
  auto streams = open_streams(heralds.stream_port(), 20);
  heralds.gateway().kill();
  for (auto& stream : streams)
    EXPECT_TRUE(stream.wait_for_end());

  // Nobody there: tried again until it is too old, then counted as lost. The connections stay.
  const auto answer = json_of(api.post("/api/events?wait=true", R"({"event":"n","data":0})"));
  EXPECT_EQ(answer["recipients"], 20);
  EXPECT_EQ(answer["failed"], 20);
  EXPECT_EQ(json_of(api.get("/api/connections?limit=1"))["total"], 20);
  EXPECT_EQ(metric(api, R"(sse_gateway_events_sent_total{service="event",status="error"})"), 20);

  // Back, and it knows none of the tokens: 404 tells.
  heralds.start_gateway();
  auto fresh = open_streams(heralds.stream_port(), 5, "fresh-");
  EXPECT_EQ(api.post("/api/events", R"({"event":"n","data":1})").status, 202);
  for (auto& stream : fresh)
    EXPECT_EQ(stream.next("n").value_or(sse_event{}).data, "1");
  EXPECT_TRUE(eventually(
    [&] { return json_of(api.get("/api/connections?limit=1"))["total"] == fresh.size(); }));
  EXPECT_EQ(metric(api, "sse_gateway_active_connections"), 5);
}

TEST(GatewayLoss, IsFoundOutByProbingWhereNobodySends) {
  herald_pair heralds{{"--gateway-probe-interval-s", "1"}};
  http_client api{heralds.api_port()};
  auto streams = open_streams(heralds.stream_port(), 20);
  heralds.gateway().kill();
  heralds.start_gateway();
  EXPECT_TRUE(
    eventually([&] { return json_of(api.get("/api/connections?limit=1"))["total"] == 0; }));
}

TEST(GatewayLoss, IsFoundOutByAnEventThatWaitedForItsReturn) {
  herald_pair heralds;
  http_client api{heralds.api_port()};
  heralds.gateway().kill();
  // As if the gateway had gone right after this connect.
  const json connect = {
    {"action", "connect"},
    {"token", "waiting"},
    {"request", {{"url", stream_target("page")}, {"headers", json::object()}}}};
  api.post(std::string{"/api/sse/callback?secret="} + herald_pair::secret, connect.dump());
  ASSERT_TRUE(api.ask("POST", "/api/events?wait=true", R"({"event":"n","data":1})"));
  heralds.start_gateway();
  const auto answer = json_of(api.answer());
  EXPECT_EQ(answer["failed"], 1) << "404, from the gateway that came back";
  EXPECT_TRUE(
    eventually([&] { return json_of(api.get("/api/connections?limit=1"))["total"] == 0; }))
    << "and not only lost";
}

} // namespace
} // namespace herald
