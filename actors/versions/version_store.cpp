#include "actors/versions/version_store.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "actors/supervision/pass_on.hpp"
#include "actors/versions/pending_versions.hpp"
#include "messages/wire/version_json.hpp"

namespace herald {

namespace {

constexpr const char* component = "version-store";

/// Versions are on their way to pages up to so many bytes; more wait as the ids of their pages.
constexpr std::size_t most_under_way = std::size_t{4} << 20U;
/// Of the drafts of one message; a draft counts so much beside its text.
constexpr std::size_t most_at_once = std::size_t{1} << 20U;
constexpr std::size_t draft_cost = 256;

/// The state that outlives a restart of the inside.
struct store_state {
  store_state(const version_settings& limits, recorder_actor to)
    : recorder(std::move(to)),
      pending(limits.max_pending, limits.max_pending_bytes) {}

  const recorder_actor recorder;

  pending_versions pending;
  /// Pages with an open stream. They are to be told: of the version that is pending for them; of
  /// the outcome of the fetch that is under way; and of that of the last one, which is `current`.
  std::set<request_id> owed;
  std::set<request_id> waiting;
  std::set<request_id> due;
  std::string current;
  bool fetching = false;
  /// Of the texts that the publisher has not answered for.
  std::size_t bytes_under_way = 0;
  bool shutting_down = false;
};

draft version_draft(std::string data, audience_ptr to) {
  return {"version", std::move(data), std::move(to), service_type::version};
}

class version_store {
public:
  using interface = version_store_actor;
  using self_type = self_pointer<interface>;

  version_store(
    self_type self, std::shared_ptr<store_state> state, publisher_actor publisher,
    version_source_actor source, metrics& numbers)
    : self_(self),
      state_(std::move(state)),
      publisher_(std::move(publisher)),
      source_(std::move(source)),
      pending_count_(numbers.gauge("herald_versions_pending", "Pending versions kept.")),
      pending_bytes_(numbers.gauge("herald_versions_pending_bytes", "Bytes of pending versions.")),
      evicted_(numbers.counter(
        "herald_versions_evicted_total",
        "Pending versions dropped at version.max_pending or max_pending_bytes.")),
      fetch_failures_(numbers.counter(
        "herald_version_fetch_failures_total", "Current versions that could not be had.")) {
    if (const auto damage = state_->pending.check())
      throw state_damaged(*damage);
    count_pending();
  }

  static shell<interface, version_store>::behavior_type
  behavior(shell<interface, version_store>& s) {
    return {
      s.repeatable(&version_store::on_opened),
      s.repeatable(&version_store::on_closed),
      s.refusable(&version_store::on_queue),
      s.refusable(&version_store::on_get),
      s.repeatable(&version_store::on_release),
      s.on(&version_store::on_shutdown),
      s.control(),
    };
  }

  void on_opened(const connections_opened& facts);
  void on_closed(const connection_closed& fact);
  result<version_queued> on_queue(queue_version& command);
  result<pending_version> on_get(const get_pending_version& query);
  void on_release(const release_claim& order) { (void)pass_on(order); }
  void on_shutdown(const begin_shutdown&) { state_->shutting_down = true; }

private:
  void count_pending();
  void greet(const connection_opened& fact);
  void fetch();
  // Static, like all that runs when an answer comes: this inside may be gone by then.
  using state_ptr = std::shared_ptr<store_state>;
  static void send(self_type self, const state_ptr& state, const publisher_actor& publisher);
  static void send_pending(
    self_type self, const state_ptr& state, const publisher_actor& publisher, const request_id& id,
    std::string data);
  static void
  send_current(self_type self, const state_ptr& state, const publisher_actor& publisher);

  self_type self_;
  std::shared_ptr<store_state> state_;
  publisher_actor publisher_;
  version_source_actor source_;
  prometheus::Gauge& pending_count_;
  prometheus::Gauge& pending_bytes_;
  prometheus::Counter& evicted_;
  prometheus::Counter& fetch_failures_;
};

void version_store::on_opened(const connections_opened& facts) {
  for (const auto& fact : facts.all) {
    greet(fact);
    send(self_, state_, publisher_);
  }
  fetch();
}

void version_store::on_closed(const connection_closed& fact) {
  for (auto* pages : {&state_->owed, &state_->waiting, &state_->due})
    pages->erase(fact.id);
}

void version_store::count_pending() {
  pending_count_.Set(static_cast<double>(state_->pending.size()));
  pending_bytes_.Set(static_cast<double>(state_->pending.bytes()));
}

void version_store::greet(const connection_opened& fact) {
  const auto& replayed = fact.replayed_versions;
  if (const auto* version = state_->pending.find(fact.id)) {
    const auto data = version_data(*version);
    const auto same = [&data](const event_ptr& sent) {
      return sent->data == data;
    };
    // A version that was queued for somebody else does not stand in for this stream's own.
    if (std::none_of(replayed.begin(), replayed.end(), same))
      state_->owed.insert(fact.id);
  } else if (source_ && replayed.empty()) {
    state_->waiting.insert(fact.id);
  }
}

/// As much as may be under way; each answer sends more.
void version_store::send(self_type self, const state_ptr& state, const publisher_actor& publisher) {
  while (!state->owed.empty() && state->bytes_under_way < most_under_way) {
    const auto id = std::move(state->owed.extract(state->owed.begin()).value());
    // It may have been evicted meanwhile.
    if (const auto* version = state->pending.find(id))
      send_pending(self, state, publisher, id, version_data(*version));
  }
  while (!state->due.empty() && state->bytes_under_way < most_under_way)
    send_current(self, state, publisher);
}

void version_store::send_pending(
  self_type self, const state_ptr& state, const publisher_actor& publisher, const request_id& id,
  std::string data) {
  const auto bytes = draft_cost + data.size();
  publish command;
  command.drafts.push_back(version_draft(std::move(data), audience_of_page(id)));
  const auto kept = [id](std::string_view why) {
    log::error(component, "pending_version_not_sent", {{"request_id", id.str()}, {"why", why}});
  };
  const auto go_on = [self, state, publisher, bytes] {
    state->bytes_under_way -= bytes;
    send(self, state, publisher);
  };
  state->bytes_under_way += bytes;
  self->request(publisher, caf::infinite, std::move(command))
    .then(
      [kept, go_on](const publish_receipt& receipt) {
        if (receipt.recipients == 0)
          kept("no stream");
        go_on();
      },
      [kept, go_on](const caf::error& error) {
        kept(describe(error).detail);
        go_on();
      });
}

/// One message's worth of pages that are told the current version. Where it cannot be published the
/// registry says so.
void version_store::send_current(
  self_type self, const state_ptr& state, const publisher_actor& publisher) {
  const auto each = draft_cost + state->current.size();
  publish command;
  while (!state->due.empty() && command.drafts.size() * each < most_at_once) {
    auto id = std::move(state->due.extract(state->due.begin()).value());
    // A version queued while the fetch was under way has reached this stream already, and counts.
    if (state->pending.find(id) == nullptr)
      command.drafts.push_back(version_draft(state->current, audience_of_page(std::move(id))));
  }
  if (command.drafts.empty())
    return;
  const auto bytes = command.drafts.size() * each;
  const auto go_on = [self, state, publisher, bytes](const auto&) {
    state->bytes_under_way -= bytes;
    send(self, state, publisher);
  };
  state->bytes_under_way += bytes;
  self->request(publisher, caf::infinite, std::move(command))
    .then(
      [go_on](const publish_receipt& receipt) { go_on(receipt); },
      [go_on](const caf::error& error) { go_on(error); });
}

void version_store::fetch() {
  if (state_->fetching || state_->waiting.empty())
    return;
  state_->fetching = true;
  const auto came = [self = self_, state = state_, publisher = publisher_](std::string data) {
    state->fetching = false;
    state->current = std::move(data);
    state->due.merge(state->waiting);
    state->waiting.clear();
    send(self, state, publisher);
  };
  self_->request(source_, caf::infinite, fetch_version{})
    .then(
      [came](const version_document& document) { came(document.json); },
      [came, &failures = fetch_failures_](const caf::error& e) {
        const auto what = describe(e);
        failures.Increment();
        log::warning(
          component, "version_fetch_failed",
          {{"error", to_string(what.code)}, {"detail", what.detail}});
        came(unknown_version_data(what.detail));
      });
}

result<version_queued> version_store::on_queue(queue_version& command) {
  if (state_->shutting_down)
    return fail(ec::shutting_down, "no new versions are taken");
  const pending_version version{command.version, command.changelog};
  publish broadcast;
  broadcast.drafts.push_back(version_draft(version_data(version), nullptr));
  broadcast.drafts.back().also = command.id;
  broadcast.once = command.once;
  const auto evicted = state_->pending.put(command.id, version);
  evicted_.Increment(static_cast<double>(evicted.size()));
  count_pending();

  auto answer = self_->make_response_promise<version_queued>();
  const auto published = [answer](const publish_receipt& receipt) mutable {
    answer.deliver(version_queued{receipt.recipients > 0});
  };
  const auto failed = [answer](caf::error& error) mutable {
    answer.deliver(std::move(error));
  };
  if (!state_->recorder) {
    self_->request(publisher_, caf::infinite, std::move(broadcast)).then(published, failed);
    return answer;
  }
  publish_recorded both{std::move(broadcast), {}};
  both.entries.emplace_back(version_kept{command.id, version});
  for (const auto& id : evicted)
    both.entries.emplace_back(version_dropped{id});
  self_->request(state_->recorder, caf::infinite, std::move(both)).then(published, failed);
  return answer;
}

result<pending_version> version_store::on_get(const get_pending_version& query) {
  const auto* version = state_->pending.find(query.id);
  if (version == nullptr)
    return fail(ec::no_pending_version, "no version is pending for this request_id", "request_id");
  return *version;
}

} // namespace

supervised<version_store_actor> spawn_version_store(
  caf::actor_system& system, shell_options options, const version_settings& limits,
  publisher_actor publisher, version_source_actor source, metrics& numbers, version_memory memory) {
  auto state = std::make_shared<store_state>(limits, std::move(memory.recorder));
  for (auto& [id, version] : memory.versions)
    state->pending.put(id, std::move(version));
  return spawn_supervised<version_store::interface, version_store>(
    system, std::move(options),
    [state, publisher = std::move(publisher), source = std::move(source),
     &numbers](version_store::self_type self) {
      return std::make_unique<version_store>(self, state, publisher, source, numbers);
    });
}

} // namespace herald
