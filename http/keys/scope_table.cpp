#include "http/keys/scope_table.hpp"

#include <array>

namespace herald {

namespace {

constexpr bool audited = true;

constexpr std::array table = {
  route_scope{"GET", "/healthz", pass::open},
  route_scope{"GET", "/readyz", pass::open},
  route_scope{"GET", "/metrics", pass::key, scope::metrics_read},
  route_scope{"GET", "/", pass::any_key},
  route_scope{"GET", "/api/sse/stream", pass::any_key},

  route_scope{"POST", "/api/events", pass::key, scope::events_publish},
  route_scope{"GET", "/api/events", pass::key, scope::events_read},
  route_scope{"POST", "/api/versions", pass::key, scope::versions_write},
  route_scope{"GET", "/api/versions/{request_id}", pass::key, scope::versions_read},

  route_scope{"POST", "/api/tasks", pass::key, scope::tasks_start, audited},
  route_scope{"GET", "/api/tasks", pass::key, scope::tasks_read},
  route_scope{"GET", "/api/tasks/{id}", pass::key, scope::tasks_read},
  route_scope{"GET", "/api/tasks/{id}/status", pass::key, scope::tasks_read},
  // Of tasks that the key has started itself; those of others take `admin`.
  route_scope{"DELETE", "/api/tasks/{id}", pass::key, scope::tasks_start, audited},
  route_scope{"POST", "/api/tasks/{id}/cancel", pass::key, scope::tasks_start, audited},
  route_scope{"POST", "/api/tasks/{id}/progress", pass::task, scope::tasks_report},
  route_scope{"POST", "/api/tasks/{id}/complete", pass::task, scope::tasks_report},
  route_scope{"POST", "/api/tasks/{id}/fail", pass::task, scope::tasks_report},

  route_scope{"GET", "/api/connections", pass::key, scope::connections_read},
  route_scope{"GET", "/api/topics", pass::key, scope::connections_read},
  route_scope{"DELETE", "/api/connections", pass::key, scope::connections_close, audited},
  route_scope{
    "DELETE", "/api/connections/{request_id}", pass::key, scope::connections_close, audited},
  route_scope{
    "POST", "/api/connections/{request_id}/topics", pass::key, scope::connections_topics, audited},

  route_scope{"POST", "/api/tickets", pass::key, scope::tickets_issue, audited},
  route_scope{"POST", "/api/revocations", pass::key, scope::tokens_revoke, audited},
  route_scope{"GET", "/api/actors", pass::key, scope::admin, audited},
  route_scope{"POST", "/api/journal/backup", pass::key, scope::admin, audited},

  route_scope{"POST", "/api/sse/callback", pass::callback_secret},
  route_scope{"POST", "/internal/send", pass::internal_secret, scope::admin},

  route_scope{"POST", "/api/testing/deployments/version", pass::key, scope::admin, audited},
  route_scope{"POST", "/api/testing/sse/task-event", pass::key, scope::admin, audited},
  route_scope{"POST", "/api/testing/tasks/start", pass::key, scope::admin, audited},
};

} // namespace

std::span<const route_scope> scope_table() {
  return table;
}

route_scope scope_of(std::string_view method, std::string_view pattern) {
  if (pattern.empty())
    return {method, pattern, pass::any_key};
  for (const auto& row : table)
    if (row.method == method && row.pattern == pattern)
      return row;
  return {method, pattern, pass::key, scope::admin, audited};
}

} // namespace herald
