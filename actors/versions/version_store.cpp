#include "actors/versions/version_store.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "actors/supervision/pass_on.hpp"
#include "actors/versions/pending_versions.hpp"
#include "messages/wire/version_json.hpp"

namespace herald {

namespace {

constexpr const char* component = "version-store";

/// The state that outlives a restart of the inside.
struct store_state {
  store_state(std::size_t limit, recorder_actor to) : recorder(std::move(to)), pending(limit) {}

  const recorder_actor recorder;

  pending_versions pending;
  /// Connected since the fetch under way began; told its outcome.
  std::vector<request_id> waiting;
  bool fetching = false;
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
      evicted_(numbers.counter(
        "herald_versions_evicted_total", "Pending versions dropped at version.max_pending.")),
      fetch_failures_(numbers.counter(
        "herald_version_fetch_failures_total", "Current versions that could not be had.")) {
    if (const auto damage = state_->pending.check())
      throw state_damaged(*damage);
    pending_count_.Set(static_cast<double>(state_->pending.size()));
  }

  static shell<interface, version_store>::behavior_type
  behavior(shell<interface, version_store>& s) {
    return {
      s.repeatable(&version_store::on_opened),
      s.on(&version_store::on_closed),
      s.refusable(&version_store::on_queue),
      s.refusable(&version_store::on_get),
      s.repeatable(&version_store::on_release),
      s.on(&version_store::on_shutdown),
      s.control(),
    };
  }

  void on_opened(const connections_opened& facts);
  void on_closed(const connection_closed&) {}
  result<version_queued> on_queue(queue_version& command);
  result<pending_version> on_get(const get_pending_version& query);
  void on_release(const release_claim& order) { (void)pass_on(order); }
  void on_shutdown(const begin_shutdown&) { state_->shutting_down = true; }

private:
  void greet(const connection_opened& fact);
  void send_pending(const request_id& id, std::string data);
  void fetch();
  /// Static, like all that runs when an answer comes: this inside may be gone by then.
  static void
  send_current(store_state& state, const publisher_actor& publisher, const std::string& data);

  self_type self_;
  std::shared_ptr<store_state> state_;
  publisher_actor publisher_;
  version_source_actor source_;
  prometheus::Gauge& pending_count_;
  prometheus::Counter& evicted_;
  prometheus::Counter& fetch_failures_;
};

void version_store::on_opened(const connections_opened& facts) {
  for (const auto& fact : facts.all)
    greet(fact);
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
      send_pending(fact.id, data);
  } else if (source_ && replayed.empty()) {
    state_->waiting.push_back(fact.id);
    fetch();
  }
}

void version_store::send_pending(const request_id& id, std::string data) {
  publish command;
  command.drafts.push_back(version_draft(std::move(data), audience_of_page(id)));
  const auto kept = [id](std::string_view why) {
    log::error(component, "pending_version_not_sent", {{"request_id", id.str()}, {"why", why}});
  };
  self_->request(publisher_, caf::infinite, std::move(command))
    .then(
      [kept](const publish_receipt& receipt) {
        if (receipt.recipients == 0)
          kept("no stream");
      },
      [kept](const caf::error& error) { kept(describe(error).detail); });
}

void version_store::fetch() {
  if (state_->fetching)
    return;
  state_->fetching = true;
  self_->request(source_, caf::infinite, fetch_version{})
    .then(
      [state = state_, publisher = publisher_](const version_document& document) {
        send_current(*state, publisher, document.json);
      },
      [state = state_, publisher = publisher_, &failures = fetch_failures_](const caf::error& e) {
        const auto what = describe(e);
        failures.Increment();
        log::warning(
          component, "version_fetch_failed",
          {{"error", to_string(what.code)}, {"detail", what.detail}});
        send_current(*state, publisher, unknown_version_data(what.detail));
      });
}

void version_store::send_current(
  store_state& state, const publisher_actor& publisher, const std::string& data) {
  state.fetching = false;
  publish command;
  for (auto& id : std::exchange(state.waiting, {})) {
    // A version queued while the fetch was under way has reached this stream already, and counts.
    if (state.pending.find(id) == nullptr)
      command.drafts.push_back(version_draft(data, audience_of_page(std::move(id))));
  }
  if (!command.drafts.empty())
    caf::anon_send(publisher, std::move(command));
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
  pending_count_.Set(static_cast<double>(state_->pending.size()));

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
  auto state = std::make_shared<store_state>(limits.max_pending, std::move(memory.recorder));
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
