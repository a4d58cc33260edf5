// By what right streams are open: whose a page is, what is revoked.

#include <utility>

#include "actors/registry/registry_inside.hpp"

namespace herald {

namespace {

constexpr const char* component = "connection-registry";

} // namespace

/// Why a stream may not have its page; nothing where it may, which is its subject's from now on.
std::optional<failure> connection_registry::claim_page(const open_connection& command) {
  auto& state = *state_;
  forget_pages();
  if (!command.by)
    return std::nullopt;
  expire_revocations();
  const auto& by = *command.by;
  if (state.revoked.covers(by))
    return failure{ec::invalid_token, {}, {}};
  if (const auto* owner = state.subjects.find(command.id)) {
    if (*owner == by.subject)
      return std::nullopt;
    log::info(
      component, "page_refused",
      {{"request_id", command.id.str()},
       {"subject", by.subject},
       {"why", "it belongs to another subject"}});
    return failure{ec::forbidden, "belongs to another subject", "request_id"};
  }
  std::optional<request_id> forgotten;
  const auto until = now() + state.limits.history.max_age_s;
  if (!state.subjects.bind(command.id, by.subject, until, forgotten)) {
    numbers_.bindings_refused.Increment();
    return failure{ec::overloaded, "as many pages as may be have streams (auth.max_bindings)", {}};
  }
  if (forgotten)
    numbers_.bindings_evicted.Increment();
  numbers_.bindings.Set(static_cast<double>(state.subjects.size()));
  if (state.journal) {
    std::vector<journal_entry> entries;
    if (forgotten)
      entries.emplace_back(page_unbound{std::move(*forgotten)});
    entries.emplace_back(page_bound{command.id, by.subject});
    record(std::move(entries));
  }
  return std::nullopt;
}

void connection_registry::page_opened(const open_connection& command) {
  if (command.by)
    state_->subjects.opened(command.id, command.by);
}

/// What is kept of a page is kept for as long as it may come back for what it missed.
void connection_registry::page_closed(const request_id& id) {
  const auto until = now() + state_->limits.history.max_age_s;
  state_->topics.closed(id, until);
  state_->subjects.closed(id, until);
}

void connection_registry::forget_pages() {
  auto& state = *state_;
  std::vector<journal_entry> entries;
  for (auto& id : state.subjects.expire(now()))
    entries.emplace_back(page_unbound{std::move(id)});
  if (entries.empty())
    return;
  numbers_.bindings.Set(static_cast<double>(state.subjects.size()));
  if (state.journal)
    record(std::move(entries));
}

void connection_registry::expire_revocations() {
  auto& state = *state_;
  std::vector<journal_entry> entries;
  for (auto& one : state.revoked.expire(std::chrono::system_clock::now()))
    entries.emplace_back(std::move(one));
  numbers_.revocations.Set(static_cast<double>(state.revoked.size()));
  if (state.journal && !entries.empty())
    record(std::move(entries));
}

result<void> connection_registry::on_revoke(const revoke_access& command) {
  auto& state = *state_;
  expire_revocations();
  const auto kept = state.revoked.add(command.what, command.until);
  if (!kept) {
    numbers_.revocations_refused.Increment();
    return fail(
      ec::overloaded, "as many revocations as may be are kept already (auth.max_revocations)");
  }
  numbers_.revocations.Set(static_cast<double>(state.revoked.size()));
  std::size_t ended = 0;
  for (const auto& id : state.subjects.revoked_by(kept->what))
    if (const auto open = state.table.find(id)) {
      close(*open);
      ++ended;
    }
  log::info(
    component, "access_revoked",
    {{"jti", kept->what.credential_id}, {"subject", kept->what.subject}, {"streams", ended}});
  if (!state.journal)
    return caf::unit;
  const auto ticket = ++state.last_ticket;
  auto answer = self_->make_response_promise();
  state.revokers.add(ticket, answer, {.journal = true});
  record({*kept}, ticket);
  return answer;
}

} // namespace herald
