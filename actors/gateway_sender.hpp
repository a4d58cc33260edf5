#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/response_promise.hpp>

#include "actors/gateway_link.hpp"
#include "actors/gateway_options.hpp"
#include "actors/gateway_queue.hpp"
#include "actors/gateway_report.hpp"
#include "actors/gateway_shards.hpp"
#include "actors/shell.hpp"
#include "messages/actors.hpp"

namespace herald {

/// What a shard is made of.
struct gateway_shard_parts {
  gateway_options options;
  /// Told of streams that the gateway does not have, and of settled tickets.
  stream_owner_actor owner;
  /// Makes the shard's connection; again after a failure of the shard.
  gateway_link_factory connect;
  /// Chance for the backoff: from 0 up to, not including, 1.
  std::function<double()> random;
};

/// One shard of the streams behind an external gateway: holds their queues, and sends.
///
/// Its sends block, so it runs detached. Each turn is one send and one message to itself: messages
/// that arrive while the gateway is slow are queued between two sends.
class gateway_sender {
public:
  using interface = gateway_sender_actor;

  /// What outlives a restart: queues, numbers, and those who wait for a flush.
  struct shard {
    shard(std::size_t index, gateway_shard_parts from, metrics& numbers);
    ~shard();
    shard(const shard&) = delete;
    shard& operator=(const shard&) = delete;

    gateway_shard_parts parts;
    gateway_report report;
    gateway_queue queue;
    std::vector<caf::response_promise> flushes;
    /// Numbers turns and timers.
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
  void deliver(const herald::deliver& m);
  void closed(const stream_closed& m);
  result<void> flush(const herald::flush& m);
  void send(const send_next& m);

private:
  using time_point = gateway_queue::time_point;

  [[nodiscard]] time_point now() const;
  /// After every message: sees to it that a turn follows when there is something to send.
  void arrange();
  void post(const gateway_queue::attempt& what);

  self_pointer<interface> self_;
  shard& state_;
  std::unique_ptr<gateway_link> link_;
  std::string body_;
  /// The turn that is in the mailbox, and the timer that is set; 0 if none is.
  std::uint64_t turn_ = 0;
  std::uint64_t timer_ = 0;
  time_point timer_due_;
};

/// Spawns `options.senders` shards, each on a thread of its own; `each` names all of them, they are
/// numbered from 0.
[[nodiscard]] std::vector<supervised<gateway_sender_actor>> spawn_gateway_senders(
  caf::actor_system& system, const shell_options& each, const gateway_options& options,
  const stream_owner_actor& owner, const gateway_link_factory& connect, metrics& numbers);

} // namespace herald
