#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/version_server.hpp"

namespace herald {
namespace {

using namespace testing;
using namespace std::chrono_literals;

/// Publishes one event and gives its id.
std::string publish(http_client& api, const nlohmann::json& event) {
  const auto answer = api.post("/api/events", event.dump());
  EXPECT_EQ(answer.status, 202) << answer.body;
  return json_of(answer)["id"];
}

void queue_version(http_client& api, const std::string& id, const std::string& version) {
  const nlohmann::json order = {{"request_id", id}, {"version", version}};
  EXPECT_EQ(api.post("/api/versions", order.dump()).status, 202);
}

/// What an answer of the stream port is that opens no stream.
struct refusal {
  int status = 0;
  std::string allow;
  std::string cors;
  nlohmann::json problem;
};

refusal refused(
  std::uint16_t port, const std::string& method, const std::string& target,
  const std::string& headers = {}) {
  http_client client{port};
  const auto answer = client.send(method, target, {}, headers);
  if (answer.status >= 400) {
    EXPECT_EQ(answer.header("content-type"), "application/problem+json") << target;
  }
  return {
    answer.status, answer.header("allow"), answer.header("access-control-allow-origin"),
    json_of(answer)};
}

TEST(StreamPort, OpensAStreamWithTheHeadersThatKeepItFlowing) {
  herald_process herald;
  sse_client stream{herald.stream_port(), stream_target("page")};
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(stream.header("content-type"), "text/event-stream");
  EXPECT_EQ(stream.header("cache-control"), "no-cache, no-transform");
  EXPECT_EQ(stream.header("x-accel-buffering"), "no");
  EXPECT_EQ(stream.header("access-control-allow-origin"), "*");
  EXPECT_EQ(stream.header("content-length"), "");
  EXPECT_TRUE(stream.wait_for_cursor());
  EXPECT_TRUE(stream.events().empty()) << "nothing else comes where there is no version";
}

TEST(StreamPort, TellsEachStreamATimeOfItsOwnToComeBack) {
  herald_process herald{{"--stream-retry-ms", "3000"}};
  std::set<std::uint64_t> told;
  for (auto& stream : open_streams(herald.stream_port(), 20)) {
    ASSERT_TRUE(stream.wait_for_cursor());
    ASSERT_TRUE(stream.retry());
    EXPECT_GE(*stream.retry(), 3000u);
    EXPECT_LE(*stream.retry(), 6000u);
    told.insert(*stream.retry());
  }
  EXPECT_GT(told.size(), 10u);
}

TEST(StreamPort, SendsHeartbeatsThatNobodyTakesForEvents) {
  herald_process herald{{"--stream-heartbeat-s", "1"}};
  http_client api{herald.api_port()};
  sse_client stream{herald.stream_port(), stream_target("page")};
  ASSERT_TRUE(stream.wait_for_comment("heartbeat"));
  EXPECT_TRUE(stream.events().empty());
  const auto id = publish(api, {{"event", "n"}, {"data", 1}});
  EXPECT_EQ(stream.next(), (sse_event{id, "n", "1"})) << "right behind a comment";
}

TEST(StreamPort, WritesEventsAsTheStandardHasThem) {
  herald_process herald;
  http_client api{herald.api_port()};
  sse_client stream{herald.stream_port(), stream_target("page")};
  ASSERT_TRUE(stream.open());
  auto id = publish(api, {{"event", "object"}, {"data", {{"b", "x\ny"}, {"a", 1}}}});
  EXPECT_EQ(stream.next(), (sse_event{id, "object", R"({"a":1,"b":"x\ny"})"}));
  id = publish(api, {{"event", "string"}, {"data", "text"}});
  EXPECT_EQ(stream.next(), (sse_event{id, "string", R"("text")"}));
  id = publish(api, {{"event", "lines"}, {"text", "one\ntwo\r\nthree\n"}});
  EXPECT_EQ(stream.next(), (sse_event{id, "lines", "one\ntwo\nthree\n"}));
  id = publish(api, {{"event", "grüße"}, {"text", ""}});
  EXPECT_EQ(stream.next(), (sse_event{id, "grüße", ""}));
}

TEST(StreamPort, RefusesBadRequestIds) {
  herald_process herald;
  for (const auto& query : std::vector<std::string>{
         "", "?other=1", "?request_id", "?request_id=", "?request_id=a:b", "?request_id=a%3Ab",
         "?request_id=" + std::string(129, 'x'), "?request_id=a%01b", "?request_id=a%0Ab",
         "?request_id=a%7Fb", "?request_id=%00", "?request_id=%ff"}) {
    const auto answer = refused(herald.stream_port(), "GET", "/api/sse/stream" + query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_EQ(answer.problem["status"], 400) << query;
    EXPECT_EQ(answer.problem["field"], "request_id") << query;
    EXPECT_EQ(answer.cors, "*") << "a page must be able to read why: " << query;
  }
  http_client api{herald.api_port()};
  EXPECT_EQ(json_of(api.get("/api/connections"))["total"], 0);
}

TEST(StreamPort, TakesUnusualButGoodRequestIds) {
  herald_process herald;
  http_client api{herald.api_port()};
  const std::vector<std::pair<std::string, std::string>> good = {
    {std::string(128, 'x'), std::string(128, 'x')},
    {"a+b%20c", "a b c"},
    {"%C3%BC%26%3D%2F", "ü&=/"}};
  for (const auto& [sent, meant] : good) {
    sse_client stream{herald.stream_port(), stream_target(sent)};
    ASSERT_TRUE(stream.open()) << sent;
    publish(api, {{"event", "n"}, {"data", 1}, {"request_id", meant}});
    EXPECT_TRUE(stream.next("n")) << sent;
  }
}

TEST(StreamPort, KnowsOnePathAndOneMethod) {
  herald_process herald;
  const auto port = herald.stream_port();
  for (const auto* target : {"/", "/api/sse", "/api/sse/stream/", "/api/events", "/metrics"})
    EXPECT_EQ(refused(port, "GET", target).status, 404) << target;
  for (const auto* method : {"POST", "PUT", "DELETE", "PATCH"}) {
    const auto answer = refused(port, method, stream_target("page"));
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.allow, "GET, HEAD, OPTIONS") << method;
  }
}

TEST(StreamPort, RefusesBrokenHeadsWithWhatIsWrong) {
  herald_process herald;
  const std::string get = "GET " + stream_target("page");
  const std::vector<std::pair<std::string, int>> broken = {
    {"no request\r\n\r\n", 400},
    {get + " HTTP/1.1\r\n\r\n", 400},
    {get + " HTTP/2.0\r\n\r\n", 505},
    {get + std::string(17'000, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
    {get + " HTTP/1.1\r\nHost: h\r\nX: " + std::string(17'000, 'x') + "\r\n\r\n", 431}};
  for (const auto& [bytes, status] : broken) {
    raw_client client{herald.stream_port()};
    client.send(bytes);
    const auto answer = client.read_reply();
    EXPECT_EQ(answer.status, status) << bytes.substr(0, 80);
    EXPECT_EQ(answer.header("content-type"), "application/problem+json") << status;
    EXPECT_EQ(answer.header("connection"), "close") << status;
    EXPECT_EQ(answer.header("access-control-allow-origin"), "*") << status;
    EXPECT_TRUE(answer.has("date: ")) << status;
    EXPECT_TRUE(client.is_closed()) << status;
  }
}

TEST(StreamPort, TakesARequestThatComesAfterAnEmptyLine) {
  herald_process herald;
  raw_client client{herald.stream_port()};
  client.send("\r\nHEAD " + stream_target("page") + " HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.read_reply(true).status, 200);
}

TEST(StreamPort, AnswersPreflights) {
  herald_process herald;
  http_client client{herald.stream_port()};
  const auto answer = client.send(
    "OPTIONS", stream_target("page"), {},
    "Origin: https://shop.example\r\nAccess-Control-Request-Method: GET\r\n"
    "Access-Control-Request-Headers: last-event-id\r\n");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.header("access-control-allow-origin"), "*");
  EXPECT_NE(answer.header("access-control-allow-methods").find("GET"), std::string::npos);
  EXPECT_EQ(answer.header("access-control-allow-headers"), "last-event-id");
}

TEST(StreamPort, LetsOnlyTheListedOriginsIn) {
  herald_process herald{{"--stream-cors-origins", "https://a.example,https://B.example:443"}};
  const auto port = herald.stream_port();
  sse_client stream{port, stream_target("page"), "Origin: https://b.example\r\n"};
  EXPECT_TRUE(stream.open());
  EXPECT_EQ(stream.header("vary"), "Origin");
  EXPECT_EQ(stream.header("access-control-allow-origin"), "https://b.example");
  EXPECT_EQ(stream.header("access-control-allow-credentials"), "true");

  EXPECT_EQ(
    refused(port, "GET", stream_target("page"), "Origin: https://c.example\r\n").status, 403);
  http_client api{herald.api_port()};
  publish(api, {{"event", "n"}, {"data", 1}});
  EXPECT_TRUE(stream.next("n")) << "a page that may not knock has replaced it";
  EXPECT_EQ(metric(api, "herald_stream_refused_total{reason=\"origin\"}"), 1);
}

TEST(StreamPort, BeatsOnAQuietStream) {
  herald_process herald{{"--stream-heartbeat-s", "1"}};
  auto streams = open_streams(herald.stream_port(), 5);
  const auto beats = [](const sse_client& stream) {
    return std::count(stream.comments().begin(), stream.comments().end(), "heartbeat");
  };
  EXPECT_TRUE(read_until(streams, [&] {
    return std::all_of(
      streams.begin(), streams.end(), [&](const sse_client& s) { return beats(s) >= 2; });
  }));
}

TEST(StreamPort, ReplacesAnOlderStreamOfTheSamePage) {
  herald_process herald;
  http_client api{herald.api_port()};
  sse_client older{herald.stream_port(), stream_target("page")};
  ASSERT_TRUE(older.open());
  sse_client newer{herald.stream_port(), stream_target("page")};
  ASSERT_TRUE(newer.open());
  EXPECT_TRUE(older.next("replaced"));
  EXPECT_TRUE(older.wait_for_end());
  publish(api, {{"event", "n"}, {"data", 1}});
  EXPECT_TRUE(newer.next("n"));
  EXPECT_EQ(json_of(api.get("/api/connections"))["total"], 1);
}

TEST(StreamPort, TurnsClientsAwayWhenItIsFull) {
  herald_process herald{{"--stream-max-streams", "2"}};
  auto streams = open_streams(herald.stream_port(), 2);
  const auto third = refused(herald.stream_port(), "GET", stream_target("third"));
  EXPECT_EQ(third.status, 503);
  streams.pop_back();
  EXPECT_TRUE(eventually([&] {
    sse_client stream{herald.stream_port(), stream_target("third")};
    return stream.open() && stream.wait_for_cursor();
  }))
    << "a place that is left can be taken";
}

/// EventSource stops for good at 204.
TEST(StreamPort, KeepsAPageAwayForAsLongAsTheApiSays) {
  herald_process herald;
  http_client api{herald.api_port()};
  sse_client stream{herald.stream_port(), stream_target("page")};
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(api.del("/api/connections/page?stay_away_s=1").status, 204);
  EXPECT_TRUE(stream.wait_for_end());
  stream.reconnect();
  EXPECT_FALSE(stream.open());
  EXPECT_EQ(stream.status(), 204);
  EXPECT_TRUE(eventually([&] {
    stream.reconnect();
    return stream.open() && stream.status() == 200;
  }));
  EXPECT_EQ(json_of(api.get("/api/connections"))["total"], 1);
}

/// Any other status EventSource takes for "never".
TEST(StreamPort, TellsEventSourceToComeBackWhenItIsFull) {
  herald_process herald{{"--stream-max-streams", "2", "--stream-retry-ms", "1000"}};
  auto streams = open_streams(herald.stream_port(), 2);
  sse_client third{herald.stream_port(), stream_target("third")};
  ASSERT_TRUE(third.open());
  EXPECT_EQ(third.status(), 200);
  EXPECT_EQ(third.header("content-type"), "text/event-stream");
  ASSERT_TRUE(third.wait_for_end());
  EXPECT_GE(third.retry().value_or(0), 1000u);
  EXPECT_LE(third.retry().value_or(0), 3000u);
  EXPECT_EQ(third.comments(), (std::vector<std::string>{"Too many streams: no more streams here"}));
  EXPECT_TRUE(third.events().empty());
  streams.clear();
  EXPECT_TRUE(eventually([&] {
    third.reconnect(herald.stream_port());
    return third.open() && third.wait_for_cursor();
  }));
}

TEST(StreamVersions, APendingVersionComesFirstAtEveryConnect) {
  version_server server;
  server.answer_with(200, R"({"version":"1.0"})");
  herald_process herald{{"--version-url", server.url()}};
  http_client api{herald.api_port()};
  queue_version(api, "page", "2.0");
  for (int connect = 0; connect < 3; ++connect) {
    sse_client stream{herald.stream_port(), stream_target("page")};
    const auto event = stream.next();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->name, "version");
    EXPECT_EQ(event->data, R"({"version":"2.0"})");
  }
  queue_version(api, "page", "3.0");
  sse_client stream{herald.stream_port(), stream_target("page")};
  EXPECT_EQ(stream.next().value_or(sse_event{}).data, R"({"version":"3.0"})");
}

TEST(StreamVersions, TheCurrentVersionComesFirstWhereNoneIsPending) {
  version_server server;
  server.answer_with(200, R"({ "version": "1.0", "build": [1, 2] })");
  herald_process herald{{"--version-url", server.url()}};
  sse_client stream{herald.stream_port(), stream_target("page")};
  const auto event = stream.next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->name, "version");
  EXPECT_EQ(event->data, R"({"version":"1.0","build":[1,2]})");
}

TEST(StreamVersions, AnUnknownVersionSaysWhy) {
  version_server server;
  herald_process herald{{"--version-url", server.url()}};
  const auto told = [&] {
    sse_client stream{herald.stream_port(), stream_target("page")};
    const auto event = stream.next("version").value_or(sse_event{});
    return nlohmann::json::parse(event.data, nullptr, false);
  };
  server.answer_with(500, "oops");
  auto document = told();
  EXPECT_EQ(document["version"], "unknown");
  EXPECT_NE(document["error"].get<std::string>(), "");
  server.answer_with(200, "not json");
  EXPECT_EQ(told()["version"], "unknown");
  server.answer_with(200, R"({"version":"1.0"})");
  EXPECT_EQ(told()["version"], "1.0") << "the next one gets it";
}

TEST(StreamVersions, ASlowVersionServerHoldsUpNobody) {
  version_server server;
  server.answer_with(200, R"({"version":"1.0"})");
  herald_process herald{{"--version-url", server.url()}};
  http_client api{herald.api_port()};
  // herald waits for the server for 2 s only, which a busy machine may take for the rest.
  std::string version;
  for (int attempt = 0; attempt < 5 && version != R"({"version":"1.0"})"; ++attempt) {
    server.hold();
    sse_client stream{herald.stream_port(), stream_target("page")};
    ASSERT_TRUE(stream.open());
    publish(api, {{"event", "n"}, {"data", 1}});
    ASSERT_TRUE(stream.next("n"));
    server.let_go();
    version = stream.next("version").value_or(sse_event{}).data;
  }
  EXPECT_EQ(version, R"({"version":"1.0"})") << "fetched while the event went out";
}

TEST(StreamVersions, AQueuedVersionIsBroadcast) {
  herald_process herald;
  http_client api{herald.api_port()};
  auto streams = open_streams(herald.stream_port(), 3);
  const auto answer =
    api.post("/api/versions", R"({"request_id":"page-1","version":"2.0","changelog":"New"})");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(json_of(answer)["delivered"], true);
  for (auto& stream : streams)
    EXPECT_EQ(
      stream.next("version").value_or(sse_event{}).data, R"({"version":"2.0","changelog":"New"})");
}

TEST(StreamReplay, SendsWhatWasMissedAndGoesOn) {
  herald_process herald;
  http_client api{herald.api_port()};
  sse_client stream{herald.stream_port(), stream_target("page")};
  ASSERT_TRUE(stream.open());
  publish(api, {{"event", "n"}, {"data", 1}});
  ASSERT_TRUE(stream.next("n"));
  stream.close();
  publish(api, {{"event", "n"}, {"data", 2}});
  publish(api, {{"event", "n"}, {"data", 3}, {"request_id", "page"}});
  publish(api, {{"event", "secret"}, {"data", 0}, {"request_id", "other"}});
  publish(api, {{"event", "n"}, {"data", 4}});
  stream.reconnect();
  ASSERT_TRUE(stream.open());
  publish(api, {{"event", "n"}, {"data", 5}});
  for (int expected = 2; expected <= 5; ++expected) {
    const auto event = stream.next();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->name, "n");
    EXPECT_EQ(event->data, std::to_string(expected));
  }
}

TEST(StreamReplay, SendsWhatAPageHasMissedThatHadNoEventBefore) {
  herald_process herald;
  http_client api{herald.api_port()};
  publish(api, {{"event", "n"}, {"data", 0}});
  sse_client stream{herald.stream_port(), stream_target("page")};
  ASSERT_TRUE(stream.wait_for_cursor());
  for (int expected = 1; expected < 7; expected += 3) {
    EXPECT_EQ(stream.events().size(), static_cast<std::size_t>(expected - 1));
    stream.close();
    publish(api, {{"event", "n"}, {"data", expected}});
    publish(api, {{"event", "n"}, {"data", expected + 1}, {"request_id", "page"}});
    publish(api, {{"event", "secret"}, {"data", 0}, {"request_id", "other"}});
    stream.reconnect();
    ASSERT_TRUE(stream.open());
    publish(api, {{"event", "n"}, {"data", expected + 2}});
    for (int i = 0; i < 3; ++i)
      ASSERT_EQ(stream.next().value_or(sse_event{}).data, std::to_string(expected + i));
  }
}

TEST(StreamReplay, SendsNothingTwiceToAPageThatCameBackForNothing) {
  herald_process herald;
  http_client api{herald.api_port()};
  sse_client stream{herald.stream_port(), stream_target("page")};
  ASSERT_TRUE(stream.wait_for_cursor());
  const auto first = stream.last_event_id();
  stream.close();
  publish(api, {{"event", "n"}, {"data", 1}});
  const auto last = publish(api, {{"event", "secret"}, {"data", 0}, {"request_id", "other"}});
  stream.reconnect();
  EXPECT_EQ(stream.next().value_or(sse_event{}).data, "1");
  EXPECT_TRUE(read_until({&stream, 1}, [&] { return stream.last_event_id() == last; }))
    << "what was for others is behind it";
  stream.reconnect();
  publish(api, {{"event", "n"}, {"data", 2}});
  EXPECT_EQ(stream.next().value_or(sse_event{}).data, "2");
  EXPECT_LT(std::stoull(first), std::stoull(last));
}

TEST(StreamReplay, SaysGapAndGoesOnLiveForACursorThatItNeverGave) {
  herald_process herald;
  http_client api{herald.api_port()};
  publish(api, {{"event", "n"}, {"data", 1}});
  for (const bool junk : {true, false}) {
    const auto last = publish(api, {{"event", "n"}, {"data", 2}});
    const auto cursor = junk ? "junk" : std::to_string(std::stoull(last) + 1);
    sse_client stream{
      herald.stream_port(), stream_target("page-" + cursor), "Last-Event-ID: " + cursor + "\r\n"};
    ASSERT_TRUE(stream.open());
    const auto gap = stream.next().value_or(sse_event{});
    EXPECT_EQ(gap.name, "gap");
    EXPECT_EQ(gap.id, last);
    publish(api, {{"event", "n"}, {"data", cursor}});
    EXPECT_EQ(stream.next().value_or(sse_event{}).data, '"' + cursor + '"')
      << "not all that is kept";
  }
}

TEST(StreamReplay, TakesTheIdFromTheQueryToo) {
  herald_process herald;
  http_client api{herald.api_port()};
  const auto first = publish(api, {{"event", "n"}, {"data", 1}});
  publish(api, {{"event", "n"}, {"data", 2}});
  sse_client stream{herald.stream_port(), stream_target("page") + "&last_event_id=" + first};
  EXPECT_EQ(stream.next("n").value_or(sse_event{}).data, "2");
}

TEST(StreamReplay, TellsOfAGap) {
  herald_process herald{{"--history-max-events", "3"}};
  http_client api{herald.api_port()};
  const auto first = publish(api, {{"event", "n"}, {"data", 0}});
  for (int i = 1; i <= 10; ++i)
    publish(api, {{"event", "n"}, {"data", i}});
  sse_client stream{
    herald.stream_port(), stream_target("page"), "Last-Event-ID: " + first + "\r\n"};
  auto event = stream.next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->name, "gap");
  for (int expected = 8; expected <= 10; ++expected) {
    event = stream.next();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->data, std::to_string(expected));
  }
}

TEST(StreamReplay, JoinsLiveEventsWithoutGapOrRepeat) {
  constexpr int count = 600;
  herald_process herald;
  sse_client away{herald.stream_port(), stream_target("away")};
  sse_client steady{herald.stream_port(), stream_target("steady")};
  ASSERT_TRUE(away.open() && steady.open());
  http_client api{herald.api_port()};
  for (int i = 0; i < count; ++i) {
    // Asked, not awaited: the stream comes back while the event is under way.
    ASSERT_TRUE(
      api.ask("POST", "/api/events", R"({"event":"n","data":)" + std::to_string(i) + "}"));
    if (i % 20 == 10) {
      read_once({&away, 1}, 0ms);
      away.reconnect();
      ASSERT_TRUE(away.open());
    }
    ASSERT_EQ(api.answer().status, 202);
  }
  ASSERT_TRUE(read_until({&steady, 1}, [&] { return steady.events().size() == count; }));
  EXPECT_TRUE(read_until({&away, 1}, [&] { return away.events().size() >= count; }));
  EXPECT_EQ(away.events(), steady.events());
}

} // namespace
} // namespace herald
