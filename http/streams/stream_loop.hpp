#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <caf/actor_system.hpp>

#include "actors/system/jitter.hpp"
#include "actors/system/owned_fd.hpp"
#include "actors/system/secret_source.hpp"
#include "actors/telemetry/metrics.hpp"
#include "http/fanout/send_bursts.hpp"
#include "http/fanout/stall_detector.hpp"
#include "http/fanout/stream_table.hpp"
#include "http/sockets/acceptor.hpp"
#include "http/sockets/send_ring.hpp"
#include "http/sockets/socket_set.hpp"
#include "http/streams/loop_inbox.hpp"
#include "http/streams/pending_clients.hpp"
#include "http/streams/stream_admission.hpp"
#include "http/streams/stream_limits.hpp"
#include "http/streams/stream_metrics.hpp"
#include "http/streams/stream_options.hpp"
#include "messages/actors.hpp"
#include "messages/type_ids.hpp"

namespace herald {

/// One thread of the stream endpoint: accepts clients, reads their heads, and then keeps them as
/// bare descriptors over a `stream_table`. All its sockets are in one epoll set, nested in the
/// io_context that keeps the time.
///
/// Made, run and destroyed on that thread, in whose descriptor table its sockets are; others talk
/// to it through its inbox.
class stream_loop final : private stream_io, private request_sink, private client_sink {
public:
  /// What the loops of an endpoint have in common; outlives them.
  struct surroundings {
    caf::actor_system& system;
    stream_options options;
    stream_owner_actor owner;
    stream_limits& limits;
    metrics& numbers;
    /// Descriptors that one loop may have.
    std::size_t descriptors = 0;
    /// Decides what becomes of a loop that has failed; without one it goes on at once.
    supervisor_actor supervisor;
  };

  /// The inbox outlives the loop.
  stream_loop(const surroundings& around, unsigned index, owned_fd listener, loop_inbox& inbox);
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

  /// A client that waits for its registration.
  struct opening {
    header_list cors;
    bool http_1_0 = false;
  };
  struct deadline {
    clock::time_point when;
    token stream;
  };
  /// An event whose latency is noted once passes have come this far.
  struct timed_event {
    log_position upto = 0;
    clock::time_point accepted;
    service_type service = service_type::event;
  };

  /// What a socket in the set is.
  enum class kind : std::uint32_t { listener, inbox, pending, stream };
  static socket_tag tag(kind what, std::uint32_t index = 0) {
    return {static_cast<std::uint32_t>(what), index};
  }

  // failures
  void work_on();
  bool may_go_on(const char* what, bool damaged = false);
  void idle();

  // clients
  void on_client(int fd, clock::time_point now) override;
  void on_gathered() override;
  std::optional<api_reply>
  on_request(const client_socket& from, const request_head& request) override;
  header_list on_refusal(ec why) override;
  void open(const client_socket& from, stream_limits::lease lease, stream_opening& request);
  void announce_openings();
  void announce_now();

  // the inbox
  void on_inbox();
  bool apply(loop_order& what);
  void apply_one(const attach_stream& order);
  void apply_one(const refuse_stream& order);
  void apply_one(const close_stream& order);
  void apply_one(drain_loop& order);
  void apply_one(const stop_loop& order);
  void apply_one(const inside_order&) {}
  bool apply_some(const deliver& order);
  bool broadcast(const event& what);
  void send_to_one(const delivery& item);
  void refuse_waiting(stream_slot slot, const api_reply& reply, bool report);

  // sending
  void work();
  bool work_a_round();
  void schedule();
  void settle();
  void count();
  void on_sockets();
  void after_sockets();
  void on_stream(const socket_event& event);
  ssize_t write(int fd, const iovec* parts, int parts_count) override;
  void write_each(std::span<socket_send> sends) override;
  ssize_t judge(ssize_t result);
  void watch_writable(int fd, stream_slot slot, bool on) override;
  void ended(const ended_stream& stream) override;

  // time
  void arm_heartbeat();
  void on_heartbeat();
  void arm_tick();
  void on_tick();
  void arm_patrol();
  void patrol();
  void release_memory();
  void drain_some();

  const stream_options options_;
  const stream_owner_actor owner_;
  stream_limits& limits_;
  const std::size_t descriptors_;
  const unsigned index_;
  stream_metrics metrics_;
  prometheus::Counter& failures_;
  prometheus::Histogram& handling_;
  const supervisor_actor supervisor_;
  std::uint64_t generation_ = 1;
  secret_source secrets_;
  jitter jitter_{secrets_()};
  stream_admission admission_;

  boost::asio::io_context io_{1};
  boost::asio::steady_timer announcement_{io_};
  boost::asio::steady_timer heartbeat_{io_};
  boost::asio::steady_timer tick_{io_};
  boost::asio::steady_timer patrol_{io_};
  socket_set sockets_;
  boost::asio::posix::stream_descriptor socket_events_{io_, sockets_.descriptor()};
  acceptor acceptor_;
  pending_clients pending_;

  send_ring ring_;
  send_bursts bursts_;
  stream_table table_;
  std::unordered_map<stream_slot, opening> openings_;
  /// Told to the owner together, at the end of a round, but not too often: it is woken once.
  std::vector<open_connection> unannounced_;
  clock::time_point next_announcement_;
  /// The timer for that is set.
  bool announcing_ = false;
  std::size_t openings_since_trim_ = 0;
  clock::time_point last_opening_ = clock::now();
  std::deque<deadline> open_deadlines_;
  std::deque<timed_event> timed_;
  stream_tally counted_;
  clock::time_point last_frame_ = clock::now();
  bool scheduled_ = false;
  bool watching_ = false;
  std::string scratch_;

  loop_inbox& inbox_;
  /// Orders that were taken from the inbox; the first may be half done.
  std::deque<loop_order> orders_;
  std::size_t batch_progress_ = 0;
  delivery_tickets::key batch_ticket_ = 0;

  stall_detector stalls_;
  stream_slot patrol_next_ = 0;

  bool draining_ = false;
  stream_slot drain_next_ = 0;
  std::function<void()> drained_;
};

} // namespace herald
