#include <algorithm>
#include <chrono>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;

/// herald with streams of its own, and a client of its API.
class Embedded : public ::testing::Test {
protected:
  nlohmann::json post(std::string_view target, std::string_view body, int expected) {
    const auto answer = api.post(target, body);
    EXPECT_EQ(answer.status, expected) << answer.body;
    return json_of(answer);
  }

  [[nodiscard]] std::vector<sse_client> open(std::size_t count) const {
    return open_streams(herald.stream_port(), count);
  }

  herald_process herald;
  http_client api{herald.api_port()};
};

bool all_have(const std::vector<sse_client>& streams, std::size_t events) {
  return std::all_of(streams.begin(), streams.end(), [events](const sse_client& stream) {
    return stream.events().size() >= events;
  });
}

/// Publishes `count` events, whose data says by whom they are and which one, each alone.
void publish_many(std::uint16_t port, int publisher, int count) {
  http_client api{port};
  for (int i = 0; i < count; ++i) {
    const nlohmann::json event = {{"event", "note"}, {"data", {publisher, i}}};
    EXPECT_EQ(api.post("/api/events", event.dump()).status, 202);
  }
}

TEST_F(Embedded, EveryStreamGetsEveryEventOnceInOneOrder) {
  constexpr int publishers = 4;
  constexpr int each = 100;
  auto streams = open(300);

  std::vector<std::thread> publishing;
  for (int publisher = 0; publisher < publishers; ++publisher)
    publishing.emplace_back(publish_many, herald.api_port(), publisher, each);
  EXPECT_TRUE(read_until(streams, [&] { return all_have(streams, publishers * each); }));
  for (auto& thread : publishing)
    thread.join();

  const auto& all = streams.front().events();
  std::map<int, int> next;
  for (const auto& event : all) {
    const auto data = nlohmann::json::parse(event.data);
    EXPECT_EQ(data[1], next[data[0]]++) << "in the order of their publisher";
  }
  EXPECT_TRUE(std::is_sorted(
    all.begin(), all.end(),
    [](const sse_event& a, const sse_event& b) { return std::stoull(a.id) <= std::stoull(b.id); }))
    << "ids rise";
  // One more, as a mark that nothing else is under way.
  post("/api/events", R"({"event":"end","data":null})", 202);
  EXPECT_TRUE(read_until(streams, [&] { return all_have(streams, publishers * each + 1); }));
  for (const auto& stream : streams)
    EXPECT_EQ(stream.events(), all);
}

TEST_F(Embedded, ATargetedEventReachesItsStreamAlone) {
  auto streams = open(20);
  const auto answer =
    post("/api/events", R"({"event":"whisper","data":1,"request_id":"page-7"})", 202);
  EXPECT_EQ(answer["recipients"], 1);
  post("/api/events", R"({"event":"end","data":null})", 202);
  EXPECT_TRUE(read_until(streams, [&] {
    return std::all_of(streams.begin(), streams.end(), [](const sse_client& stream) {
      return !stream.events().empty() && stream.events().back().name == "end";
    });
  }));
  for (std::size_t i = 0; i < streams.size(); ++i)
    EXPECT_EQ(streams[i].events().size(), i == 7 ? 2u : 1u) << i;
  EXPECT_EQ(streams[7].events().front().name, "whisper");
}

TEST_F(Embedded, KeepsTheOrderOfTargetedAndBroadcastEvents) {
  auto streams = open(3);
  auto batch = nlohmann::json::array();
  std::vector<int> expected;
  for (int i = 0; i < 200; ++i) {
    nlohmann::json event = {{"event", "n"}, {"data", i}};
    if (i % 3 != 0)
      event["request_id"] = "page-" + std::to_string(i % 3);
    if (i % 3 != 2)
      expected.push_back(i);
    batch.push_back(std::move(event));
  }
  post("/api/events", batch.dump(), 202);
  ASSERT_TRUE(read_until(streams, [&] { return streams[1].events().size() >= expected.size(); }));
  std::vector<int> received;
  for (const auto& event : streams[1].events())
    received.push_back(std::stoi(event.data));
  EXPECT_EQ(received, expected);
}

TEST_F(Embedded, WaitingForDeliveryCountsTheStreams) {
  auto streams = open(50);
  auto answer = post("/api/events?wait=true", R"({"event":"n","data":1})", 200);
  EXPECT_EQ(answer["recipients"], 50);
  EXPECT_EQ(answer["delivered"], 50);
  EXPECT_EQ(answer["failed"], 0);
  answer = post("/api/events?wait=true", R"({"event":"n","data":1,"request_id":"page-3"})", 200);
  EXPECT_EQ(answer["delivered"], 1);
  answer = post(
    "/api/events?wait=true",
    R"([{"event":"n","data":1},{"event":"n","data":2,"request_id":"page-4"}])", 200);
  EXPECT_EQ(answer["count"], 2);
  EXPECT_EQ(answer["recipients"], 51);
  EXPECT_EQ(answer["delivered"], 51);
  // What is delivered is there to be read.
  for (auto& stream : streams)
    EXPECT_TRUE(stream.next(std::chrono::seconds{5}));
}

/// Streams that read, and one that does not and has more to take than its socket does.
class EmbeddedWait : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(stuck.open());
    auto batch = nlohmann::json::array();
    for (int i = 0; i < 30; ++i)
      batch.push_back(
        {{"event", "n"}, {"data", std::string(200'000, 'x')}, {"request_id", "stuck"}});
    const auto much = batch.dump();
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(api.post("/api/events", much).status, 202);
    // Else it may be what the others wait for.
    ASSERT_TRUE(eventually([&] { return metric(api, R"(herald_stream_blocked{loop="0"})") == 1; }));
  }

  herald_process herald{
    {"--stream-threads", "1", "--stream-private-queue-bytes", "67108864", "--api-wait-ms", "200"}};
  http_client api{herald.api_port()};
  const std::vector<sse_client> streams = open_streams(herald.stream_port(), 10);
  sse_client stuck{herald.stream_port(), stream_target("stuck")};
};

TEST_F(EmbeddedWait, CountsEachStreamWhereOneDoesNotRead) {
  nlohmann::json counts;
  // A machine that is busy may need longer for those that read.
  EXPECT_TRUE(eventually([&] {
    const auto answer = api.post(
      "/api/events?wait=true&wait_ms=500", R"([{"event":"n","data":1},{"event":"n","data":2}])");
    EXPECT_EQ(answer.status, 200) << answer.body;
    counts = json_of(answer);
    return counts["delivered"] == 20;
  }))
    << counts;
  EXPECT_EQ(counts["recipients"], 22);
  EXPECT_EQ(counts["failed"], 0);
  EXPECT_EQ(counts["pending"], 2);
}

TEST_F(EmbeddedWait, TakesAsLongAsTheSettingsSayUnlessTheRequestDoes) {
  const std::string event = R"({"event":"n","data":1})";
  // Less than without the setting.
  auto longer = std::async(std::launch::async, [&] {
    return http_client{herald.api_port()}.post("/api/events?wait=true&wait_ms=6000", event);
  });
  const auto answer = api.post("/api/events?wait=true", event);
  EXPECT_GE(json_of(answer)["pending"], 1) << answer.body;
  EXPECT_EQ(longer.wait_for(std::chrono::seconds{0}), std::future_status::timeout)
    << "the request that waits for longer was answered first";
  EXPECT_EQ(json_of(longer.get())["pending"], 1);
}

TEST_F(EmbeddedWait, AnswersARetryAsItsFirstHoweverLongThatWaits) {
  const auto publish = [port = herald.api_port()] {
    return http_client{port}.post(
      "/api/events?wait=true&wait_ms=6000", R"({"event":"n","data":1})", "Idempotency-Key: k\r\n");
  };
  // Either may come first.
  auto one = std::async(std::launch::async, publish);
  const auto other = publish();
  const auto first = one.get();
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(json_of(first)["pending"], 1);
  EXPECT_EQ(other.status, 200) << other.body;
  EXPECT_EQ(other.body, first.body);
  EXPECT_NE(first.has("idempotent-replayed"), other.has("idempotent-replayed"));
}

TEST_F(EmbeddedWait, SaysInTheListOfConnectionsHowFarBehindEachStreamIs) {
  ASSERT_EQ(api.post("/api/events", R"({"event":"n","data":1})").status, 202);
  nlohmann::json list;
  // A loop that is busy does not say it in time.
  ASSERT_TRUE(eventually([&] {
    list = json_of(api.get("/api/connections"))["connections"];
    return std::none_of(
      list.begin(), list.end(), [](const nlohmann::json& row) { return row["behind"].is_null(); });
  }));
  ASSERT_EQ(list.size(), 11u);
  for (const auto& row : list) {
    const auto& behind = row.at("behind");
    EXPECT_EQ(behind["replaying"], false);
    if (row["request_id"] != "stuck")
      continue;
    // It was sent 90 events, and one for all.
    EXPECT_GT(behind["events"], 10) << behind;
    EXPECT_LE(behind["events"], 91) << behind;
    EXPECT_GT(behind["bytes"], 10 * 200'000) << behind;
    EXPECT_GT(behind["unacknowledged_bytes"], 0) << behind;
  }
  // The others have all of it, and say so, once they were sent it.
  EXPECT_TRUE(eventually([&] {
    std::size_t have_all = 0;
    const auto now = json_of(api.get("/api/connections"));
    for (const auto& row : now["connections"])
      have_all +=
        row["behind"]
            == nlohmann::
              json{{"events", 0}, {"bytes", 0}, {"unacknowledged_bytes", 0}, {"replaying", false}}
          ? 1
          : 0;
    return have_all == 10;
  }));
}

TEST_F(Embedded, NobodyThereIsNoError) {
  auto answer = post("/api/events", R"({"event":"n","data":1})", 202);
  EXPECT_EQ(answer["recipients"], 0);
  answer = post("/api/events?wait=true", R"({"event":"n","data":1,"request_id":"nobody"})", 200);
  EXPECT_EQ(answer["recipients"], 0);
  EXPECT_EQ(answer["delivered"], 0);
  EXPECT_EQ(answer["failed"], 0);
}

TEST_F(Embedded, BatchesArePublishedInTheirOrder) {
  auto streams = open(5);
  constexpr int count = 1000;
  auto array = nlohmann::json::array();
  std::string lines;
  for (int i = 0; i < count; ++i) {
    array.push_back({{"event", "n"}, {"data", i}});
    lines += nlohmann::json{{"event", "n"}, {"data", count + i}}.dump() + "\n";
  }
  const auto first = post("/api/events", array.dump(), 202);
  const auto second =
    json_of(api.post("/api/events", lines, "Content-Type: application/x-ndjson\r\n"));
  EXPECT_EQ(first["count"], count);
  EXPECT_EQ(second["count"], count);
  ASSERT_TRUE(read_until(streams, [&] { return all_have(streams, 2 * count); }));
  for (const auto& stream : streams)
    for (int i = 0; i < 2 * count; ++i) {
      const auto& event = stream.events()[static_cast<std::size_t>(i)];
      ASSERT_EQ(event.data, std::to_string(i));
      ASSERT_EQ(event.id, (i < count ? first : second)["ids"][static_cast<std::size_t>(i % count)]);
    }
}

TEST_F(Embedded, ABatchWithOneBadEventPublishesNothing) {
  auto streams = open(1);
  const auto problem = post(
    "/api/events", R"([{"event":"a","data":1},{"event":"b","data":1},{"event":"","data":1}])", 400);
  EXPECT_EQ(problem["field"], "[2].event");
  post("/api/events", R"({"event":"end","data":null})", 202);
  ASSERT_TRUE(streams[0].next("end"));
  EXPECT_EQ(streams[0].events().size(), 1u);
}

TEST_F(Embedded, StreamsThatComeAndGoCostTheOthersNothing) {
  auto steady = open(20);
  std::thread publishing{publish_many, herald.api_port(), 0, 200};
  for (int round = 0; round < 10; ++round)
    for (auto& passing : open_streams(herald.stream_port(), 20, "passing-"))
      EXPECT_EQ(passing.status(), 200);
  EXPECT_TRUE(read_until(steady, [&] { return all_have(steady, 200); }));
  publishing.join();
  for (const auto& stream : steady)
    EXPECT_EQ(stream.events(), steady.front().events());
  EXPECT_TRUE(
    eventually([&] { return json_of(api.get("/api/connections?limit=1"))["total"] == 20; }))
    << "those that left are forgotten";
}

TEST(Envelopes, LetOneListenerSeeAllThatIsSentAndMissed) {
  herald_process herald{{"--stream-format", "envelope"}};
  http_client api{herald.api_port()};
  sse_client stream{herald.stream_port(), "/api/sse/stream?request_id=page-0"};
  ASSERT_TRUE(stream.open());
  ASSERT_TRUE(stream.wait_for_cursor());
  const auto publish = [&](const char* order) {
    EXPECT_EQ(api.post("/api/events", order).status, 202);
  };
  const auto next = [&] {
    const auto event = stream.next().value_or(sse_event{});
    EXPECT_EQ(event.name, "");
    return event.data;
  };
  publish(R"({"event":"all","data":{"a":1}})");
  publish(R"({"event":"one","text":"two\nlines","request_id":"page-0"})");
  EXPECT_EQ(next(), R"({"type":"all","payload":{"a":1}})");
  EXPECT_EQ(next(), R"({"type":"one","payload":"two\nlines"})");
  stream.close();
  publish(R"({"event":"missed","data":3})");
  stream.reconnect();
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(next(), R"({"type":"missed","payload":3})");
}

} // namespace
} // namespace herald
