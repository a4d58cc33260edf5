#include "http/task_api.hpp"

#include <charconv>
#include <string>
#include <utility>

#include "http/ask.hpp"
#include "http/problem.hpp"
#include "messages/task_input.hpp"
#include "messages/task_json.hpp"
#include "messages/type_ids.hpp"

namespace herald {

namespace {

constexpr std::size_t default_limit = 100;
constexpr std::size_t max_limit = 1000;

/// What every handler needs.
struct tasks_at {
  caf::actor_system& system;
  task_runner_actor runner;

  template <class Answer, class Question>
  caf::expected<Answer> ask(Question question) const {
    return herald::ask<Answer>(system, runner, std::move(question));
  }
};

task_id id_of(const api_request& request) {
  return task_id{request.path_arguments.at(0)};
}

/// `{"task_id","status"}`. An id that herald has made needs no escaping.
api_reply short_reply(int status, const task_view& task) {
  api_reply reply;
  reply.status = status;
  reply.body.append(R"({"task_id":")").append(task.id.str());
  reply.body.append(R"(","status":")").append(to_string(task.status)).append("\"}");
  return reply;
}

/// The answer in JSON, or the problem in its place.
template <class Answer>
api_reply reply_of(const caf::expected<Answer>& answer) {
  if (!answer)
    return problem(answer.error());
  api_reply reply;
  reply.body = to_json(*answer);
  return reply;
}

/// The number that a query argument holds, from 0 to `max`.
caf::expected<std::uint64_t> number_argument(
  const api_request& request, const char* name, std::uint64_t otherwise, std::uint64_t max) {
  const auto text = request.argument(name);
  if (!text)
    return otherwise;
  std::uint64_t number = 0;
  const auto* end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc{} || rest != end || number > max)
    return fail(ec::invalid_field, "must be a whole number up to " + std::to_string(max), name);
  return number;
}

/// The params of built-in types are known here; those of commands are the commands' business.
caf::error check_params(const start_task& command) {
  if (command.type != "demo" && command.type != "failing")
    return {};
  const auto params = parse_pause_params(command.params_json);
  return params ? caf::error{} : params.error();
}

caf::expected<task_view> start(const tasks_at& tasks, caf::expected<start_task> command) {
  if (!command)
    return command.error();
  if (auto error = check_params(*command))
    return error;
  return tasks.ask<task_view>(std::move(*command));
}

api_reply post_task(const tasks_at& tasks, const api_request& request) {
  const auto task = start(tasks, parse_start_task(request.body));
  if (!task)
    return problem(task.error());
  auto reply = short_reply(202, *task);
  reply.headers.emplace_back("Location", "/api/tasks/" + task->id.str());
  return reply;
}

api_reply post_test_task(const tasks_at& tasks, const api_request& request) {
  auto command = parse_test_task(request.body);
  if (command) {
    if (command->type != "demo_task" && command->type != "failing_task")
      return problem(fail(
        ec::unknown_task_type, "no such type; there are: demo_task, failing_task", "task_type"));
    command->type = command->type == "demo_task" ? "demo" : "failing";
  }
  const auto task = start(tasks, std::move(command));
  return task ? short_reply(200, *task) : problem(task.error());
}

api_reply get_tasks(const tasks_at& tasks, const api_request& request) {
  const auto limit = number_argument(request, "limit", default_limit, max_limit);
  if (!limit)
    return problem(limit.error());
  if (*limit == 0)
    return problem(fail(ec::invalid_field, "must be at least 1", "limit"));
  const auto after = number_argument(request, "after", 0, UINT64_MAX);
  if (!after)
    return problem(after.error());
  return reply_of(tasks.ask<task_page>(list_tasks{*after, *limit}));
}

api_reply get_one(const tasks_at& tasks, const api_request& request) {
  return reply_of(tasks.ask<task_view>(herald::get_task{id_of(request)}));
}

api_reply cancel(const tasks_at& tasks, const api_request& request) {
  return reply_of(tasks.ask<task_view>(cancel_task{id_of(request)}));
}

api_reply remove(const tasks_at& tasks, const api_request& request) {
  const auto removed = tasks.ask<void>(remove_task{id_of(request)});
  if (!removed)
    return problem(removed.error());
  return {204, {}, {}, {}};
}

/// A report on an external task, answered with the task as it is after it.
template <class Report>
api_reply report(const tasks_at& tasks, caf::expected<Report> what) {
  if (!what)
    return problem(what.error());
  const auto id = what->id;
  const auto taken = tasks.ask<void>(std::move(*what));
  if (!taken)
    return problem(taken.error());
  return reply_of(tasks.ask<task_view>(herald::get_task{id}));
}

} // namespace

void add_task_routes(router& routes, caf::actor_system& system, const task_runner_actor& runner) {
  const auto add = [&](const char* method, const char* pattern, auto handler) {
    routes.add(method, pattern, [tasks = tasks_at{system, runner}, handler](const api_request& r) {
      return handler(tasks, r);
    });
  };
  add("POST", "/api/tasks", post_task);
  add("GET", "/api/tasks", get_tasks);
  add("GET", "/api/tasks/{id}", get_one);
  add("GET", "/api/tasks/{id}/status", get_one);
  add("DELETE", "/api/tasks/{id}", remove);
  add("POST", "/api/tasks/{id}/cancel", cancel);
  add("POST", "/api/tasks/{id}/progress", [](const tasks_at& tasks, const api_request& r) {
    return report(tasks, parse_progress(id_of(r), r.body));
  });
  add("POST", "/api/tasks/{id}/complete", [](const tasks_at& tasks, const api_request& r) {
    return report(tasks, parse_completion(id_of(r), r.body));
  });
  add("POST", "/api/tasks/{id}/fail", [](const tasks_at& tasks, const api_request& r) {
    return report(tasks, parse_failure(id_of(r), r.body));
  });
}

void add_task_testing_routes(
  router& routes, caf::actor_system& system, const task_runner_actor& runner) {
  routes.add(
    "POST", "/api/testing/tasks/start",
    [tasks = tasks_at{system, runner}](const api_request& request) {
      return post_test_task(tasks, request);
    });
}

} // namespace herald
