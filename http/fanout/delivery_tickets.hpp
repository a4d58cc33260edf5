#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/fanout/frame_log.hpp"
#include "http/fanout/framing.hpp"
#include "messages/events.hpp"

namespace herald {

/// Tickets count how far those batches have come that a publisher waits for. A ticket is settled
/// once it is sealed and each write that it waits for was made or has failed, or its time is over:
/// then what is still under way counts as pending. Costs nothing while no ticket is open. Pure, for
/// one thread.
class delivery_tickets {
public:
  /// Names an open ticket; 0 is none.
  using key = std::uint32_t;
  using time_point = std::chrono::steady_clock::time_point;

  [[nodiscard]] bool idle() const noexcept { return open_.empty(); }

  [[nodiscard]] key open(ticket_id id, time_point answer_by = time_point::max());
  /// A frame of the ticket's batch was appended to the log of a framing, and `streams` of those
  /// that follow it now have to write it. Others leave it out: they are said neither to have
  /// written it nor to have lost it.
  void wait_for_range(key k, framing how, log_position from, log_position to, std::size_t streams);
  /// A frame of the batch waits for one stream.
  void wait_for_target(key k);
  /// The whole batch is in: the ticket may settle.
  void seal(key k);

  /// A stream has written the bytes [from, to) of its log.
  void written(framing how, log_position from, log_position to, const frame_log& log);
  /// A stream that had written up to `from` and would have gone on to `limit` is gone.
  void lost(framing how, log_position from, log_position limit);
  /// A targeted frame was written, or failed; nothing for key 0.
  void target_done(key k, bool delivered);

  /// When to call `expire`: the next time at which a sealed ticket is to be answered.
  [[nodiscard]] std::optional<time_point> next_deadline() const;
  /// Settles the tickets whose time is over.
  void expire(time_point now);
  /// The tickets that are settled since the last call.
  [[nodiscard]] std::vector<delivery_settled> take_settled();

private:
  struct ticket {
    ticket_id id = 0;
    std::size_t delivered = 0;
    /// Ranges, targets, and the seal.
    std::size_t missing = 1;
    /// Writes that were neither made nor have failed.
    std::size_t pending = 0;
    time_point answer_by;
    /// It is settled, and open only for what is still under way.
    bool answered = false;
  };
  struct range {
    log_position from = 0;
    log_position to = 0;
    key owner = 0;
    std::size_t streams = 0;
  };

  /// Of one log, in its order, without overlap.
  using range_list = std::deque<range>;

  void one_done(key k);
  void stream_done(range& r);
  [[nodiscard]] range_list& ranges_of(framing how) {
    return ranges_.at(static_cast<std::size_t>(how));
  }
  [[nodiscard]] static range_list::iterator first_behind(range_list& all, log_position at);
  static void drop_done(range_list& all);

  std::unordered_map<key, ticket> open_;
  std::array<range_list, framing_count> ranges_;
  /// Sealed tickets that are not answered, in the order of their time; those without one are not
  /// here.
  std::set<std::pair<time_point, key>> due_;
  std::vector<delivery_settled> settled_;
  key last_key_ = 0;
};

} // namespace herald
