#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <caf/actor_system.hpp>

#include "actors/system/jitter.hpp"
#include "actors/system/secret_source.hpp"
#include "actors/telemetry/metrics.hpp"
#include "http/admission/client_limits.hpp"
#include "http/admission/stream_admission.hpp"
#include "http/admission/stream_limits.hpp"
#include "http/admission/stream_metrics.hpp"
#include "http/admission/stream_options.hpp"
#include "http/fanout/stall_patrol.hpp"
#include "http/fanout/stream_feed.hpp"
#include "http/fanout/stream_table.hpp"
#include "http/sockets/acceptor.hpp"
#include "http/sockets/repeating_timer.hpp"
#include "http/sockets/socket_set.hpp"
#include "http/streams/asked_clients.hpp"
#include "http/streams/key_waiters.hpp"
#include "http/streams/loop_child.hpp"
#include "http/streams/loop_inbox.hpp"
#include "http/streams/pending_clients.hpp"
#include "http/streams/stream_heartbeats.hpp"
#include "http/streams/stream_openings.hpp"
#include "http/streams/stream_sockets.hpp"
#include "messages/actors.hpp"
#include "messages/text/expirations.hpp"
#include "messages/type_ids.hpp"

namespace herald {

/// A thread of the stream endpoint: accepts clients, reads their heads, and then keeps them as bare
/// descriptors over a `stream_table`. All its sockets are in one epoll set, nested in the
/// io_context that keeps the time.
///
/// Made, run and destroyed on that thread, in whose descriptor table its sockets are; others talk
/// to it through its inbox.
class stream_loop final : private request_sink, private client_sink {
public:
  /// Shared by the loops of an endpoint; outlives them.
  struct surroundings {
    caf::actor_system& system;
    stream_options options;
    stream_owner_actor owner;
    stream_limits& limits;
    client_limits& clients;
    metrics& numbers;
    /// Descriptors that one loop may have.
    std::size_t descriptors = 0;
    /// Decides what becomes of a loop that has failed; without one it goes on at once.
    supervisor_actor supervisor;
  };

  /// Takes clients of all listeners; the inbox outlives the loop.
  stream_loop(
    const surroundings& around, unsigned index, std::vector<owned_fd> listeners, loop_inbox& inbox);
  stream_loop(const stream_loop&) = delete;
  stream_loop& operator=(const stream_loop&) = delete;
  ~stream_loop() override;

  /// Works until it is told to stop.
  ///
  /// A step that throws (no memory) ends as a handler of an actor does: the supervisor is told, and
  /// decides when the loop goes on, with the order at hand, which is not half done but for its own
  /// stream. A loop that is not to go on ends its streams, takes no clients, and obeys nothing but
  /// the order to stop.
  void run();

  /// Its name as a child of the supervisor.
  [[nodiscard]] static std::string name_of(unsigned index);

  /// Streams that a loop may have with so many descriptors: some are for what is not a stream yet.
  [[nodiscard]] static std::size_t streams_in(std::size_t descriptors);

private:
  using clock = std::chrono::steady_clock;
  using error_code = boost::system::error_code;

  /// The kinds of sockets in the set.
  enum class kind : std::uint32_t { listener, inbox, from_api, pending, stream };
  static socket_tag tag(kind what, std::uint32_t index = 0) {
    return {static_cast<std::uint32_t>(what), index};
  }

  void work_on();
  void idle();

  // clients
  [[nodiscard]] bool gathering() const;
  void stop_accepting();
  void on_client(int fd, clock::time_point now) override;
  void add_client(int fd, clock::time_point now, std::string_view read, bool proxied = false);
  void on_handed_back(std::uint32_t what, clock::time_point now);
  void on_gathered() override;
  std::optional<api_reply>
  on_request(const client_socket& from, const request_head& request) override;
  std::optional<api_reply> hand_over(const client_socket& from, const request_head& request);
  header_list on_refusal(ec why) override;
  void open(
    const client_socket& from, const request_head& request, stream_admission::admitted& admitted);
  void ask_application(stream_slot slot, stream_admission::admitted& admitted);
  void announce(stream_slot slot, stream_opening& request);
  void announce_openings();
  void announce_now();

  // the inbox
  void on_inbox();
  bool apply(loop_order& what);
  void apply_one(const attach_stream& order);
  void apply_one(const refuse_stream& order);
  void apply_one(const close_stream& order);
  void apply_one(const change_reach& order);
  void apply_one(drain_loop& order);
  void apply_one(const change_settings& order);
  void apply_one(const keys_fetched& order);
  void apply_one(const application_answered& order);
  void apply_one(const backlog_query& query);
  void apply_one(const stop_loop&) { io_.stop(); }
  void apply_one(const inside_order&) {}
  bool apply_some(const deliver& order);
  [[nodiscard]] bool accepts_stream(stream_slot slot) const;
  void turn_away(stream_slot slot, stream_metrics::refusal why, bool report);
  void refuse_waiting(stream_slot slot, const api_reply& reply, bool report);
  [[nodiscard]] missed_events within_budget(const client_limits::replayed& who, missed_events all);

  // sending
  void work();
  bool work_a_round();
  void schedule();
  void report_progress();
  void arrange_answers();
  void on_sockets();
  void after_sockets();
  void on_stream_ended(const ended_stream& stream);

  // time
  void on_heartbeats();
  void on_tick();
  void log_unsent_versions();
  void on_patrol();
  void drain_some();
  [[nodiscard]] bool expire_some();
  void give_ticket_back(stream_slot slot);

  /// Changes where settings are live.
  stream_options options_;
  const stream_owner_actor owner_;
  stream_limits& limits_;
  client_limits& clients_;
  const std::size_t descriptors_;
  const unsigned index_;
  stream_metrics metrics_;
  prometheus::Histogram& handling_;
  loop_child child_;
  secret_source secrets_;
  jitter jitter_{secrets_()};
  stream_admission admission_;

  boost::asio::io_context io_{1};
  boost::asio::steady_timer announcement_{io_};
  /// Set for `answers_due_`, while somebody waits for delivery.
  boost::asio::steady_timer answers_{io_};
  std::optional<clock::time_point> answers_due_;
  repeating_timer beats_;
  repeating_timer tick_;
  repeating_timer patrols_;
  socket_set sockets_;
  boost::asio::posix::stream_descriptor socket_events_{io_, sockets_.descriptor()};
  /// One for each listener.
  std::deque<acceptor> acceptors_;
  pending_clients pending_;

  stream_sockets streams_;
  stream_table table_;
  stream_feed feed_;
  stream_openings openings_;
  stream_heartbeats heartbeats_;
  key_waiters key_waiters_;
  asked_clients asked_;
  expirations expiring_;
  /// Some of them are due.
  bool expiry_due_ = false;
  /// The timer for the next announcement is set.
  bool announcing_ = false;
  stall_patrol patrol_;
  bool scheduled_ = false;
  bool watching_ = false;

  loop_inbox& inbox_;
  /// Orders that were taken from the inbox; the first may be half done.
  std::deque<loop_order> orders_;

  /// Versions for streams that were gone already.
  std::uint64_t strayed_versions_ = 0;
  /// Of all versions that could not be sent.
  std::uint64_t logged_versions_ = 0;

  bool draining_ = false;
  stream_slot drain_next_ = 0;
  std::function<void()> drained_;
};

} // namespace herald
