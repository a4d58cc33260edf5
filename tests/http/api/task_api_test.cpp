#include "http/api/task_api.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/keys/api_caller.hpp"
#include "messages/idempotency.hpp"
#include "tests/support/api_routes.hpp"

namespace herald {
namespace {

using lines = std::vector<std::string>;

/// The routes of tasks over a runner that notes what it is asked, and answers with `task`, `page`
/// or, if there is one, `error`.
class TaskApi : public testing::api_routes {
protected:
  TaskApi() {
    task.id = task_id{"7"};
    task.type = "demo";
    const auto runner = spawn<task_runner_actor>(
      [this](const start_task& m) {
        to = m.to;
        planned = m.planned;
        return noted("start " + m.type + " " + m.params_json, task);
      },
      [this](const get_task& m) { return noted("get " + m.id.str(), task); },
      [this](const list_tasks& m) {
        return noted("list " + std::to_string(m.after) + " " + std::to_string(m.limit), page);
      },
      [this](const cancel_task& m) { return noted("cancel " + m.id.str(), task); },
      [this](const remove_task& m) -> result<void> {
        seen.push_back("remove " + m.id.str());
        if (error)
          return *error;
        return {};
      },
      [this](const report_progress& m) {
        return noted(
          "progress " + m.id.str() + " " + std::to_string(m.value).substr(0, 4) + " "
            + m.text.value_or("-"),
          task);
      },
      [this](const report_completion& m) {
        return noted("complete " + m.id.str() + " " + m.result_json, task);
      },
      [this](const report_failure& m) { return noted("fail " + m.id.str() + " " + m.error, task); },
      [](const task_progressed&) { ADD_FAILURE(); }, [](const task_finished&) { ADD_FAILURE(); },
      [](const worker_idle&) { ADD_FAILURE(); }, [](const begin_shutdown&) { ADD_FAILURE(); },
      [](const abort_all_tasks&) { ADD_FAILURE(); });
    add_task_routes(routes, system(), runner, rules);
    add_task_testing_routes(routes, system(), runner);
  }

  template <class Answer>
  result<Answer> noted(std::string line, const Answer& answer) {
    seen.push_back(std::move(line));
    if (error)
      return *error;
    return answer;
  }

  api_reply list(const std::string& limit, const std::string& after = {}) {
    api_request request;
    if (!limit.empty())
      request.query["limit"] = limit;
    if (!after.empty())
      request.query["after"] = after;
    return call("GET", "/api/tasks", std::move(request));
  }

  static bool blames(const api_reply& reply, const std::string& field) {
    return reply.content_type == "application/problem+json"
           && reply.body.find(R"("field":")" + field + "\"") != std::string::npos;
  }

  lines seen;
  /// Of the task that was started last.
  audience_ptr to;
  task_view task;
  task_page page;
  std::optional<caf::error> error;
  std::optional<task_id> planned;
  const task_rules rules;
};

const auto* const shown_task =
  R"({"task_id":"7","type":"demo","status":"pending","start_time":null,"end_time":null,)"
  R"("progress":0,"progress_text":null,"result":null,"error":null,"seq":0})";

TEST_F(TaskApi, StartsATask) {
  const auto reply = call("POST", "/api/tasks", R"({"type":"demo","params":{"steps":2}})");
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.body, R"({"task_id":"7","status":"pending"})");
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_EQ(
    reply.headers,
    (std::vector<std::pair<std::string, std::string>>{{"Location", "/api/tasks/7"}}));
  EXPECT_EQ(seen, (lines{R"(start demo {"steps":2})"}));
}

/// Asks as somebody with a key of this name and these scopes.
api_request by_key(const std::string& name, const std::vector<scope>& scopes) {
  api_caller caller;
  caller.key.name = name;
  for (const auto which : scopes)
    caller.key.scopes.add(which);
  api_request request;
  request.by = std::make_shared<const api_caller>(std::move(caller));
  return request;
}

TEST_F(TaskApi, GivesWhoDoesTheWorkATokenForItsReports) {
  task.type = "external";
  const auto reply = call("POST", "/api/tasks", R"({"type":"external"})");
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(
    reply.body, R"({"task_id":"7","status":"pending","task_token":")"
                  + rules.seal.token_of(task_id{"7"}) + "\"}");
}

TEST_F(TaskApi, LetsAKeyEndWhatItHasStartedAndNothingElse) {
  auto starts = by_key("shop", {scope::tasks_start});
  starts.body = R"({"type":"demo"})";
  ASSERT_EQ(call("POST", "/api/tasks", starts).status, 202);
  ASSERT_TRUE(planned);
  const auto mine = "/api/tasks/" + planned->str();
  EXPECT_EQ(call("POST", mine + "/cancel", by_key("shop", {scope::tasks_start})).status, 200);
  EXPECT_EQ(call("DELETE", mine, by_key("shop", {scope::tasks_start})).status, 204);
  const auto ended = seen.size();
  for (const auto& reply :
       {call("POST", mine + "/cancel", by_key("other", {scope::tasks_start})),
        call("DELETE", mine, by_key("other", {scope::tasks_start})),
        call("POST", "/api/tasks/7/cancel", by_key("shop", {scope::tasks_start}))}) {
    EXPECT_EQ(reply.status, 403);
    EXPECT_NE(reply.body.find("this key has not started this task"), std::string::npos);
  }
  EXPECT_EQ(seen.size(), ended);
  EXPECT_EQ(call("POST", mine + "/cancel", by_key("other", {scope::admin})).status, 200);
}

TEST_F(TaskApi, HoldsAKeyToItsTypesAndToWhomItMayTell) {
  auto caller = *by_key("shop", {scope::tasks_start}).by;
  caller.key.tasks = {"report"};
  caller.key.topics = {"orders/*"};
  const auto start = [&](const std::string& body) {
    api_request request;
    request.by = std::make_shared<const api_caller>(caller);
    request.body = body;
    return call("POST", "/api/tasks", std::move(request)).status;
  };
  EXPECT_EQ(start(R"({"type":"report","topic":"orders/1"})"), 202);
  EXPECT_EQ(start(R"({"type":"demo","topic":"orders/1"})"), 403);
  EXPECT_EQ(start(R"({"type":"report","topic":"news"})"), 403);
  EXPECT_EQ(start(R"({"type":"report"})"), 403) << "everyone would be told";
  EXPECT_EQ(seen.size(), 1u);
}

TEST_F(TaskApi, SaysWhomATaskIsFor) {
  for (const auto& [path, body] :
       {std::pair{"/api/tasks", R"({"type":"demo","request_id":"mine"})"},
        std::pair{
          "/api/testing/tasks/start", R"({"task_type":"demo_task","request_id":"mine"})"}}) {
    to = nullptr;
    call("POST", path, body);
    ASSERT_TRUE(to) << path;
    EXPECT_EQ(*to, *audience_of_page(request_id{"mine"})) << path;
  }
  EXPECT_TRUE(
    blames(call("POST", "/api/tasks", R"({"type":"demo","topics":["a",""]})"), "topics[1]"));
}

TEST_F(TaskApi, StartsNothingOfABadBody) {
  for (const auto* body : {"", "x", "[]", "{}"}) {
    const auto reply = call("POST", "/api/tasks", body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(reply.content_type, "application/problem+json") << body;
  }
  EXPECT_TRUE(blames(call("POST", "/api/tasks", R"({"type":1})"), "type"));
  EXPECT_TRUE(
    blames(call("POST", "/api/tasks", R"({"type":"demo","params":{"steps":0}})"), "params.steps"));
  const auto reply = call(
    "POST", "/api/tasks",
    R"({"type":"report","params":{"a":")" + std::string(max_task_json_bytes, 'x') + R"("}})");
  EXPECT_EQ(reply.status, 413);
  EXPECT_TRUE(blames(reply, "params"));
  EXPECT_EQ(seen, lines{});
}

TEST_F(TaskApi, RefusesUnknownTypesWithTheListOfTypes) {
  error = fail(ec::unknown_task_type, "no such type; there are: demo, external", "type");
  const auto reply = call("POST", "/api/tasks", R"({"type":"dmeo"})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_TRUE(blames(reply, "type"));
  EXPECT_NE(reply.body.find("there are: demo, external"), std::string::npos);
}

TEST_F(TaskApi, RefusesNewTasksWhileShuttingDownOrOverloaded) {
  for (const auto code : {ec::shutting_down, ec::overloaded}) {
    error = fail(code, "not now");
    for (const auto& [path, body] :
         {std::pair{"/api/tasks", R"({"type":"demo"})"},
          std::pair{"/api/testing/tasks/start", R"({"task_type":"demo_task"})"}}) {
      const auto reply = call("POST", path, body);
      EXPECT_EQ(reply.status, 503);
      EXPECT_EQ(
        reply.headers, (std::vector<std::pair<std::string, std::string>>{{"Retry-After", "1"}}));
    }
  }
}

TEST_F(TaskApi, ShowsATask) {
  task.progress_text = "half";
  task.progress = 0.5;
  task.status = task_status::running;
  for (const auto* path : {"/api/tasks/7", "/api/tasks/7/status"}) {
    const auto reply = call("GET", path);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(
      reply.body,
      R"({"task_id":"7","type":"demo","status":"running","start_time":null,"end_time":null,)"
      R"("progress":0.5,"progress_text":"half","result":null,"error":null,"seq":0})");
  }
  EXPECT_EQ(seen, (lines{"get 7", "get 7"}));
}

TEST_F(TaskApi, PagesThroughTasks) {
  page.tasks = {task};
  page.total = 5;
  page.next = 9;
  const auto reply = list("");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, std::string{R"({"tasks":[)"} + shown_task + R"(],"total":5,"next":"9"})");
  page = {};
  EXPECT_EQ(list("1000", "9").body, R"({"tasks":[],"total":0,"next":null})");
  EXPECT_EQ(seen, (lines{"list 0 100", "list 9 1000"}));
}

TEST_F(TaskApi, RefusesPagesThatItCannotGive) {
  for (const auto* limit : {"0", "1001", "-1", "ten", "1.5", "99999999999999999999"}) {
    const auto reply = list(limit);
    EXPECT_EQ(reply.status, 400) << limit;
    EXPECT_TRUE(blames(reply, "limit")) << limit;
  }
  for (const auto* after : {"-1", "x", "1x"})
    EXPECT_TRUE(blames(list("10", after), "after")) << after;
  EXPECT_EQ(seen, lines{});
}

TEST_F(TaskApi, CancelsATask) {
  task.status = task_status::cancelled;
  const auto reply = call("POST", "/api/tasks/7/cancel");
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.body.find(R"("status":"cancelled")"), std::string::npos);
  EXPECT_EQ(seen, (lines{"cancel 7"}));
}

TEST_F(TaskApi, RemovesATask) {
  const auto reply = call("DELETE", "/api/tasks/7");
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(seen, (lines{"remove 7"}));
}

TEST_F(TaskApi, TakesReportsOnExternalTasks) {
  for (const auto& [what, body] :
       {std::pair{"progress", R"({"value":0.25,"text":"a"})"},
        std::pair{"progress", R"({"value":1})"}, std::pair{"complete", R"({"result":[1]})"},
        std::pair{"complete", ""}, std::pair{"fail", R"({"error":"no"})"}}) {
    const auto reply = call("POST", std::string{"/api/tasks/7/"} + what, body);
    EXPECT_EQ(reply.status, 200) << what;
    EXPECT_EQ(reply.body, shown_task) << "the task as it is after the report";
  }
  EXPECT_EQ(
    seen,
    (lines{
      "progress 7 0.25 a", "progress 7 1.00 -", "complete 7 [1]", "complete 7 null", "fail 7 no"}));
}

TEST_F(TaskApi, RefusesReportsThatAreNone) {
  EXPECT_TRUE(blames(call("POST", "/api/tasks/7/progress", R"({"value":2})"), "value"));
  EXPECT_TRUE(blames(call("POST", "/api/tasks/7/complete", R"({"reslt":2})"), "reslt"));
  EXPECT_TRUE(blames(call("POST", "/api/tasks/7/fail", "{}"), "error"));
  EXPECT_EQ(call("POST", "/api/tasks/7/fail", "").status, 400);
  EXPECT_EQ(seen, lines{});
}

TEST_F(TaskApi, PassesOnWhatTheRunnerRefuses) {
  struct request {
    const char* method;
    const char* path;
    const char* body;
  };
  for (const auto& [code, status] :
       {std::pair{ec::no_such_task, 404}, std::pair{ec::task_ended, 409},
        std::pair{ec::task_not_ended, 409}, std::pair{ec::task_not_external, 409}}) {
    error = fail(code, "because");
    for (const auto& [method, path, body] :
         {request{"GET", "/api/tasks/7", ""}, request{"GET", "/api/tasks/7/status", ""},
          request{"POST", "/api/tasks/7/cancel", ""}, request{"DELETE", "/api/tasks/7", ""},
          request{"POST", "/api/tasks/7/progress", R"({"value":0.5})"},
          request{"POST", "/api/tasks/7/complete", ""},
          request{"POST", "/api/tasks/7/fail", R"({"error":"no"})"}}) {
      const auto reply = call(method, path, body);
      EXPECT_EQ(reply.status, status) << method << ' ' << path;
      EXPECT_NE(reply.body.find(R"("detail":"because")"), std::string::npos) << path;
    }
  }
}

TEST_F(TaskApi, StartsTasksForBrowserSuitesInTheirWords) {
  auto reply = call(
    "POST", "/api/testing/tasks/start",
    R"({"task_type":"demo_task","params":{"steps":3,"delay":0.1}})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"task_id":"7","status":"pending"})");
  reply = call("POST", "/api/testing/tasks/start", R"({"task_type":"failing_task"})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(seen, (lines{R"(start demo {"steps":3,"delay":0.1})", "start failing {}"}));
  reply = call("POST", "/api/testing/tasks/start", R"({"task_type":"report"})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_TRUE(blames(reply, "task_type"));
}

TEST_F(TaskApi, HasTestingRoutesOnlyWhereTheyAreAdded) {
  router plain;
  add_task_routes(plain, system(), {});
  EXPECT_EQ(plain.find("POST", "/api/testing/tasks/start").found, nullptr);
  EXPECT_NE(plain.find("POST", "/api/tasks").found, nullptr);
}

TEST_F(TaskApi, StartsATaskOfAKeyUnderTheIdThatFollowsFromIt) {
  const auto seed = token::from_bits(1, 2);
  api_request request;
  request.body = R"({"type":"demo"})";
  call("POST", "/api/tasks", request);
  EXPECT_EQ(planned, std::nullopt);
  request.once = std::make_shared<const claimed_key>(claimed_key{{}, 1, seed, {}, {}});
  call("POST", "/api/tasks", request);
  EXPECT_EQ(planned, task_id{seed.str()});
  EXPECT_TRUE(routes.find("POST", "/api/tasks").found->takes.planned);
}

} // namespace
} // namespace herald
