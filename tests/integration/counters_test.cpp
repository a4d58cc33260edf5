#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/callback_backend.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using arguments = std::vector<std::string>;

/// How much series have risen; those that have not are not there.
using rises = std::map<std::string, double>;

/// A herald whose counters are watched: each step moves those that it is to move, by so much, and
/// no other.
class watched_herald {
public:
  explicit watched_herald(arguments how) : herald{std::move(how)}, api{herald.api_port()} {
    api.get("/metrics");
    before_ = counters();
  }

  /// What has moved meanwhile is `expected`. Counts of bytes, and of how clients were taken, may
  /// move with it, and what `also` names.
  void moves(const char* what, const rises& expected, const std::set<std::string>& also = {}) {
    rises seen;
    const bool done = eventually(
      [&] {
        seen = risen(also);
        return seen == expected;
      },
      std::chrono::seconds{10});
    EXPECT_TRUE(done) << what;
    EXPECT_EQ(seen, expected) << what;
    before_ = counters();
  }

  /// The status that a stream's request is answered with.
  int knock(const std::string& target, const std::string& headers = "Host: h\r\n") {
    raw_client client{herald.stream_port()};
    client.send("GET " + target + " HTTP/1.1\r\n" + headers + "\r\n");
    return client.read_reply().status;
  }

  herald_process herald;
  http_client api;

private:
  rises counters() {
    rises all;
    std::istringstream page{api.get("/metrics").body};
    for (std::string line; std::getline(page, line);) {
      const auto space = line.rfind(' ');
      const auto series = line.substr(0, space);
      const auto name = series.substr(0, series.find('{'));
      if (!line.starts_with('#') && name.ends_with("_total"))
        all[series] = std::stod(line.substr(space));
    }
    return all;
  }

  rises risen(const std::set<std::string>& also) {
    static const std::set<std::string> always = {
      "herald_api_requests_total", "herald_stream_sent_bytes_total",
      "herald_stream_gathered_total"};
    rises all;
    for (const auto& [series, value] : counters()) {
      const auto rise = value - before_[series];
      if (
        rise != 0 && !always.contains(series.substr(0, series.find('{'))) && !also.contains(series))
        all[series] = rise;
    }
    return all;
  }

  rises before_;
};

std::string connections(const char* action) {
  return std::string{R"(sse_gateway_connections_total{action=")"} + action + R"("})";
}

std::string sent(const char* service, const char* status = "success") {
  return std::string{R"(sse_gateway_events_sent_total{service=")"} + service + R"(",status=")"
         + status + R"("})";
}

std::string refused(const char* reason) {
  return std::string{R"(herald_stream_refused_total{reason=")"} + reason + R"("})";
}

std::string rejected(const char* reason) {
  return std::string{R"(herald_api_rejected_total{reason=")"} + reason + R"("})";
}

std::string tasks(const char* type, const char* status) {
  return std::string{R"(task_executions_total{status=")"} + status + R"(",type=")" + type + R"("})";
}

const std::string accepted = "herald_stream_accepted_total";
const std::string published = "herald_events_published_total";

TEST(Counters, MoveWithStreams) {
  watched_herald h{{"--stream-threads", "1"}};
  sse_client first{h.herald.stream_port(), stream_target("a")};
  ASSERT_TRUE(first.wait_for_cursor());
  h.moves("a stream", {{accepted, 1}, {connections("connect"), 1}});
  h.api.post("/api/events", R"({"event":"e","data":1})");
  h.moves("an event", {{published, 1}, {sent("event"), 1}});
  ASSERT_TRUE(first.next());
  sse_client second{h.herald.stream_port(), stream_target("a")};
  ASSERT_TRUE(second.wait_for_cursor());
  h.moves(
    "another stream of the page",
    {{accepted, 1}, {connections("connect"), 1}, {connections("replace"), 1}});
  second.close();
  h.moves("one that ends", {{connections("disconnect"), 1}});
  h.api.post("/api/events", R"({"event":"e","data":2})");
  h.moves("an event for nobody", {{published, 1}});
  first.reconnect();
  ASSERT_TRUE(first.next());
  h.moves(
    "one that comes back", {{accepted, 1},
                            {connections("connect"), 1},
                            {sent("event"), 1},
                            {"herald_history_replayed_total", 1}});
  sse_client lost{h.herald.stream_port(), stream_target("b") + "&last_event_id=1"};
  ASSERT_TRUE(lost.wait_for_cursor());
  h.moves(
    "one that was away for too long", {{accepted, 1},
                                       {connections("connect"), 1},
                                       {"herald_history_gaps_total", 1},
                                       {sent("event"), 3},
                                       {"herald_history_replayed_total", 3}});
  h.api.post("/api/versions", R"({"request_id":"x","version":"1"})");
  h.moves("a version", {{published, 1}, {sent("version"), 2}});
}

TEST(Counters, MoveWithStreamsThatAreRefused) {
  watched_herald h{
    {"--stream-threads", "1", "--stream-cors-origins", "https://a.example", "--stream-hosts", "h",
     "--stream-max-streams", "2", "--stream-max-streams-per-address", "1",
     // Or loopback would not be counted.
     "--stream-trusted-proxies", "192.0.2.1", "--stream-max-head-bytes", "1024"}};
  const auto target = stream_target("a");
  const auto step = [&](const char* reason, int status, int seen) {
    EXPECT_EQ(seen, status) << reason;
    h.moves(reason, {{accepted, 1}, {refused(reason), 1}});
  };
  step("not_found", 404, h.knock("/elsewhere"));
  step("invalid", 400, h.knock("/api/sse/stream?request_id="));
  step("host", 421, h.knock(target, "Host: other.example\r\n"));
  step("origin", 403, h.knock(target, "Host: h\r\nOrigin: https://b.example\r\n"));
  step("malformed", 400, h.knock(target, "Host: h\r\nbad\r\n"));
  step("head_too_large", 431, h.knock(target, "Host: h\r\nX: " + std::string(2000, 'x') + "\r\n"));
  raw_client poster{h.herald.stream_port()};
  poster.send("POST " + target + " HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  step("method", 405, poster.read_reply().status);
  EXPECT_EQ(h.api.del("/api/connections/a?stay_away_s=60").status, 204);
  step("kept_away", 204, h.knock(target));
  sse_client open{h.herald.stream_port(), stream_target("b")};
  ASSERT_TRUE(open.wait_for_cursor());
  h.moves("a stream", {{accepted, 1}, {connections("connect"), 1}});
  step("too_many_per_address", 503, h.knock(stream_target("c")));
}

TEST(Counters, MoveWithRequestsThatAreRejected) {
  watched_herald h{{"--api-max-body-bytes", "1024", "--api-max-event-bytes", "512"}};
  const auto say = [&](const std::string& request) {
    raw_client client{h.herald.api_port()};
    client.send(request);
    return client.read_reply().status;
  };
  const auto step = [&](const char* reason, int status, const std::string& request) {
    EXPECT_EQ(say(request), status) << reason;
    h.moves(reason, {{rejected(reason), 1}});
  };
  const std::string get = "GET /healthz HTTP/1.1\r\n";
  const std::string local = "Host: localhost\r\n";
  step("origin", 403, get + local + "Origin: https://a.example\r\n\r\n");
  step("host", 421, get + "Host: a.example\r\n\r\n");
  step("malformed_request", 400, get + "\r\n");
  step(
    "target_too_long", 414, "GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n" + local + "\r\n");
  step("head_too_large", 431, get + local + "X: " + std::string(20'000, 'x') + "\r\n\r\n");
  const std::string post = "POST /api/events HTTP/1.1\r\n" + local;
  step("body_too_large", 413, post + "Content-Length: 2000\r\n\r\n");
  step("unsupported_encoding", 415, post + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx");
  step("unsupported_expectation", 417, post + "Expect: more\r\nContent-Length: 1\r\n\r\nx");
  step("unsupported_coding", 501, post + "Transfer-Encoding: gzip, chunked\r\n\r\n");
  step("unsupported_version", 505, "GET /healthz HTTP/2.0\r\n" + local + "\r\n");
}

TEST(Counters, MoveWithTasks) {
  watched_herald h{
    {"--tasks-workers", "1", "--tasks-max-pending", "1", "--tasks-max-external", "1",
     "--tasks-max-ended", "1", "--tasks-audience", "none"}};
  const auto start = [&](const char* body, int status = 202) {
    const auto answer = h.api.post("/api/tasks", body);
    EXPECT_EQ(answer.status, status) << answer.body;
    const auto task = json_of(answer);
    return status == 202 ? task["task_id"].get<std::string>() : "";
  };
  start(R"({"type":"demo","params":{"steps":1,"delay":0}})");
  h.moves("one that is done", {{tasks("demo", "completed"), 1}});
  start(R"({"type":"failing","params":{"delay":0}})");
  h.moves("one that fails", {{tasks("failing", "failed"), 1}, {"herald_tasks_evicted_total", 1}});
  const auto external = start(R"({"type":"external"})");
  start(R"({"type":"external"})", 503);
  h.moves("too many external ones", {{R"(herald_tasks_refused_total{limit="external"})", 1}});
  h.api.post("/api/tasks/" + external + "/cancel", "");
  h.moves(
    "one that is cancelled",
    {{tasks("external", "cancelled"), 1}, {"herald_tasks_evicted_total", 1}});
  const auto long_one = R"({"type":"demo","params":{"steps":1,"delay":1000}})";
  start(long_one);
  start(long_one);
  start(long_one, 503);
  h.moves("too many that wait", {{R"(herald_tasks_refused_total{limit="pending"})", 1}});
}

TEST(Counters, MoveWithLimits) {
  watched_herald h{
    {"--stream-threads", "1", "--stream-max-topic-changes-bytes", "0", "--retain-max-topics", "0",
     "--version-max-pending", "1", "--history-max-events", "1"}};
  const auto expect = [&](int status, const char* path, const char* body) {
    EXPECT_EQ(h.api.post(path, body).status, status) << path << body;
  };
  expect(202, "/api/events", R"({"event":"e","data":1})");
  h.moves("an event", {{published, 1}});
  expect(202, "/api/events", R"({"event":"e","data":1})");
  h.moves("an eviction", {{published, 1}, {"herald_history_evicted_total", 1}});
  expect(507, "/api/events", R"({"event":"e","data":1,"topic":"t","retain":true})");
  h.moves("a value too many", {{"herald_retained_refused_total", 1}});
  expect(202, "/api/versions", R"({"request_id":"a","version":"1"})");
  expect(202, "/api/versions", R"({"request_id":"b","version":"1"})");
  h.moves(
    "a version too many",
    {{published, 2}, {"herald_history_evicted_total", 2}, {"herald_versions_evicted_total", 1}});
  sse_client open{h.herald.stream_port(), stream_target("c")};
  ASSERT_TRUE(open.wait_for_cursor());
  expect(503, "/api/connections/c/topics", R"({"add":["t"]})");
  h.moves(
    "a change too many",
    {{accepted, 1}, {connections("connect"), 1}, {"herald_topic_changes_refused_total", 1}});
}

TEST(Counters, MoveWithKeys) {
  watched_herald h{{}};
  const std::string body = R"({"event":"e","data":1})";
  EXPECT_EQ(h.api.post("/api/events", body, "Idempotency-Key: k\r\n").status, 202);
  h.moves("a key", {{published, 1}});
  EXPECT_EQ(h.api.post("/api/events", body, "Idempotency-Key: k\r\n").status, 202);
  h.moves("the same again", {{"herald_idempotency_replayed_total", 1}});
  EXPECT_EQ(h.api.post("/api/events", "{}", "Idempotency-Key: k\r\n").status, 422);
  h.moves("another request", {{"herald_idempotency_conflicts_total", 1}});
}

TEST(Counters, MoveWithTheJournalAndTheVersionServer) {
  const temporary_folder folder;
  watched_herald h{
    {"--stream-threads", "1", "--journal-path", (folder / "j").string(), "--version-url",
     "http://127.0.0.1:" + std::to_string(free_port()) + "/"}};
  EXPECT_EQ(h.api.post("/api/events", R"({"event":"e","data":1})").status, 202);
  h.moves(
    "an event",
    {{published, 1}, {"herald_journal_entries_total", 1}, {"herald_journal_groups_total", 1}});
  sse_client open{h.herald.stream_port(), stream_target("a")};
  ASSERT_TRUE(open.next("version"));
  h.moves(
    "a version that cannot be had",
    {{accepted, 1},
     {connections("connect"), 1},
     {published, 1},
     {sent("version"), 1},
     {"herald_version_fetch_failures_total", 1}},
    {"herald_journal_entries_total", "herald_journal_groups_total"});
}

TEST(Counters, MoveWithCallbacks) {
  callback_backend backend{[](const nlohmann::json& callback) {
    return callback["request"]["url"] == "/no" ? 403 : 200;
  }};
  watched_herald h{{"--stream-threads", "1", "--callback-url", backend.url()}};
  const auto calls = [](const char* action, const char* outcome) {
    return std::string{R"(herald_callback_requests_total{action=")"} + action + R"(",outcome=")"
           + outcome + R"("})";
  };
  const std::set<std::string> opened = {"herald_callback_connections_opened_total"};
  sse_client open{h.herald.stream_port(), "/yes"};
  ASSERT_TRUE(open.open());
  h.moves(
    "a stream", {{accepted, 1}, {calls("connect", "ok"), 1}, {connections("connect"), 1}}, opened);
  backend.answer_with(R"({"subject":1})");
  sse_client other{h.herald.stream_port(), "/yes"};
  ASSERT_TRUE(other.open());
  h.moves(
    "one whose subject is none",
    {{accepted, 1},
     {calls("connect", "ok"), 1},
     {connections("connect"), 1},
     {"herald_callback_identities_refused_total", 1}},
    opened);
  backend.answer_with("{}");
  EXPECT_EQ(h.knock("/no"), 403);
  h.moves(
    "one that the backend does not want",
    {{accepted, 1}, {calls("connect", "refused"), 1}, {refused("by_owner"), 1}}, opened);
  open.close();
  h.moves(
    "one that ends", {{calls("disconnect", "ok"), 1}, {connections("disconnect"), 1}}, opened);
}

} // namespace
} // namespace herald
