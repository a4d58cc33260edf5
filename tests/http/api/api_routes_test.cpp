#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "http/api/connection_api.hpp"
#include "http/api/event_api.hpp"
#include "http/api/health_api.hpp"
#include "http/api/task_api.hpp"
#include "http/api/version_api.hpp"
#include "http/keys/api_caller.hpp"
#include "http/protocol/url.hpp"
#include "tests/support/api_routes.hpp"
#include "tests/support/audiences.hpp"

namespace herald {
namespace {

class EventApi : public testing::api_routes {
protected:
  EventApi() {
    const auto publisher = spawn<publisher_actor>([this](const publish& order) {
      seen.push_back(order);
      return answer();
    });
    add_event_routes(routes, system(), publisher, {100, 10}, std::chrono::milliseconds{1234});
    add_task_event_testing_route(routes, system(), publisher);
  }

  result<publish_receipt> answer() const {
    if (error)
      return *error;
    return receipt;
  }

  api_reply post_waiting(const std::string& body, const std::string& wait_ms = {}) {
    api_request request;
    request.body = body;
    request.query["wait"] = "true";
    if (!wait_ms.empty())
      request.query["wait_ms"] = wait_ms;
    return call("POST", "/api/events", std::move(request));
  }

  std::vector<publish> seen;
  publish_receipt receipt{{{7}}, 3, 2, 1};
  std::optional<caf::error> error;
};

TEST_F(EventApi, PublishesOneEvent) {
  const auto reply =
    call("POST", "/api/events", R"({"event":"a","data":{"x": 1.0},"request_id":"X"})");
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.body, R"({"id":"7","recipients":3})");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_FALSE(seen[0].wait);
  ASSERT_EQ(seen[0].drafts.size(), 1u);
  EXPECT_EQ(seen[0].drafts[0].data, R"({"x":1.0})");
  EXPECT_EQ(page_of(seen[0].drafts[0].to), request_id{"X"});
}

TEST_F(EventApi, SaysHowLongARequestMayTake) {
  using namespace std::chrono_literals;
  const auto longest = [this](const std::string& query) {
    api_request request;
    request.query = parse_query(query);
    return routes.find("POST", "/api/events").found->takes.longest(request);
  };
  EXPECT_EQ(longest(""), 5s);
  EXPECT_EQ(longest("wait=true"), 6234ms) << "as the settings say";
  EXPECT_EQ(longest("wait=true&wait_ms=60000"), 65s);
  EXPECT_EQ(longest("wait=true&wait_ms=60001"), 5s) << "it is refused";
}

TEST_F(EventApi, SendsAPageTheTaskEventOfABrowserSuite) {
  const std::string path = "/api/testing/sse/task-event";
  const auto* body =
    R"({"request_id":"X","task_id":"t","event_type":"progress_update","data":{"value":1}})";
  receipt = {{{7}}, 1, 0, 0};
  auto reply = call("POST", path, body);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(
    reply.body,
    R"({"requestId":"X","request_id":"X","taskId":"t","task_id":"t",)"
    R"("eventType":"progress_update","event_type":"progress_update","delivered":true})");
  ASSERT_EQ(seen.size(), 1u);
  const auto& sent = seen[0].drafts.at(0);
  EXPECT_EQ(sent.name, "task_event");
  EXPECT_EQ(page_of(sent.to), request_id{"X"});
  EXPECT_TRUE(sent.data.starts_with(R"({"event_type":"progress_update","task_id":"t","timestamp")"))
    << sent.data;
  EXPECT_TRUE(sent.data.ends_with(R"("data":{"value":1}})")) << sent.data;

  receipt = {{{8}}, 0, 0, 0};
  reply = call("POST", path, body);
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find(R"("status":"not_found")"), std::string::npos) << reply.body;
  EXPECT_EQ(
    call("POST", path, R"({"request_id":"X","task_id":"t","event_type":"other"})").status, 400);
  EXPECT_EQ(seen.size(), 2u);
}

TEST_F(EventApi, WaitsForDeliveryWhereAsked) {
  auto reply = post_waiting(R"({"event":"a","data":1})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"id":"7","recipients":3,"delivered":2,"failed":1})");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_TRUE(seen[0].wait);
  receipt = {{{7}}, 3, 1, 0};
  reply = post_waiting(R"({"event":"a","data":1})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"id":"7","recipients":3,"delivered":1,"failed":0,"pending":2})");
}

TEST_F(EventApi, WaitsAsLongAsTheRequestSays) {
  post_waiting(R"({"event":"a","data":1})");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].longest_wait, std::chrono::milliseconds{1234}) << "as the settings say";
  EXPECT_EQ(post_waiting(R"({"event":"a","data":1})", "50").status, 200);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[1].longest_wait, std::chrono::milliseconds{50});
  for (const auto* wait_ms : {"0", "60001", "soon", "-1", "99999999999999999999"}) {
    const auto reply = post_waiting(R"({"event":"a","data":1})", wait_ms);
    EXPECT_EQ(reply.status, 400) << wait_ms;
    EXPECT_NE(reply.body.find(R"("field":"wait_ms")"), std::string::npos) << reply.body;
  }
  api_request request;
  request.body = R"({"event":"a","data":1})";
  request.query["wait_ms"] = "50";
  const auto reply = call("POST", "/api/events", std::move(request));
  EXPECT_EQ(reply.status, 400);
  EXPECT_NE(reply.body.find("is for wait=true only"), std::string::npos) << reply.body;
  EXPECT_EQ(seen.size(), 2u);
}

TEST_F(EventApi, PublishesManyAtOnce) {
  receipt = {{{7}, {8}}, 6, 0, 0};
  auto reply = call("POST", "/api/events", R"([{"event":"a","data":1},{"event":"b","data":2}])");
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.body, R"({"count":2,"ids":["7","8"]})");
  api_request lines;
  lines.content_type = "application/x-ndjson";
  lines.body = "{\"event\":\"a\",\"data\":1}\n{\"event\":\"b\",\"data\":2}\n";
  reply = call("POST", "/api/events", std::move(lines));
  EXPECT_EQ(reply.body, R"({"count":2,"ids":["7","8"]})");
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].drafts.size(), 2u);
  EXPECT_EQ(seen[1].drafts.size(), 2u);
}

TEST_F(EventApi, PublishesNothingOfABadBody) {
  for (const auto* body :
       {"", "nonsense", R"({"event":"a"})", R"([{"event":"a","data":1},{"event":"b"}])",
        R"({"event":"a","data":1,"to":"X"})"}) {
    const auto reply = call("POST", "/api/events", body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(reply.content_type, "application/problem+json");
  }
  const auto reply =
    call("POST", "/api/events", R"({"event":"a","data":")" + std::string(100, 'x') + "\"}");
  EXPECT_EQ(reply.status, 413);
  EXPECT_NE(reply.body.find(R"("field":"data")"), std::string::npos);
  api_request request;
  request.body = R"({"event":"a","data":1})";
  request.query["wait"] = "maybe";
  EXPECT_EQ(call("POST", "/api/events", std::move(request)).status, 400);
  EXPECT_TRUE(seen.empty());
}

TEST_F(EventApi, PassesTheFailureOfThePublisherOn) {
  error = fail(ec::shutting_down, "herald is shutting down");
  const auto reply = call("POST", "/api/events", R"({"event":"a","data":1})");
  EXPECT_EQ(reply.status, 503);
  EXPECT_NE(reply.body.find("herald is shutting down"), std::string::npos);
}

class VersionApi : public testing::api_routes {
protected:
  VersionApi() {
    const auto unexpected = [](const auto&) {
      ADD_FAILURE();
    };
    const auto store = spawn<version_store_actor>(
      [=](const connections_opened& m) { unexpected(m); },
      [=](const connection_closed& m) { unexpected(m); },
      [this](const queue_version& order) {
        seen.push_back(order);
        return version_queued{delivered};
      },
      [](const get_pending_version& query) -> result<pending_version> {
        if (query.id.str() != "X")
          return fail(ec::no_pending_version, "none");
        return pending_version{"1", "new"};
      },
      [=](const release_claim& m) { unexpected(m); },
      [=](const begin_shutdown& m) { unexpected(m); });
    add_version_routes(routes, system(), store, limits);
    add_version_testing_routes(routes, system(), store, limits);
  }

  const event_limits limits{100};
  std::vector<queue_version> seen;
  bool delivered = true;
};

TEST_F(VersionApi, RefusesAVersionThatIsTooLargeForAnEvent) {
  const std::string begin = R"({"request_id":"X","version":"1","changelog":")";
  for (const auto* path : {"/api/versions", "/api/testing/deployments/version"}) {
    const auto reply = call("POST", path, begin + std::string(100, 'x') + "\"}");
    EXPECT_EQ(reply.status, 413) << path;
    EXPECT_NE(reply.body.find(R"("field":"changelog")"), std::string::npos) << reply.body;
  }
  EXPECT_TRUE(seen.empty());
}

TEST_F(VersionApi, QueuesAVersion) {
  const auto reply =
    call("POST", "/api/versions", R"({"request_id":"X","version":"1","changelog":"new"})");
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.body, R"({"request_id":"X","delivered":true})");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].id, request_id{"X"});
  EXPECT_EQ(seen[0].version, "1");
  EXPECT_EQ(seen[0].changelog, "new");
  EXPECT_EQ(call("POST", "/api/versions", R"({"request_id":"X"})").status, 400);
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(VersionApi, AnswersBrowserSuitesInTheirWords) {
  const auto* body = R"({"request_id":"a\"b","version":"1","changelog":null})";
  auto reply = call("POST", "/api/testing/deployments/version", body);
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(
    reply.body,
    R"({"requestId":"a\"b","request_id":"a\"b","delivered":true,"status":"delivered"})");
  delivered = false;
  reply = call("POST", "/api/testing/deployments/version", body);
  EXPECT_EQ(
    reply.body, R"({"requestId":"a\"b","request_id":"a\"b","delivered":false,"status":"queued"})");
}

TEST_F(VersionApi, CountsAVersionAgainstTheRateOfItsKey) {
  using namespace std::chrono_literals;
  for (const auto* path : {"/api/versions", "/api/testing/deployments/version"})
    for (const auto& most : {publish_limits{1, 0}, publish_limits{0, 1}}) {
      api_caller caller;
      caller.rate = std::make_shared<publish_rate>(most);
      api_request request;
      request.body = R"({"request_id":"X","version":"1"})";
      request.by = std::make_shared<const api_caller>(caller);
      const auto before = std::chrono::steady_clock::now();
      EXPECT_EQ(caller.rate->wait(before), 0ms);
      EXPECT_EQ(call("POST", path, std::move(request)).status, 202);
      EXPECT_GT(caller.rate->wait(before), 0ms) << path << " " << most.publishes_per_s;
    }
}

TEST_F(VersionApi, ShowsThePendingVersion) {
  const auto reply = call("GET", "/api/versions/X");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"version":"1","changelog":"new"})");
  EXPECT_EQ(call("GET", "/api/versions/Y").status, 404);
  EXPECT_EQ(call("GET", "/api/versions/a:b").status, 400);
}

class ConnectionApi : public testing::api_routes {
protected:
  ConnectionApi() {
    const auto unexpected = [](const auto&) {
      ADD_FAILURE();
    };
    const auto registry = spawn<connection_registry_actor>(
      [=](const open_connection& m) { unexpected(m); },
      [=](const open_connections& m) { unexpected(m); },
      [=](const stream_closed& m) { unexpected(m); },
      [=](const delivery_failed& m) { unexpected(m); },
      [=](const delivery_settled& m) { unexpected(m); },
      [](const send_to_stream&) { return send_status::sent; },
      [](const publish&) { return publish_receipt{}; },
      [](const publish_recorded&) { return publish_receipt{}; },
      [=](const publish_step& m) { unexpected(m); },
      [=](const delivery_wait_over& m) { unexpected(m); },
      [=](const add_observer& m) { unexpected(m); },
      [this](const list_connections& query) {
        listed.push_back(query);
        connection_page page;
        page.total = 5;
        page.next = 9;
        return page;
      },
      [this](const close_connection& order) -> result<void> {
        stays_away.push_back(order.stay_away.count());
        if (order.id.str() != "X")
          return fail(ec::no_such_connection, "none");
        return caf::unit;
      },
      [this](const close_connections& order) {
        subjects.push_back(order.subject);
        return connections_ended{3};
      },
      [this](const change_topics& order) -> result<topics_changed> {
        changes.push_back(order);
        return topics_changed{{"a", "b/*"}, {77}};
      },
      [](const list_topics& query) {
        return topic_page{{{"a", 2}}, query.limit, query.after + 1};
      },
      [this](const list_events& query) {
        looked_back.push_back(query);
        return event_page{{}, {42}, true};
      },
      [=](const revoke_access& m) { unexpected(m); },
      [=](const release_claim& m) { unexpected(m); },
      [=](const adopt_streams& m) { unexpected(m); },
      [=](const begin_shutdown& m) { unexpected(m); }, [=](const flush& m) { unexpected(m); });
    add_connection_routes(routes, system(), registry);
    add_look_back_route(routes, system(), registry);
  }

  api_reply list(const std::string& limit, const std::string& after) {
    api_request request;
    if (!limit.empty())
      request.query["limit"] = limit;
    if (!after.empty())
      request.query["after"] = after;
    return call("GET", "/api/connections", std::move(request));
  }

  std::vector<list_connections> listed;
  static api_request with_query(const std::string& query) {
    api_request request;
    request.query = parse_query(query);
    request.raw_query = query;
    return request;
  }

  std::vector<std::int64_t> stays_away;
  std::vector<std::string> subjects;
  std::vector<change_topics> changes;
  std::vector<list_events> looked_back;
};

TEST_F(ConnectionApi, EndsAllStreamsOfASubject) {
  EXPECT_EQ(call("DELETE", "/api/connections", with_query("subject=ann")).body, R"({"closed":3})");
  EXPECT_EQ(subjects, (std::vector<std::string>{"ann"}));
  for (const auto* query : {"", "subject=", "subject=a%0Ab"}) {
    const auto reply = call("DELETE", "/api/connections", with_query(query));
    EXPECT_EQ(reply.status, 400) << query;
    EXPECT_NE(reply.body.find(R"("field":"subject")"), std::string::npos) << reply.body;
  }
  EXPECT_EQ(subjects.size(), 1u);
}

TEST_F(ConnectionApi, ChangesTheTopicsOfAPageAndSaysFromWhere) {
  const auto reply =
    call("POST", "/api/connections/X/topics", R"({"add":["a","b/*"],"remove":["c"]})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"topics":["a","b/*"]})");
  ASSERT_EQ(reply.headers.size(), 1u);
  EXPECT_EQ(reply.headers[0].first, "Herald-Last-Event-ID");
  EXPECT_EQ(reply.headers[0].second, "77");
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].id, request_id{"X"});
  EXPECT_EQ(changes[0].add, (std::vector<std::string>{"a", "b/*"}));
  EXPECT_EQ(changes[0].remove, (std::vector<std::string>{"c"}));
}

TEST_F(ConnectionApi, RefusesChangesOfTopicsByTheElementThatIsToBlame) {
  const std::pair<const char*, const char*> table[] = {
    {R"({})", "add"},
    {R"({"add":["a","b//c"]})", "add[1]"},
    {R"({"add":["a"],"remove":["*/b"]})", "remove[0]"},
    {R"({"add":[1]})", "add[0]"},
    {R"({"add":"a"})", "add"},
  };
  for (const auto& [body, field] : table) {
    const auto reply = call("POST", "/api/connections/X/topics", body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_NE(reply.body.find(std::string{R"("field":")"} + field + '"'), std::string::npos)
      << reply.body;
  }
  EXPECT_TRUE(changes.empty());
}

TEST_F(ConnectionApi, PagesThroughTopics) {
  EXPECT_EQ(
    call("GET", "/api/topics", with_query("limit=7&after=4")).body,
    R"({"topics":[{"topic":"a","streams":2}],"total":7,"next":"5"})");
}

TEST_F(ConnectionApi, LooksBackAsAStreamWithTheseParametersWould) {
  const auto reply = call(
    "GET", "/api/events",
    with_query("after=41&limit=5&topic=a&topic=b%2F*&request_id=X&subject=ann&role=r&broadcast=0"));
  EXPECT_EQ(reply.body, R"({"events":[],"last_id":"42","gap":true})");
  ASSERT_EQ(looked_back.size(), 1u);
  const auto& asked = looked_back[0];
  EXPECT_EQ(asked.after, event_id{41});
  EXPECT_EQ(asked.limit, 5u);
  ASSERT_TRUE(asked.who);
  EXPECT_EQ(asked.who->patterns, (std::vector<std::string>{"a", "b/*"}));
  EXPECT_EQ(asked.who->page, request_id{"X"});
  EXPECT_EQ(asked.who->subject, "ann");
  EXPECT_EQ(asked.who->roles, (std::vector<std::string>{"r"}));
  EXPECT_FALSE(asked.who->broadcast);

  EXPECT_EQ(call("GET", "/api/events").status, 200);
  EXPECT_FALSE(looked_back[1].who);
  EXPECT_FALSE(looked_back[1].after);
}

TEST_F(ConnectionApi, RefusesToLookBackByTheParameterThatIsToBlame) {
  const std::pair<const char*, const char*> table[] = {
    {"after=x", "after"},    {"limit=0", "limit"},
    {"topic=a//b", "topic"}, {"request_id=a:b", "request_id"},
    {"role=", "role"},       {"broadcast=maybe", "broadcast"},
  };
  for (const auto& [query, field] : table) {
    const auto reply = call("GET", "/api/events", with_query(query));
    EXPECT_EQ(reply.status, 400) << query;
    EXPECT_NE(reply.body.find(std::string{R"("field":")"} + field + '"'), std::string::npos)
      << reply.body;
  }
  EXPECT_TRUE(looked_back.empty());
}

TEST_F(ConnectionApi, PagesThroughConnections) {
  auto reply = list("", "");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"connections":[],"total":5,"next":"9"})");
  EXPECT_EQ(list("1000", "9").status, 200);
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].limit, 100u);
  EXPECT_EQ(listed[0].after, 0u);
  EXPECT_EQ(listed[1].limit, 1000u);
  EXPECT_EQ(listed[1].after, 9u);
}

TEST_F(ConnectionApi, RefusesPagesThatAreNone) {
  for (const auto* limit : {"0", "1001", "-1", "x", "1x", "99999999999999999999", " 1"})
    EXPECT_EQ(list(limit, "").status, 400) << limit;
  EXPECT_EQ(list("", "abc").status, 400);
  EXPECT_TRUE(listed.empty());
}

TEST_F(ConnectionApi, ClosesAConnection) {
  const auto reply = call("DELETE", "/api/connections/X");
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(call("DELETE", "/api/connections/Y").status, 404);
  EXPECT_EQ(call("DELETE", "/api/connections/a%3Ab").status, 400);
}

TEST_F(ConnectionApi, KeepsAPageAway) {
  const auto close = [this](const std::string& stay_away_s) {
    api_request request;
    request.query["stay_away_s"] = stay_away_s;
    return call("DELETE", "/api/connections/X", std::move(request)).status;
  };
  EXPECT_EQ(call("DELETE", "/api/connections/X").status, 204);
  EXPECT_EQ(close("0"), 204);
  EXPECT_EQ(close("86400"), 204);
  for (const auto* wrong : {"86401", "-1", "x", ""})
    EXPECT_EQ(close(wrong), 400) << wrong;
  EXPECT_EQ(stays_away, (std::vector<std::int64_t>{0, 0, 86'400}));
}

TEST(HealthApi, NamesWhatIsNotReady) {
  router routes;
  metrics numbers;
  numbers.counter("herald_test_total", "Of a test.").Increment();
  std::vector<std::string> missing;
  add_health_routes(
    routes, [&] { return missing; }, numbers);
  const auto get = [&](const char* path) {
    return routes.find("GET", path).found->answer({});
  };
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 200);
  missing = {"stream endpoint", "registry"};
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_NE(get("/readyz").body.find("stream endpoint, registry"), std::string::npos);
  // Where only keys are told of herald's inside.
  api_request stranger;
  stranger.by = std::make_shared<const api_caller>();
  const auto told = routes.find("GET", "/readyz").found->answer(stranger);
  EXPECT_EQ(told.status, 503);
  EXPECT_EQ(told.body.find("registry"), std::string::npos) << told.body;
  const auto shown = get("/metrics");
  EXPECT_EQ(shown.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(shown.body.find("herald_test_total 1"), std::string::npos);
}

} // namespace
} // namespace herald
