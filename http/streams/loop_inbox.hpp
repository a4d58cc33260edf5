#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <variant>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>

#include "actors/telemetry/metrics.hpp"
#include "http/access/authorize_answer.hpp"
#include "http/admission/stream_options.hpp"
#include "http/sockets/event_descriptor.hpp"
#include "messages/actors.hpp"
#include "messages/ids.hpp"
#include "messages/type_ids.hpp"

namespace herald {

/// Takes no more clients, closes the streams once they have what is due, and says when the last is
/// gone, on the loop's thread.
struct drain_loop {
  std::function<void()> drained;
};

/// Has the settings in force that are live.
struct change_settings {
  std::shared_ptr<const stream_settings> now;
};

/// A fetch is over that a client of the loop has waited for.
struct keys_fetched {
  /// Which client (`key_waiters`).
  std::uint64_t number = 0;
  /// It has brought all keys that there are.
  bool final = false;
};

/// The application has said whether a client of the loop may have its stream, or has not.
struct application_answered {
  token stream;
  authorize_verdict said;
};

/// Whoever wants to know how far behind streams are. Answered by the loop, out of turn.
struct backlog_query {
  std::vector<token> streams;
  std::function<void(stream_backlogs)> answer;
};

/// Ends the loop at once.
struct stop_loop {};

/// Orders to a stream loop, from other threads.
using loop_order = std::variant<
  attach_stream, refuse_stream, close_stream, change_reach, deliver, drain_loop, change_settings,
  keys_fetched, application_answered, backlog_query, stop_loop, inside_order>;

/// How other threads reach a stream loop. To actors it is a `delivery_actor`, and to its supervisor
/// a child that takes orders: an actor without a mailbox whose messages are put here, in the order
/// of each sender. Told to exit, it stops the loop.
///
/// The loop has a descriptor table of its own (see http/sockets/descriptor_table.hpp); what wakes
/// it is therefore made here, before the loop exists, and known under the same number in both
/// tables.
class loop_inbox {
public:
  /// `depth_shown`, which may be null, shows how many orders wait. Throws `std::system_error` if
  /// there is no descriptor to be had.
  explicit loop_inbox(caf::actor_system& system, prometheus::Gauge* depth_shown = nullptr);
  loop_inbox(const loop_inbox&) = delete;
  loop_inbox& operator=(const loop_inbox&) = delete;
  ~loop_inbox();

  [[nodiscard]] const delivery_actor& address() const noexcept { return address_; }
  /// The loop as its supervisor is told of it when it starts.
  [[nodiscard]] child_started as_child(std::string name, std::string kind) const;
  /// Tells whoever watches over the loop that it is no more.
  void loop_ended();

  /// Readable while orders wait.
  [[nodiscard]] int wake_descriptor() const noexcept { return wake_.get(); }

  /// Safe from any thread.
  void put(loop_order order);
  /// All orders that wait. For the loop's thread.
  [[nodiscard]] std::vector<loop_order> take_orders();
  /// All orders that wait, once there is one.
  [[nodiscard]] std::vector<loop_order> await_orders();
  /// The loop is done with so many orders.
  void handled(std::size_t orders) { count(-static_cast<std::int64_t>(orders)); }

private:
  void count(std::int64_t more);

  event_descriptor wake_;
  std::mutex mutex_;
  std::vector<loop_order> waiting_;
  std::shared_ptr<mailbox_depth> depth_ = std::make_shared<mailbox_depth>(0);
  prometheus::Gauge* depth_shown_;
  caf::actor companion_;
  delivery_actor address_;
};

} // namespace herald
