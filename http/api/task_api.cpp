#include "http/api/task_api.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "http/keys/api_access.hpp"
#include "http/protocol/json_reply.hpp"
#include "http/protocol/problem.hpp"
#include "http/server/ask.hpp"
#include "http/server/request_arguments.hpp"
#include "messages/idempotency.hpp"
#include "messages/json/json_writer.hpp"
#include "messages/wire/task_input.hpp"
#include "messages/wire/task_json.hpp"

namespace herald {

namespace {

/// The task runner, as handlers talk to it.
struct tasks_at {
  caf::actor_system& system;
  task_runner_actor runner;
  task_rules rules = {};

  template <class Answer, class Question>
  caf::expected<Answer> ask(Question question) const {
    return herald::ask<Answer>(system, runner, std::move(question));
  }

  /// Asks what was understood of a request; what was not is the answer.
  template <class Answer, class Question>
  caf::expected<Answer> ask(caf::expected<Question> question) const {
    if (!question)
      return question.error();
    return ask<Answer>(std::move(*question));
  }
};

task_id id_of(const api_request& request) {
  return task_id{request.path_arguments.at(0)};
}

/// The answer in JSON, or the problem in its place.
template <class Answer>
api_reply reply_of(const caf::expected<Answer>& answer) {
  return answer ? json_reply(200, to_json(*answer)) : problem(answer.error());
}

/// The task of a request with a key has its id from there: one that comes again finds it.
caf::expected<start_task> planned(caf::expected<start_task> wanted, const api_request& request) {
  if (wanted && request.once)
    wanted->planned = task_id{request.once->seed.str()};
  return wanted;
}

/// Whether an API key asks, and not somebody who needs none here.
bool has_api_key(const api_request& request) {
  return request.by && !request.by->key.name.empty();
}

/// Why the key of the request may not start this task, if it may not. What is told of a task is
/// published.
std::optional<std::string>
start_violation(const tasks_at& tasks, const api_request& request, const start_task& wanted) {
  if (!has_api_key(request))
    return std::nullopt;
  const auto& key = request.by->key;
  const auto& types = key.tasks;
  if (!types.empty() && std::find(types.begin(), types.end(), wanted.type) == types.end())
    return "this key may not start tasks of this type";
  const bool names_nobody = !wanted.to || wanted.to->everyone();
  return names_nobody && !tasks.rules.told ? std::nullopt : publish_violation(key, wanted.to);
}

api_reply start(const tasks_at& tasks, const api_request& request) {
  auto wanted = planned(parse_start_task(request.body), request);
  if (!wanted)
    return problem(wanted.error());
  if (const auto why = start_violation(tasks, request, *wanted))
    return insufficient_scope(*why, scope::tasks_start);
  if (has_api_key(request)) {
    const auto seed = request.once ? std::optional{request.once->seed.str()} : std::nullopt;
    wanted->planned = tasks.rules.seal.id_for(request.by->key.name, seed);
  }
  const auto task = tasks.ask<task_view>(std::move(*wanted));
  if (!task)
    return problem(task.error());
  const bool external = task->type == external_type;
  auto reply = json_reply(
    202, started_json(*task, external ? tasks.rules.seal.token_of(task->id) : std::string{}));
  reply.headers.emplace_back("Location", "/api/tasks/" + task->id.str());
  return reply;
}

api_reply start_test(const tasks_at& tasks, const api_request& request) {
  const auto task = tasks.ask<task_view>(planned(parse_test_task(request.body), request));
  return task ? json_reply(200, started_json(*task)) : problem(task.error());
}

api_reply list(const tasks_at& tasks, const api_request& request) {
  const auto which = page_arguments(request);
  if (!which)
    return problem(which.error());
  return reply_of(tasks.ask<task_page>(list_tasks{which->after, which->limit}));
}

api_reply show(const tasks_at& tasks, const api_request& request) {
  return reply_of(tasks.ask<task_view>(get_task{id_of(request)}));
}

/// Where the key of the request has not started the task: that it may not end it.
std::optional<api_reply> not_its_own(const tasks_at& tasks, const api_request& request) {
  if (
    !has_api_key(request) || request.by->may(scope::admin)
    || tasks.rules.seal.is_of(id_of(request), request.by->key.name))
    return std::nullopt;
  return insufficient_scope("this key has not started this task", scope::admin);
}

api_reply cancel(const tasks_at& tasks, const api_request& request) {
  if (auto refused = not_its_own(tasks, request))
    return std::move(*refused);
  return reply_of(tasks.ask<task_view>(cancel_task{id_of(request)}));
}

api_reply remove(const tasks_at& tasks, const api_request& request) {
  if (auto refused = not_its_own(tasks, request))
    return std::move(*refused);
  const auto removed = tasks.ask<void>(remove_task{id_of(request)});
  return removed ? json_reply(204, {}) : problem(removed.error());
}

api_reply note_progress(const tasks_at& tasks, const api_request& request) {
  return reply_of(tasks.ask<task_view>(parse_progress(id_of(request), request.body)));
}

api_reply note_completion(const tasks_at& tasks, const api_request& request) {
  return reply_of(tasks.ask<task_view>(parse_completion(id_of(request), request.body)));
}

api_reply note_failure(const tasks_at& tasks, const api_request& request) {
  return reply_of(tasks.ask<task_view>(parse_failure(id_of(request), request.body)));
}

using task_handler = api_reply (*)(const tasks_at&, const api_request&);

router::handler handler_of(const tasks_at& tasks, task_handler handle) {
  return [tasks, handle](const api_request& request) {
    return handle(tasks, request);
  };
}

/// In the words of two generations of suites.
api_reply send_test_event(
  caf::actor_system& system, const publisher_actor& publisher, const api_request& request) {
  auto order = parse_test_task_event(request.body);
  if (!order)
    return problem(order.error());
  order->event.timestamp = std::chrono::system_clock::now();
  draft event{
    "task_event", to_json(order->event), audience_of_page(order->page), service_type::task};
  const auto receipt = ask<publish_receipt>(system, publisher, publish{{std::move(event)}, false});
  if (!receipt)
    return problem(receipt.error());
  if (receipt->recipients == 0)
    return json_reply(
      400, object_writer{}
             .text("error", "No SSE connection registered for request_id: " + order->page.str())
             .text("status", "not_found")
             .finish());
  const auto type = to_string(order->event.type);
  return json_reply(
    200, object_writer{}
           .text("requestId", order->page.str())
           .text("request_id", order->page.str())
           .text("taskId", order->event.id.str())
           .text("task_id", order->event.id.str())
           .text("eventType", type)
           .text("event_type", type)
           .boolean("delivered", true)
           .finish());
}

} // namespace

void add_task_routes(
  router& routes, caf::actor_system& system, const task_runner_actor& runner,
  const task_rules& rules) {
  const auto add = [&routes, tasks = tasks_at{system, runner, rules}](
                     const char* method, const char* pattern, task_handler handle,
                     const route_input& takes = no_parameters) {
    routes.add(method, pattern, takes, handler_of(tasks, handle));
  };
  add("POST", "/api/tasks", start, planned_route);
  add("GET", "/api/tasks", list, {{"limit", "after"}});
  add("GET", "/api/tasks/{id}", show);
  add("GET", "/api/tasks/{id}/status", show);
  add("DELETE", "/api/tasks/{id}", remove);
  add("POST", "/api/tasks/{id}/cancel", cancel);
  add("POST", "/api/tasks/{id}/progress", note_progress);
  add("POST", "/api/tasks/{id}/complete", note_completion);
  add("POST", "/api/tasks/{id}/fail", note_failure);
}

void add_task_testing_routes(
  router& routes, caf::actor_system& system, const task_runner_actor& runner) {
  routes.add(
    "POST", "/api/testing/tasks/start", planned_route,
    handler_of(tasks_at{system, runner}, start_test));
}

void add_task_event_testing_route(
  router& routes, caf::actor_system& system, const publisher_actor& publisher) {
  routes.add(
    "POST", "/api/testing/sse/task-event", no_parameters,
    [&system, publisher](const api_request& request) {
      return send_test_event(system, publisher, request);
    });
}

} // namespace herald
