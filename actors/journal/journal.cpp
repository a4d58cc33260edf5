#include "actors/journal/journal.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <utility>

namespace herald {

namespace {

constexpr const char* component = "journal";

std::size_t bytes_of(const events_kept& events) {
  std::size_t bytes = 0;
  for (const auto& one : events.events)
    bytes += sizeof(event) + one.what->name.size() + one.what->data.size();
  return bytes;
}

std::size_t bytes_of(const journal_entry& entry) {
  if (const auto* events = std::get_if<events_kept>(&entry))
    return sizeof(journal_entry) + bytes_of(*events);
  if (const auto* step = std::get_if<step_kept>(&entry))
    return sizeof(journal_entry) + bytes_of(step->told) + step->task.task.result_json.size();
  if (const auto* batch = std::get_if<batch_kept>(&entry))
    return sizeof(journal_entry) + 2 * bytes_of(batch->told);
  if (const auto* answer = std::get_if<answer_kept>(&entry); answer != nullptr && answer->answer)
    return sizeof(journal_entry) + answer->answer->body.size();
  if (const auto* told = std::get_if<webhooks_kept>(&entry)) {
    std::size_t bytes = sizeof(journal_entry);
    for (const auto& one : told->events)
      bytes += sizeof one + one.data.size();
    return bytes;
  }
  return sizeof(journal_entry);
}

/// What was not written and still has to be. The broadcast of a version follows it.
void keep_in(journal_backlog& backlog, const std::vector<journal_entry>& entries) {
  const request_id* announced = nullptr;
  for (const auto& entry : entries) {
    const auto* told = std::get_if<events_kept>(&entry);
    if (told != nullptr && announced != nullptr)
      backlog.keep_broadcast(*announced, *told);
    else
      backlog.keep(entry);
    if (const auto* version = std::get_if<version_kept>(&entry))
      announced = &version->id;
    else if (!std::holds_alternative<version_dropped>(entry))
      announced = nullptr;
  }
}

prometheus::Counter& failures(metrics& numbers, const char* reason) {
  return numbers.counter(
    "herald_journal_failures_total", "Groups that could not be written, by reason.",
    {{"reason", reason}});
}

} // namespace

class journal::state {
public:
  state(std::unique_ptr<journal_store> to, journal_options opts, metrics& numbers)
    : store(std::move(to)),
      options(std::move(opts)),
      groups_(numbers.counter("herald_journal_groups_total", "Transactions that were written.")),
      entries_(numbers.counter("herald_journal_entries_total", "Entries that were written.")),
      full_(failures(numbers, "full")),
      failed_(failures(numbers, "failed")),
      failing_(
        numbers.gauge("herald_journal_failing", "1 while the journal cannot be written, else 0.")),
      bytes_(numbers.gauge("herald_journal_bytes", "The journal's files on the disk.")),
      taken_(numbers.latency("herald_journal_write_seconds", "Time to write one group.")) {
    bytes_.Set(static_cast<double>(store->bytes()));
  }

  /// A listener that waits for the outcome of a group, and its tickets.
  struct waiting {
    journal_listener_actor who;
    ticket_id first = 0;
    ticket_id last = 0;
  };

  struct group {
    std::vector<journal_entry> entries;
    std::size_t bytes = 0;
    std::vector<waiting> listeners;
    std::vector<caf::response_promise> flushes;

    [[nodiscard]] bool empty() const noexcept {
      return entries.empty() && listeners.empty() && flushes.empty();
    }
  };

  failure write(std::vector<journal_entry>& entries);
  void note(const failure& outcome, std::size_t entries, double seconds);
  void tidy() {
    store->tidy();
    bytes_.Set(static_cast<double>(store->bytes()));
  }

  const std::unique_ptr<journal_store> store;
  const journal_options options;
  group next;
  journal_backlog backlog;
  bool failing = false;
  std::uint64_t last_number = 0;
  /// Who waits for the copy that is being made.
  std::optional<caf::typed_response_promise<journal_backup>> copying;

private:
  prometheus::Counter& groups_;
  prometheus::Counter& entries_;
  prometheus::Counter& full_;
  prometheus::Counter& failed_;
  prometheus::Gauge& failing_;
  prometheus::Gauge& bytes_;
  prometheus::Histogram& taken_;
};

/// Writes the entries behind those that are still owed.
failure journal::state::write(std::vector<journal_entry>& entries) {
  auto all = backlog.take_all();
  if (all.empty())
    all = std::move(entries);
  else
    std::move(entries.begin(), entries.end(), std::back_inserter(all));
  // Something has to be written for the answer to be worth anything.
  if (all.empty())
    all.emplace_back(ids_reserved{});
  const auto before = std::chrono::steady_clock::now();
  failure outcome;
  try {
    outcome = store->write(all);
  } catch (...) {
    keep_in(backlog, all);
    throw;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
  if (outcome.code != ec::none)
    keep_in(backlog, all);
  note(outcome, all.size(), took.count());
  return outcome;
}

void journal::state::note(const failure& outcome, std::size_t entries, double seconds) {
  const bool bad = outcome.code != ec::none;
  if (bad) {
    (outcome.code == ec::storage_full ? full_ : failed_).Increment();
  } else {
    groups_.Increment();
    entries_.Increment(static_cast<double>(entries));
    taken_.Observe(seconds);
  }
  if (bad == std::exchange(failing, bad))
    return;
  failing_.Set(bad ? 1 : 0);
  if (bad)
    log::error(
      component, "write_failed", {{"error", to_string(outcome.code)}, {"detail", outcome.detail}});
  else
    log::info(component, "write_recovered");
}

journal::journal(self_pointer<interface> self, std::shared_ptr<state> kept)
  : self_(self),
    state_(std::move(kept)) {
  // A former inside may have left entries.
  if (!state_->next.empty() || !state_->backlog.empty())
    schedule();
  if (state_->copying)
    schedule_copy();
}

journal::shell_type::behavior_type journal::behavior(shell_type& s) {
  // An entry that were lost between two others would be answered for with them.
  return {s.repeatable(&journal::record), s.on(&journal::flush), s.refusable(&journal::back_up),
          s.on(&journal::commit),         s.on(&journal::copy),  s.control()};
}

journal::shell_type::builder
journal::builder(std::unique_ptr<journal_store> store, journal_options options, metrics& numbers) {
  auto kept = std::make_shared<state>(std::move(store), std::move(options), numbers);
  return [kept](self_pointer<interface> self) {
    return std::make_unique<journal>(self, kept);
  };
}

void journal::record(const record_entries& command) {
  auto& next = state_->next;
  auto entries = command.entries;
  std::size_t bytes = 0;
  for (const auto& entry : entries)
    bytes += bytes_of(entry);
  next.entries.insert(
    next.entries.end(), std::make_move_iterator(entries.begin()),
    std::make_move_iterator(entries.end()));
  next.bytes += bytes;
  if (command.ticket != 0) {
    auto& listeners = next.listeners;
    const auto known = std::find_if(
      listeners.begin(), listeners.end(), [&](const auto& w) { return w.who == command.listener; });
    if (known == listeners.end())
      listeners.push_back({command.listener, command.ticket, command.ticket});
    else
      known->last = command.ticket;
  }
  if (next.bytes >= state_->options.max_group_bytes)
    write();
  else
    schedule();
}

result<void> journal::flush(const herald::flush&) {
  if (state_->next.empty() && state_->backlog.empty())
    return caf::unit;
  state_->next.flushes.push_back(self_->make_response_promise());
  schedule();
  return caf::delegated<void>{};
}

result<journal_backup> journal::back_up(const back_up_journal& command) {
  if (auto why = state_->store->begin_copy(command.name); why.code != ec::none)
    return fail(why.code, std::move(why.detail), std::move(why.field));
  state_->copying = self_->make_response_promise<journal_backup>();
  schedule_copy();
  return *state_->copying;
}

void journal::schedule_copy() {
  copy_turn_ = ++state_->last_number;
  caf::anon_send(caf::actor_cast<interface>(self_), copy_more{copy_turn_});
}

void journal::copy(const copy_more& order) {
  if (order.number != copy_turn_)
    return;
  copy_turn_ = 0;
  auto [why, made] = state_->store->copy_piece();
  if (why.code == ec::none && !made)
    return schedule_copy();
  auto answer = *std::exchange(state_->copying, std::nullopt);
  if (made) {
    log::info(component, "copied", {{"file", made->name}, {"bytes", made->bytes}});
    answer.deliver(std::move(*made));
  } else {
    log::error(component, "copy_failed", {{"error", to_string(why.code)}, {"detail", why.detail}});
    answer.deliver(fail(why.code, std::move(why.detail), std::move(why.field)));
  }
}

/// Everything that is in the mailbox by now joins the group.
void journal::schedule() {
  if (turn_ != 0)
    return;
  turn_ = ++state_->last_number;
  caf::anon_send(caf::actor_cast<interface>(self_), commit_entries{turn_});
}

void journal::commit(const commit_entries& order) {
  if (order.number == turn_)
    turn_ = 0;
  else if (order.number == retry_)
    retry_ = 0;
  else
    return;
  if (!state_->next.empty() || !state_->backlog.empty() || state_->failing)
    write();
}

void journal::write() {
  auto group = std::exchange(state_->next, {});
  failure outcome{ec::actor_failed, "internal error while writing the journal", {}};
  bool perhaps = true;
  const auto answer = [&] {
    for (const auto& [who, first, last] : group.listeners)
      caf::anon_send(who, entries_recorded{first, last, outcome, perhaps});
    for (auto& waiting : group.flushes)
      waiting.deliver(caf::unit);
  };
  try {
    outcome = state_->write(group.entries);
    perhaps = outcome.code != ec::none && state_->store->perhaps_written();
  } catch (...) {
    answer();
    throw;
  }
  answer();
  state_->tidy();
  if (state_->failing && retry_ == 0) {
    retry_ = ++state_->last_number;
    self_->delayed_send(
      caf::actor_cast<interface>(self_), state_->options.retry, commit_entries{retry_});
  }
}

supervised<file_journal_actor> spawn_journal(
  caf::actor_system& system, shell_options shell, std::unique_ptr<journal_store> store,
  journal_options options, metrics& numbers) {
  return spawn_supervised<journal::interface, journal, caf::detached>(
    system, std::move(shell), journal::builder(std::move(store), std::move(options), numbers));
}

} // namespace herald
