#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/response_promise.hpp>

#include "actors/gateway/gateway_link.hpp"
#include "actors/gateway/gateway_options.hpp"
#include "actors/gateway/gateway_queue.hpp"
#include "actors/gateway/gateway_report.hpp"
#include "actors/gateway/gateway_shards.hpp"
#include "actors/supervision/shell.hpp"
#include "actors/system/random_source.hpp"
#include "messages/actors.hpp"

namespace herald {

/// The parts that a shard is built from.
struct gateway_shard_parts {
  gateway_options options;
  /// Told of streams that the gateway does not have, and of settled tickets.
  stream_owner_actor owner;
  /// Makes the shard's connection; again after a failure of it.
  gateway_link_factory connect;
  /// Chance for the backoff: from 0 up to, not including, 1.
  random_source random;
};

/// A shard of the streams behind an external gateway: holds their queues, and makes their sends,
/// one at a time. It takes messages while a send is under way.
class gateway_sender {
public:
  using interface = gateway_sender_actor;

  /// A send that is under way, or has ended and is not accounted for.
  struct sending {
    std::uint64_t number = 0;
    gateway_queue::attempt what;
    std::chrono::steady_clock::time_point began;
    std::optional<send_outcome> how{};
  };

  /// The state that outlives a restart: queues, numbers, flushes that are not answered, and the
  /// connection with the send under way on it, which must not be made twice.
  struct shard {
    shard(std::size_t index, gateway_shard_parts from, metrics& numbers);
    ~shard();
    shard(const shard&) = delete;
    shard& operator=(const shard&) = delete;

    gateway_shard_parts parts;
    gateway_report report;
    gateway_queue queue;
    std::unique_ptr<gateway_link> link;
    std::optional<sending> current;
    std::vector<caf::response_promise> flushes;
    /// Numbers turns, timers and sends.
    std::uint64_t last_number = 0;
  };

  gateway_sender(self_pointer<interface> self, shard& state);

  static shell<interface, gateway_sender>::behavior_type
  behavior(shell<interface, gateway_sender>& s);

  /// Builds insides for `spawn_supervised`.
  static shell<interface, gateway_sender>::builder
  builder(std::size_t index, gateway_shard_parts parts, metrics& numbers);

  void attach(const attach_stream& m);
  void refuse(const refuse_stream& m);
  void close(const close_stream& m);
  void change(const change_reach& m);
  void deliver(const herald::deliver& m);
  stream_backlogs backlogs(const get_backlogs& query);
  void closed(const stream_closed& m);
  result<void> flush(const herald::flush& m);
  void send(const send_next& m);
  void ended(const send_ended& m);

private:
  using time_point = gateway_queue::time_point;

  [[nodiscard]] time_point now() const;
  void queue_first(std::vector<delivery> due);
  /// After every message: sees to it that a turn follows when there is something to send. Does not
  /// send itself: what that throws must not undo the message.
  void arrange();
  void connect();
  /// Accounts for the send that has ended, and makes the next one, if one is due.
  void go_on();
  void order_turn();
  void answer_flushes();

  self_pointer<interface> self_;
  shard& state_;
  std::string body_;
  /// The turn that is in the mailbox, and the timer that is set; 0 if none is.
  std::uint64_t turn_ = 0;
  std::uint64_t timer_ = 0;
  time_point timer_due_;
};

/// Spawns `options.senders` shards; `each` names all of them, they are numbered from 0, and says on
/// which loop their connections are.
[[nodiscard]] std::vector<supervised<gateway_sender_actor>> spawn_gateway_senders(
  caf::actor_system& system, const shell_options& each, const gateway_options& options,
  const stream_owner_actor& owner, const gateway_link_factory& connect, metrics& numbers);

} // namespace herald
