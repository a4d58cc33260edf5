#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <caf/response_promise.hpp>

#include "actors/history/event_history.hpp"
#include "actors/history/id_source.hpp"
#include "actors/history/retained_values.hpp"
#include "actors/pages/kept_away_pages.hpp"
#include "actors/pages/page_subjects.hpp"
#include "actors/pages/page_topics.hpp"
#include "actors/pages/revocations.hpp"
#include "actors/registry/batch_router.hpp"
#include "actors/registry/connection_registry.hpp"
#include "actors/registry/connection_table.hpp"
#include "actors/registry/pending_publish.hpp"
#include "actors/registry/registry_metrics.hpp"
#include "actors/registry/step_queue.hpp"
#include "actors/registry/unwritten_events.hpp"

namespace herald {

/// The state that outlives a restart of the registry's inside.
struct registry_state {
  registry_state(
    const registry_limits& bounds, registry_memory memory, event_id last,
    std::shared_ptr<event_place> told_place, watcher_actor who)
    : limits(bounds),
      place(told_place ? std::move(told_place) : std::make_shared<event_place>()),
      watcher(std::move(who)),
      journal(std::move(memory.journal)),
      ids(last, memory.ids_reserved),
      history(limits.history, journal ? memory.history_floor : last),
      values(limits.retain),
      router(table, history, values, static_cast<bool>(journal)),
      kept_away(limits.max_kept_away),
      topics(limits.max_topic_changes_bytes),
      subjects(limits.max_bindings),
      revoked(limits.max_revocations),
      unwritten(memory.max_queue_events, memory.max_queue_bytes),
      ending(memory.ending.begin(), memory.ending.end()) {}
  registry_state(const registry_state&) = delete;
  registry_state& operator=(const registry_state&) = delete;

  struct transport {
    delivery_actor via;
    /// Whether its streams outlive herald, and are recorded.
    bool lasting = false;
  };

  registry_limits limits;
  const std::shared_ptr<event_place> place;
  /// Null: nobody wants to know.
  const watcher_actor watcher;
  /// What the watcher is to be told by the end of the message.
  std::vector<stream_change> changes;
  const journal_actor journal;
  id_source ids;
  connection_table table;
  event_history history;
  retained_values values;
  batch_router router;
  /// Every transport that was ever seen: a handful (loops, gateway shards), so searched by walking.
  std::vector<transport> transports;
  std::vector<observer_actor> observers;
  kept_away_pages kept_away;
  page_topics topics;
  page_subjects subjects;
  revocations revoked;
  /// When all transports were last told the place.
  event_history::time_point place_told{};
  bool shutting_down = false;

  /// Tickets name deliveries and records that somebody waits for.
  ticket_id last_ticket = 0;
  pending_answers<pending_publish> publishers;
  pending_answers<caf::response_promise> connects;
  pending_answers<caf::response_promise> revokers;
  unwritten_events unwritten;
  step_queue steps;
  /// Why the steps could not be written that are to be written again.
  failure steps_failed;
  /// Streams of a former life that are in the journal until they have ended.
  std::unordered_set<token> ending;
  /// Events that the journal keeps and the history does not.
  std::size_t evicted_in_file = 0;
};

/// The inside of the registry: who is connected (connection_registry.cpp), what is published and
/// recorded (registry_publishing.cpp), what is told once it is recorded (registry_steps.cpp), who
/// hears what (registry_topics.cpp), by what right (registry_access.cpp), and what the watcher is
/// told of it (registry_watching.cpp).
class connection_registry {
public:
  using interface = connection_registry_actor::extend<
    caf::reacts_to<entries_recorded>, caf::reacts_to<record_steps_again>,
    caf::reacts_to<change_history>>;
  using self_type = self_pointer<interface>;
  using shell_type = shell<interface, connection_registry>;

  connection_registry(self_type self, std::shared_ptr<registry_state> state, metrics& numbers);

  static shell_type::behavior_type behavior(shell_type& s);

  result<void> on_open(const open_connection& command);
  void on_open_all(const open_connections& command);
  void on_closed(const stream_closed& fact);
  void on_failed(const delivery_failed& fact);
  void on_settled(const delivery_settled& fact);
  result<send_status> on_send(send_to_stream& command);
  result<publish_receipt> on_publish(publish& command);
  result<publish_receipt> on_publish_recorded(publish_recorded& command);
  void on_step(const publish_step& command);
  void on_release(const release_claim& order);
  void on_again(const record_steps_again&) { write_steps(); }
  void on_wait_over(const delivery_wait_over& fact);
  void on_recorded(const entries_recorded& fact);
  void on_observer(const add_observer& command);
  connection_page on_list(const list_connections& query);
  result<void> on_close(const close_connection& command);
  connections_ended on_close_all(const close_connections& command);
  result<void> on_revoke(const revoke_access& command);
  result<topics_changed> on_topics(const change_topics& command);
  topic_page on_list_topics(const list_topics& query);
  event_page on_look_back(const list_events& query);
  void on_adopt(const adopt_streams& command);
  void on_history(const change_history& command);
  void on_shutdown(const begin_shutdown&) { state_->shutting_down = true; }
  void on_flush(const flush&) {}

private:
  using connection = connection_table::connection;

  /// Messages about streams that were opened. They go out together for all of a storm, so that each
  /// receiver wakes up once.
  struct opened_streams {
    std::vector<std::pair<delivery_actor, attach_stream>> attached;
    connections_opened facts;
  };

  result<void> open(const open_connection& command, opened_streams& opened);
  void tell_opened(opened_streams& opened);
  connection_table::transport_index index_of(const delivery_actor& via, transport_kind kind);
  [[nodiscard]] event_history::time_point now() const { return self_->clock().now(); }
  bool keep_away(const request_id& id, std::chrono::seconds time);
  bool is_kept_away(const request_id& id);
  [[nodiscard]] bool room_for(const reach& hears) const;
  void close(const connection& open);
  void end_stream(const connection& ended, close_reason reason, event_ptr farewell);
  void drop(const token& stream, end_reason reason);
  void forget_former(const token& stream);
  void note_closed(const connection& gone, end_reason reason);
  void count_connections();
  template <class Fact>
  void tell_observers(const Fact& fact);
  event_history::missed missed_since(const std::string& cursor);
  reach_ptr reach_for(const open_connection& command);
  reach_ptr
  reach_with_changes(const request_id& id, const reach_ptr& asks, const credential_ptr& by);
  [[nodiscard]] reach_ptr reach_of(const token& stream) const;
  /// What a stream gets first: last values of its topics, and what it has missed where it has a
  /// cursor.
  missed_events beginning_of(
    const open_connection& command, const reach_ptr& hears, const event_history::missed& missed);

  /// A stream as it is in the table; nothing where there is none, or nobody wants to know.
  [[nodiscard]] std::optional<stream_facts> facts_of(const token& stream) const;
  [[nodiscard]] std::optional<stream_facts> facts_of(const std::optional<connection>& open) const;
  /// After the table has changed: these streams have closed, and this one has opened.
  void watch_streams(
    const std::vector<std::pair<std::optional<stream_facts>, std::string_view>>& closed,
    const std::optional<stream_facts>& opened);
  void watch_topics(const token& stream, const std::vector<std::string>& before);
  void watch_adopted(const token& stream);
  void tell_watcher();

  void forget_topics();
  void record_topics(const request_id& id);
  void count_topic_changes();
  void expire_values();

  [[nodiscard]] std::optional<failure> claim_page(const open_connection& command);
  void page_opened(const open_connection& command);
  void page_closed(const request_id& id);
  void forget_pages();
  void expire_revocations();

  /// Events are from outside; versions and tasks are ours.
  static bool is_from_outside(const publish& command);
  caf::error refusal(const publish& command);
  caf::error refuse(const publish& command);
  result<publish_receipt>
  say(publish& command, event_id first, std::vector<journal_entry> entries = {});
  routed_batch route(publish& command, event_id first);
  void send(
    routed_batch& batch, ticket_id ticket = 0,
    std::chrono::steady_clock::time_point answer_by = std::chrono::steady_clock::time_point::max());
  void stop_waiting(ticket_id ticket);
  void remind_of(ticket_id ticket, std::chrono::milliseconds after);
  void count_history(std::size_t evicted);
  void count_unwritten();

  void record(std::vector<journal_entry> entries, ticket_id ticket = 0);
  void record_events(routed_batch& batch, std::vector<journal_entry> entries, ticket_id ticket);
  void add_evictions(std::vector<journal_entry>& entries);
  void reserve_ids(std::vector<journal_entry>& entries, ticket_id ticket);
  void write_steps();
  void record_steps();
  void steps_recorded(const entries_recorded& fact);
  void tell_steps();
  void tell_keyed(step_queue::item& one);
  void retry_steps(const failure& why, bool perhaps);
  result<publish_receipt> say_once(publish& command);
  publish_receipt count(const step_queue::item& one) const;
  batch_kept keyed_entry(step_queue::item& one);
  result<void> record_stream(const open_connection& command, const std::optional<connection>& over);

  self_type self_;
  std::shared_ptr<registry_state> state_;
  registry_metrics numbers_;
};

} // namespace herald
