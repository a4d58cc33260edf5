#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/gateway_facts.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

/// A request that is refused, how, and the field that is to blame.
struct refused_row {
  std::string method;
  std::string target;
  std::string body;
  int status;
  std::string field;
};

void expect_problem(const http_client::reply& answer, int status, const std::string& field) {
  EXPECT_EQ(answer.status, status) << answer.body;
  EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  const auto problem = json_of(answer);
  EXPECT_EQ(problem["status"], status);
  EXPECT_FALSE(problem["title"].get<std::string>().empty());
  EXPECT_FALSE(problem["detail"].get<std::string>().empty());
  EXPECT_EQ(problem.value("field", ""), field) << answer.body;
}

class ApiPort : public ::testing::Test {
protected:
  void expect_refused(const std::vector<refused_row>& rows) {
    for (const auto& row : rows) {
      SCOPED_TRACE(row.method + " " + row.target + " " + row.body.substr(0, 200));
      expect_problem(api.send(row.method, row.target, row.body), row.status, row.field);
    }
  }

  json expect(
    int status, const std::string& method, const std::string& target,
    const std::string& body = {}) {
    const auto answer = api.send(method, target, body);
    EXPECT_EQ(answer.status, status) << method << " " << target << ": " << answer.body;
    if (status != 204) {
      EXPECT_EQ(answer.header("content-type"), "application/json") << target;
    }
    return json_of(answer);
  }

  /// Starts a task and gives its id.
  std::string start(const std::string& task) {
    return expect(202, "POST", "/api/tasks", task)["task_id"];
  }

  bool reaches(const std::string& task, const std::string& status) {
    return eventually([&] { return json_of(api.get("/api/tasks/" + task))["status"] == status; });
  }

  herald_process herald{
    {"--api-max-body-bytes", "200000", "--api-max-event-bytes", "100000", "--testing-enabled"}};
  http_client api{herald.api_port()};
};

TEST_F(ApiPort, TakesEvents) {
  const auto published = expect(202, "POST", "/api/events", R"({"event":"n","data":null})");
  EXPECT_TRUE(published["id"].is_string());
  EXPECT_EQ(published["recipients"], 0);
  EXPECT_EQ(published.size(), 2u);
  const auto waited =
    expect(200, "POST", "/api/events?wait=true", R"({"event":"n","text":"t","request_id":"x"})");
  EXPECT_EQ(waited["delivered"], 0);
  EXPECT_EQ(waited["failed"], 0);
  const auto batch = expect(202, "POST", "/api/events", R"([{"event":"n","data":1}])");
  EXPECT_EQ(batch["count"], 1);
  EXPECT_EQ(batch["ids"].size(), 1u);
  EXPECT_EQ(expect(202, "POST", "/api/events", "[]")["count"], 0);
  const auto longest = json{{"event", std::string(128, 'n')}, {"data", 1}}.dump();
  expect(202, "POST", "/api/events", longest);
}

TEST_F(ApiPort, RefusesBadEvents) {
  const std::string events = "/api/events";
  const auto big = std::string(100001, 'x');
  expect_refused({
    {"POST", events, "", 400, ""},
    {"POST", events, "{", 400, ""},
    {"POST", events, "\"text\"", 400, ""},
    {"POST", events, R"({"data":1})", 400, "event"},
    {"POST", events, R"({"event":"","data":1})", 400, "event"},
    {"POST", events, R"({"event":7,"data":1})", 400, "event"},
    {"POST", events, R"({"event":"a\nb","data":1})", 400, "event"},
    {"POST", events, R"({"event":"a\rb","data":1})", 400, "event"},
    {"POST", events, R"({"event":"a\u0000b","data":1})", 400, "event"},
    {"POST", events, json{{"event", std::string(129, 'n')}, {"data", 1}}.dump(), 400, "event"},
    {"POST", events, R"({"event":"n"})", 400, "data"},
    {"POST", events, R"({"event":"n","data":1,"text":"t"})", 400, "text"},
    {"POST", events, R"({"event":"n","text":1})", 400, "text"},
    {"POST", events, R"({"event":"n","data":1,"request_id":"a:b"})", 400, "request_id"},
    {"POST", events, R"({"event":"n","data":1,"request_id":""})", 400, "request_id"},
    {"POST", events, R"({"event":"n","data":1,"requestid":"x"})", 400, "requestid"},
    {"POST", events, R"([{"event":"n","data":1},{"event":"n"}])", 400, "[1].data"},
    {"POST", events + "?wait=maybe", R"({"event":"n","data":1})", 400, "wait"},
    {"POST", events, json{{"event", "n"}, {"data", big}}.dump(), 413, "data"},
    {"POST", events, json{{"event", "n"}, {"text", big}}.dump(), 413, "text"},
  });
}

TEST_F(ApiPort, KeepsPendingVersions) {
  const auto queued =
    expect(202, "POST", "/api/versions", R"({"request_id":"a b","version":"1","changelog":"c"})");
  EXPECT_EQ(queued["request_id"], "a b");
  EXPECT_EQ(queued["delivered"], false);
  EXPECT_EQ(
    expect(200, "GET", "/api/versions/a%20b"), (json{{"version", "1"}, {"changelog", "c"}}));
  expect(202, "POST", "/api/versions", R"({"request_id":"a b","version":"2"})");
  EXPECT_EQ(expect(200, "GET", "/api/versions/a%20b")["version"], "2");
  expect_refused({
    {"GET", "/api/versions/unknown", "", 404, "request_id"},
    {"GET", "/api/versions/a:b", "", 400, "request_id"},
    {"GET", "/api/versions/%ff", "", 400, "request_id"},
    {"GET", "/api/versions/%zz", "", 400, ""},
    {"POST", "/api/versions", "nonsense", 400, ""},
    {"POST", "/api/versions", R"({"version":"1"})", 400, "request_id"},
    {"POST", "/api/versions", R"({"request_id":"a:b","version":"1"})", 400, "request_id"},
    {"POST", "/api/versions", R"({"request_id":"a"})", 400, "version"},
    {"POST", "/api/versions", R"({"request_id":"a","version":""})", 400, "version"},
    {"POST", "/api/versions", R"({"request_id":"a","version":1})", 400, "version"},
    {"POST", "/api/versions", R"({"request_id":"a","version":"1","more":1})", 400, "more"},
  });
}

TEST_F(ApiPort, RunsATaskFromStartToEnd) {
  const auto answer = api.post("/api/tasks", R"({"type":"demo","params":{"steps":2,"delay":0}})");
  EXPECT_EQ(answer.status, 202);
  const auto started = json_of(answer);
  const std::string id = started["task_id"];
  EXPECT_EQ(started["status"], "pending");
  EXPECT_EQ(answer.header("location"), "/api/tasks/" + id);
  ASSERT_TRUE(reaches(id, "completed"));
  const auto task = expect(200, "GET", "/api/tasks/" + id);
  EXPECT_EQ(task["type"], "demo");
  EXPECT_EQ(task["progress"], 1);
  EXPECT_EQ(task["result"], (json{{"status", "success"}, {"steps", 2}}));
  EXPECT_TRUE(task["error"].is_null());
  for (const auto* field : {"task_id", "start_time", "end_time", "progress_text"})
    EXPECT_TRUE(task[field].is_string()) << field;
  EXPECT_EQ(task.size(), 10u) << task;
  EXPECT_EQ(expect(200, "GET", "/api/tasks/" + id + "/status"), task);
  const auto list = expect(200, "GET", "/api/tasks?limit=10");
  EXPECT_EQ(list["tasks"], json::array({task}));
  EXPECT_EQ(list["total"], 1);
  EXPECT_TRUE(list["next"].is_null());
  expect_refused({{"POST", "/api/tasks/" + id + "/cancel", "", 409, ""}});
  expect(204, "DELETE", "/api/tasks/" + id);
  expect_refused({{"GET", "/api/tasks/" + id, "", 404, ""}});
}

TEST_F(ApiPort, CancelsATask) {
  const auto id = start(R"({"type":"demo","params":{"steps":1,"delay":3600}})");
  ASSERT_TRUE(reaches(id, "running"));
  expect_refused({{"DELETE", "/api/tasks/" + id, "", 409, ""}});
  EXPECT_EQ(expect(200, "POST", "/api/tasks/" + id + "/cancel")["task_id"], id);
  ASSERT_TRUE(reaches(id, "cancelled"));
  expect_refused({{"POST", "/api/tasks/" + id + "/cancel", "", 409, ""}});
}

TEST_F(ApiPort, LetsAnotherServiceReportOnItsTask) {
  const auto id = start(R"({"type":"external"})");
  const auto path = "/api/tasks/" + id;
  EXPECT_EQ(expect(200, "GET", path)["status"], "running");
  auto task = expect(200, "POST", path + "/progress", R"({"value":0.5,"text":"half"})");
  EXPECT_EQ(task["progress"], 0.5);
  EXPECT_EQ(task["progress_text"], "half");
  task = expect(200, "POST", path + "/progress", R"({"value":0.25})");
  EXPECT_EQ(task["progress"], 0.5) << "never falls";
  expect_refused({
    {"POST", path + "/progress", "", 400, ""},
    {"POST", path + "/progress", R"({"text":"no value"})", 400, "value"},
    {"POST", path + "/progress", R"({"value":2})", 400, "value"},
    {"POST", path + "/progress", R"({"value":"1"})", 400, "value"},
    {"POST", path + "/fail", R"({})", 400, "error"},
    {"POST", path + "/complete", R"({"outcome":1})", 400, "outcome"},
  });
  task = expect(200, "POST", path + "/complete", R"({"result":{"rows":3}})");
  EXPECT_EQ(task["status"], "completed");
  EXPECT_EQ(task["result"], (json{{"rows", 3}}));
  expect_refused({
    {"POST", path + "/progress", R"({"value":1})", 409, ""},
    {"POST", path + "/complete", "{}", 409, ""},
    {"POST", path + "/fail", R"({"error":"late"})", 409, ""},
  });
  const auto other = start(R"({"type":"external"})");
  task = expect(200, "POST", "/api/tasks/" + other + "/fail", R"({"error":"no disk"})");
  EXPECT_EQ(task["status"], "failed");
  EXPECT_EQ(task["error"], "no disk");
}

TEST_F(ApiPort, RefusesBadTasks) {
  const auto demo = start(R"({"type":"demo","params":{"steps":1,"delay":3600}})");
  expect_refused({
    {"POST", "/api/tasks", "", 400, ""},
    {"POST", "/api/tasks", "{}", 400, "type"},
    {"POST", "/api/tasks", R"({"type":1})", 400, "type"},
    {"POST", "/api/tasks", R"({"type":"demo","params":1})", 400, "params"},
    {"POST", "/api/tasks", R"({"type":"demo","params":{"steps":0}})", 400, "params.steps"},
    {"POST", "/api/tasks", R"({"type":"demo","params":{"delay":-1}})", 400, "params.delay"},
    {"POST", "/api/tasks", R"({"type":"demo","more":1})", 400, "more"},
    {"GET", "/api/tasks/unknown", "", 404, ""},
    {"GET", "/api/tasks/unknown/status", "", 404, ""},
    {"DELETE", "/api/tasks/unknown", "", 404, ""},
    {"POST", "/api/tasks/unknown/cancel", "", 404, ""},
    {"POST", "/api/tasks/unknown/progress", R"({"value":1})", 404, ""},
    {"POST", "/api/tasks/unknown/complete", "{}", 404, ""},
    {"POST", "/api/tasks/unknown/fail", R"({"error":"e"})", 404, ""},
    {"POST", "/api/tasks/" + demo + "/progress", R"({"value":1})", 409, ""},
    {"GET", "/api/tasks?limit=0", "", 400, "limit"},
    {"GET", "/api/tasks?limit=many", "", 400, "limit"},
    {"GET", "/api/tasks?after=x", "", 400, "after"},
  });
  const auto unknown = api.post("/api/tasks", R"({"type":"nonsense"})");
  expect_problem(unknown, 400, "type");
  for (const auto* type : {"demo", "failing", "external"})
    EXPECT_NE(unknown.body.find(type), std::string::npos) << "the types that there are";
}

TEST_F(ApiPort, PagesThroughTasks) {
  std::vector<std::string> started;
  for (int i = 0; i < 5; ++i)
    started.push_back(start(R"({"type":"external"})"));
  std::vector<std::string> listed;
  std::string after = "0";
  for (int page = 0; page < 5; ++page) {
    const auto list = expect(200, "GET", "/api/tasks?limit=2&after=" + after);
    EXPECT_EQ(list["total"], 5);
    for (const auto& task : list["tasks"])
      listed.push_back(task["task_id"]);
    if (list["next"].is_null())
      break;
    after = list["next"];
  }
  EXPECT_EQ(listed, started);
}

TEST_F(ApiPort, BroadcastsEveryStepOfATask) {
  auto streams = open_streams(herald.stream_port(), 2);
  const auto completed = start(R"({"type":"demo","params":{"steps":3,"delay":0}})");
  ASSERT_TRUE(reaches(completed, "completed"));
  const auto failed = start(R"({"type":"failing","params":{"delay":0}})");
  ASSERT_TRUE(reaches(failed, "failed"));
  const auto cancelled = start(R"({"type":"external"})");
  expect(200, "POST", "/api/tasks/" + cancelled + "/cancel");
  for (auto& stream : streams) {
    std::vector<std::string> kinds;
    double value = 0;
    while (kinds.empty() || kinds.back() != "task_cancelled") {
      const auto event = stream.next("task_event");
      ASSERT_TRUE(event);
      const auto step = json::parse(event->data);
      const std::string kind = step["event_type"];
      EXPECT_TRUE(step["timestamp"].get<std::string>().ends_with('Z'));
      if (kind == "progress_update") {
        EXPECT_GE(step["data"]["value"].get<double>(), value);
        EXPECT_TRUE(step["data"]["text"].is_string());
        value = step["data"]["value"];
      }
      if (kind == "task_completed") {
        EXPECT_EQ(step["task_id"], completed);
        EXPECT_EQ(step["data"]["status"], "success");
      }
      if (kind == "task_failed") {
        EXPECT_EQ(step["task_id"], failed);
        EXPECT_TRUE(step["data"]["error"].is_string());
      }
      if (kind == "task_started" || kind == "task_cancelled") {
        EXPECT_TRUE(step["data"].is_null());
      }
      if (kinds.empty() || kind != "progress_update" || kinds.back() != kind)
        kinds.push_back(kind);
    }
    EXPECT_EQ(
      kinds, (std::vector<std::string>{
               "task_started", "progress_update", "task_completed", "task_started", "task_failed",
               "task_started", "task_cancelled"}));
    EXPECT_FALSE(stream.ended()) << "a task that ends closes no stream";
  }
}

TEST_F(ApiPort, ServesTheCallsOfBrowserSuites) {
  auto streams = open_streams(herald.stream_port(), 1);
  const auto deployed = expect(
    202, "POST", "/api/testing/deployments/version",
    R"({"request_id":"page-0","version":"2","changelog":"c"})");
  EXPECT_EQ(deployed["requestId"], "page-0");
  EXPECT_EQ(deployed["delivered"], true);
  EXPECT_TRUE(deployed["status"].is_string());
  EXPECT_TRUE(streams[0].next("version"));
  const auto told = expect(
    200, "POST", "/api/testing/sse/task-event",
    R"({"request_id":"page-0","task_id":"t","event_type":"task_started"})");
  EXPECT_EQ(told["delivered"], true);
  EXPECT_EQ(json::parse(streams[0].next("task_event").value_or(sse_event{}).data)["task_id"], "t");
  for (const auto* type : {"demo_task", "failing_task"}) {
    const json order = {{"task_type", type}, {"params", {{"steps", 1}, {"delay", 0}}}};
    const auto task = expect(200, "POST", "/api/testing/tasks/start", order.dump());
    EXPECT_TRUE(
      reaches(task["task_id"], type == std::string{"demo_task"} ? "completed" : "failed"));
  }
  expect_refused({
    {"POST", "/api/testing/tasks/start", R"({"task_type":"external"})", 400, "task_type"},
  });
}

TEST(ApiPortOutsideOfTests, HasNoTestingRoutes) {
  herald_process herald;
  http_client api{herald.api_port()};
  EXPECT_EQ(api.post("/api/testing/tasks/start", R"({"task_type":"demo_task"})").status, 404);
  EXPECT_EQ(api.post("/api/testing/deployments/version", "{}").status, 404);
}

TEST_F(ApiPort, ListsAndClosesConnections) {
  auto streams = open_streams(herald.stream_port(), 3);
  auto list = expect(200, "GET", "/api/connections?limit=2");
  EXPECT_EQ(list["total"], 3);
  ASSERT_EQ(list["connections"].size(), 2u);
  const auto& one = list["connections"][0];
  EXPECT_EQ(one["url"], "/api/sse/stream") << "without its query, which may hold secrets";
  EXPECT_EQ(one["address"], "127.0.0.1");
  EXPECT_EQ(one["transport"], "embedded");
  for (const auto* field : {"request_id", "token", "connected_at"})
    EXPECT_TRUE(one[field].is_string()) << field;
  for (const auto* field : {"topics", "roles"})
    EXPECT_EQ(one[field], json::array()) << field;
  EXPECT_TRUE(one["subject"].is_null());
  EXPECT_EQ(one["broadcast"], true);
  EXPECT_TRUE(one["agent"].is_null()) << "it has not said who it is";
  EXPECT_TRUE(one["behind"]["events"].is_number());
  EXPECT_EQ(one.size(), 12u);
  list = expect(200, "GET", "/api/connections?after=" + list["next"].get<std::string>());
  EXPECT_EQ(list["connections"].size(), 1u);
  EXPECT_TRUE(list["next"].is_null());
  expect(204, "DELETE", "/api/connections/page-1");
  EXPECT_TRUE(streams[1].wait_for_end());
  expect_refused({
    {"DELETE", "/api/connections/page-1", "", 404, "request_id"},
    {"DELETE", "/api/connections/a:b", "", 400, "request_id"},
    {"GET", "/api/connections?limit=0", "", 400, "limit"},
    {"GET", "/api/connections?after=-1", "", 400, "after"},
  });
}

TEST_F(ApiPort, AnswersTheProtocolOfTheGateway) {
  auto streams = open_streams(herald.stream_port(), 1);
  const std::string token = expect(200, "GET", "/api/connections")["connections"][0]["token"];
  const auto send = [&](const json& body) {
    return api.post("/internal/send", body.dump());
  };
  auto answer = send({{"token", token}, {"event", {{"name", "n"}, {"data", "text"}}}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json_of(answer), send_answer_of("sent").body);
  EXPECT_EQ(streams[0].next(), (sse_event{"", "n", "text"}));
  EXPECT_EQ(send({{"token", token}}).status, 200) << "a probe";

  for (const auto& [order, code, message] : broken_orders(token)) {
    answer = send(order);
    EXPECT_EQ(answer.status, status_of_broken_order()) << order;
    EXPECT_EQ(json_of(answer)["error"]["code"], code) << order;
    EXPECT_EQ(json_of(answer)["error"]["message"], message) << order;
  }
  answer = send({{"token", "unknown"}, {"event", {{"data", "d"}}}});
  const auto unknown = send_answer_of("unknown_token");
  EXPECT_EQ(answer.status, unknown.status);
  EXPECT_EQ(json_of(answer)["error"]["code"], unknown.code());

  answer = send({{"token", token}, {"event", {{"data", "last"}}}, {"close", true}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(streams[0].next(), (sse_event{"", "", "last"}));
  EXPECT_TRUE(streams[0].wait_for_end());
}

TEST_F(ApiPort, SaysThatThereIsNoGatewayToCallBack) {
  expect_problem(api.post("/api/sse/callback", R"({"action":"connect"})"), 404, "");
}

TEST_F(ApiPort, TellsOfItsHealth) {
  EXPECT_EQ(expect(200, "GET", "/healthz")["status"], "ok");
  EXPECT_EQ(expect(200, "GET", "/readyz")["status"], "ready");
  const auto actors = expect(200, "GET", "/api/actors")["actors"];
  EXPECT_GE(actors.size(), 3u);
  for (const auto& actor : actors)
    EXPECT_EQ(actor["state"], "running") << actor;
}

TEST_F(ApiPort, CountsWhatItDoes) {
  auto streams = open_streams(herald.stream_port(), 2);
  expect(200, "POST", "/api/events?wait=true", R"({"event":"n","data":1})");
  const auto id = start(R"({"type":"demo","params":{"steps":1,"delay":0}})");
  ASSERT_TRUE(reaches(id, "completed"));
  const auto becomes = [&](const char* series, double value) {
    return eventually([&] { return metric(api, series) == value; });
  };
  EXPECT_EQ(api.get("/metrics").header("content-type").find("text/plain"), 0u);
  EXPECT_TRUE(becomes(R"(sse_gateway_connections_total{action="connect"})", 2));
  EXPECT_TRUE(becomes("sse_gateway_active_connections", 2));
  EXPECT_TRUE(becomes(R"(sse_gateway_events_sent_total{service="event",status="success"})", 2));
  // Each loop that has streams measures.
  EXPECT_TRUE(eventually([&] {
    return metric(api, R"(sse_gateway_send_duration_seconds_count{service="event"})") >= 1;
  }));
  EXPECT_TRUE(becomes(R"(task_executions_total{status="completed",type="demo"})", 1));
  EXPECT_TRUE(becomes(R"(task_duration_seconds_count{type="demo"})", 1));
  EXPECT_TRUE(
    becomes(R"(herald_api_requests_total{method="POST",route="/api/tasks",status="202"})", 1));
  streams.pop_back();
  EXPECT_TRUE(becomes(R"(sse_gateway_connections_total{action="disconnect"})", 1));
  EXPECT_TRUE(becomes("sse_gateway_active_connections", 1));
}

TEST_F(ApiPort, KnowsItsPathsAndTheirMethods) {
  expect_refused({
    {"GET", "/", "", 404, ""},
    {"GET", "/api", "", 404, ""},
    {"POST", "/api/event", "{}", 404, ""},
    {"GET", "/api/sse/stream?request_id=x", "", 404, ""},
  });
  for (const auto* const path : {"/", "/api/sse/stream?request_id=x"}) {
    const std::string where = json_of(api.get(path))["detail"];
    const auto port = "port " + std::to_string(herald.stream_port());
    EXPECT_NE(where.find(port), std::string::npos) << where;
    EXPECT_NE(where.find("/api/"), std::string::npos) << where;
  }
  const std::vector<std::array<std::string, 3>> rows = {
    {"DELETE", "/api/events", "POST, GET, HEAD, OPTIONS"},
    {"PUT", "/api/events", "POST, GET, HEAD, OPTIONS"},
    {"DELETE", "/api/versions/x", "GET, HEAD, OPTIONS"},
    {"PUT", "/api/tasks/x", "GET, HEAD, DELETE, OPTIONS"},
    {"GET", "/api/tasks/x/cancel", "POST, OPTIONS"},
    {"PATCH", "/api/connections", "GET, HEAD, DELETE, OPTIONS"},
    {"POST", "/healthz", "GET, HEAD, OPTIONS"},
    {"GET", "/internal/send", "POST, OPTIONS"},
    {"GET", "/api/sse/callback", "POST, OPTIONS"},
  };
  for (const auto& [method, target, allow] : rows) {
    const auto answer = api.send(method, target);
    SCOPED_TRACE(method + " " + target);
    expect_problem(answer, 405, "");
    EXPECT_EQ(answer.header("allow"), allow);
  }
  EXPECT_EQ(api.send("HEAD", "/healthz").status, 200);
}

/// What comes back for bytes, and whether that was all.
void expect_last_answer(std::uint16_t port, const std::string& bytes, int status) {
  raw_client client{port};
  SCOPED_TRACE(bytes.substr(0, 200));
  // The answer may come before all is sent: then the rest has nobody to go to.
  (void)client.send(bytes);
  const auto answer = client.read_reply();
  expect_problem(answer, status, "");
  EXPECT_TRUE(answer.has("connection: close"));
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ApiPort, RefusesBodiesOverTheLimit) {
  const auto port = herald.api_port();
  const std::string start = "POST /api/events HTTP/1.1\r\nHost: localhost\r\n";
  expect_last_answer(
    port, start + "Content-Length: 200001\r\n\r\n" + std::string(200001, ' '), 413);
  expect_last_answer(port, start + "Content-Length: 999999999999999999\r\n\r\n", 413);
  std::string chunks;
  for (int i = 0; i < 201; ++i)
    chunks += "3e8\r\n" + std::string(1000, ' ') + "\r\n";
  const auto chunked = start + "Transfer-Encoding: chunked\r\n\r\n";
  expect_last_answer(port, chunked + chunks + "0\r\n\r\n", 413);
  expect_last_answer(port, chunked + "ffffffff\r\n" + std::string(1000, ' '), 413);
}

TEST_F(ApiPort, TakesChunkedBodies) {
  raw_client client{herald.api_port()};
  ASSERT_TRUE(
    client.send("POST /api/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                "\r\n5\r\n{\"eve\r\n11\r\nnt\":\"n\",\"data\":1}\r\n0\r\n\r\n"));
  EXPECT_EQ(client.read_reply().status, 202);
}

TEST_F(ApiPort, RefusesCompressedBodies) {
  for (const auto* coding : {"gzip", "deflate", "br"})
    expect_last_answer(
      herald.api_port(),
      std::string{"POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"}
        + "Content-Encoding: " + coding + "\r\n\r\nabc",
      415);
}

TEST_F(ApiPort, RefusesBrokenHeads) {
  const std::string get = "GET /healthz HTTP/1.1\r\n";
  const std::string post = "POST /api/events HTTP/1.1\r\nHost: localhost\r\n";
  std::string many;
  for (int i = 0; i < 101; ++i)
    many += "X-" + std::to_string(i) + ": 1\r\n";
  for (const auto& bytes : std::vector<std::string>{
         "nonsense\r\n\r\n",
         "GET /healthz\r\n\r\n",
         "GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
         get + "\r\n",
         get + "Host: localhost\r\nHost: localhost\r\n\r\n",
         get + "Host : h\r\n\r\n",
         get + "Host: localhost\r\nno colon\r\n\r\n",
         get + "Host: localhost\r\n folded\r\n\r\n",
         get + "Host: localhost\nX: y\r\n\r\n",
         post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
         post + "Content-Length: -1\r\n\r\n",
         post + "Content-Length: 0x10\r\n\r\n",
         post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
       })
    expect_last_answer(herald.api_port(), bytes, 400);
  const auto port = herald.api_port();
  expect_last_answer(port, get + "Host: localhost\r\n" + many + "\r\n", 431);
  expect_last_answer(
    port, get + "Host: localhost\r\nX: " + std::string(20000, 'x') + "\r\n\r\n", 431);
  expect_last_answer(port, "GET /" + std::string(9000, 'x') + " HTTP/1.1\r\n\r\n", 414);
  expect_last_answer(port, post + "Expect: more\r\n\r\n", 417);
  expect_last_answer(port, post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501);
  expect_last_answer(port, "GET / HTTP/2.0\r\n\r\n", 505);
  EXPECT_EQ(api.get("/healthz").status, 200);
}

/// The patterns of all routes of the API.
std::set<std::string> routes_of(http_client& api) {
  const auto page = api.get("/metrics").body;
  const std::string_view label = "route=\"";
  std::set<std::string> patterns;
  for (auto at = page.find(label); at != std::string::npos; at = page.find(label, at + 1)) {
    const auto start = at + label.size();
    patterns.insert(page.substr(start, page.find('"', start) - start));
  }
  patterns.erase("unmatched");
  return patterns;
}

TEST_F(ApiPort, RefusesParametersThatARouteDoesNotTake) {
  const std::set<std::string> of_others = {
    "/api/sse/callback", "/internal/send", "/api/sse/stream"};
  const auto patterns = routes_of(api);
  EXPECT_GT(patterns.size(), 15u);
  for (const auto& pattern : patterns) {
    const auto brace = std::min(pattern.find('{'), pattern.size());
    const auto rest = std::min(pattern.find('}', brace), pattern.size() - 1) + 1;
    const auto path =
      brace == pattern.size() ? pattern : pattern.substr(0, brace) + "x" + pattern.substr(rest);
    int methods = 0;
    for (const auto* method : {"GET", "HEAD", "POST", "DELETE"}) {
      const auto answer = api.send(method, path + "?nonsense=1");
      if (answer.status == 405)
        continue;
      ++methods;
      if (of_others.contains(pattern))
        EXPECT_EQ(answer.body.find("nonsense"), std::string::npos) << pattern;
      else if (std::string_view{method} == "HEAD")
        EXPECT_EQ(answer.status, 400) << pattern;
      else
        expect_problem(answer, 400, "nonsense");
    }
    EXPECT_GT(methods, 0) << pattern;
  }
  expect_refused({
    {"POST", "/api/events?wiat=true", R"({"event":"n","data":1})", 400, "wiat"},
    {"POST", "/api/events?wait=true&wait=true", R"({"event":"n","data":1})", 400, "wait"},
    {"GET", "/api/tasks?limit=1&limit=2", "", 400, "limit"},
  });
}

TEST_F(ApiPort, KeepsWebPagesAway) {
  const std::string event = R"({"event":"n","data":1})";
  const auto post = [&](const std::string& headers) {
    return api.send("POST", "/api/events", event, headers).status;
  };
  EXPECT_EQ(post(""), 202);
  EXPECT_EQ(post("Sec-Fetch-Site: none\r\n"), 202);
  EXPECT_EQ(post("Origin: https://evil.example\r\n"), 403);
  EXPECT_EQ(post("Sec-Fetch-Site: cross-site\r\n"), 403);
  EXPECT_EQ(post("Content-Type: text/plain\r\n"), 415);
  EXPECT_EQ(post("Content-Type: application/x-www-form-urlencoded\r\n"), 202) << "curl -d";
  EXPECT_EQ(
    post("Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: none\r\n"), 415);
  EXPECT_EQ(api.send("GET", "http://evil.example/api/connections", {}).status, 421);
  EXPECT_EQ(api.send("GET", "http://localhost/api/connections", {}).status, 200);
  EXPECT_EQ(metric(api, "herald_api_rejected_total{reason=\"origin\"}"), 2);
  EXPECT_EQ(metric(api, "herald_api_rejected_total{reason=\"host\"}"), 1);
  EXPECT_EQ(
    metric(api, "herald_api_requests_total{method=\"POST\",route=\"/api/events\",status=\"202\"}"),
    3);
}

TEST_F(ApiPort, SaysThatAnswersAreNoPages) {
  for (const auto& answer :
       {api.get("/healthz"), api.get("/nothing"), api.post("/api/events", "{"),
        api.send("GET", "/healthz", {}, "Origin: https://evil.example\r\n")}) {
    EXPECT_EQ(answer.header("x-content-type-options"), "nosniff") << answer.body;
    EXPECT_EQ(answer.header("cache-control"), "no-store") << answer.body;
  }
}

TEST(ApiPortSettings, LetInTheOriginsAndHostsThatAreListed) {
  herald_process herald{{"--api-origins", "https://ops.example", "--api-hosts", "herald.internal"}};
  http_client api{herald.api_port()};
  EXPECT_EQ(api.send("GET", "/api/connections", {}, "Origin: https://ops.example\r\n").status, 200);
  EXPECT_EQ(api.send("GET", "http://herald.internal:8080/api/connections", {}).status, 200);
  EXPECT_EQ(api.send("GET", "http://other.internal/api/connections", {}).status, 421);
}

TEST(ApiPortSettings, AnApiThatOthersReachSaysSo) {
  herald_process open{{"--api-host", "0.0.0.0", "--api-open"}};
  http_client api{open.api_port()};
  EXPECT_EQ(metric(api, "herald_api_exposed"), 1);
  EXPECT_EQ(api.send("GET", "http://herald.default.svc/api/connections", {}).status, 200);
  EXPECT_NE(open.full_log().find("warning api exposed host="), std::string::npos) << open.log();

  herald_process closed;
  http_client other{closed.api_port()};
  EXPECT_EQ(metric(other, "herald_api_exposed"), 0);
  EXPECT_EQ(closed.full_log().find("exposed"), std::string::npos);
}

} // namespace
} // namespace herald
