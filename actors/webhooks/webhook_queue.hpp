#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "messages/backend.hpp"

namespace herald {

/// What waits for the webhook's receiver may be, and how it is sent.
struct webhook_limits {
  std::size_t batch_events = 0;
  /// Of an event: its type and its data.
  std::size_t batch_bytes = 0;
  std::size_t queue_events = 0;
  std::size_t queue_bytes = 0;
  std::chrono::milliseconds max_age{};
  std::chrono::milliseconds min_backoff{};
  std::chrono::milliseconds max_backoff{};
};

/// A request to the webhook's receiver.
struct webhook_batch {
  /// The same for the same events, whenever they are sent.
  std::string id;
  std::shared_ptr<const std::string> body;
  std::size_t events = 0;
};

/// Events for the webhook's receiver, in their order: one batch is under way at a time, and nothing
/// overtakes it. A batch that has failed is sent again as it was, after a pause that doubles with
/// each failure, unless some of it is lost meanwhile.
///
/// What is too old is lost, and the oldest where there is too much; never what is under way. Pure.
class webhook_queue {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Numbers of new events are above `last_number`.
  webhook_queue(const webhook_limits& limits, std::uint64_t last_number)
    : limits_(limits),
      last_number_(last_number),
      released_(last_number) {}

  /// Appends an event, with the next number; may be sent once it is released.
  const webhook_event& push(std::string type, wall_time at, std::string data, time_point now);
  /// Appends one that a former life has left, of an age that it has then; may be sent.
  void restore(webhook_event event, time_point since);
  /// Events up to this number may be sent.
  void release(std::uint64_t upto) noexcept { released_ = std::max(released_, upto); }
  [[nodiscard]] std::uint64_t last_number() const noexcept { return last_number_; }

  /// The batch that is to be sent now; nothing while one is under way, before the pause is over, or
  /// where there is none.
  std::optional<webhook_batch> take(time_point now);
  /// The batch under way was answered: its events are done.
  void answered();
  /// It has failed. `chance`, from 0 to 1, shortens the pause by up to half.
  void failed(time_point now, double chance);
  /// Whatever pause there is: it is over.
  void hurry() noexcept { next_try_ = {}; }

  /// Loses what is too old.
  void expire(time_point now);
  /// When there is something to be done, by `take` or by `expire`.
  [[nodiscard]] std::optional<time_point> due() const;

  [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool under_way() const noexcept { return under_way_; }

  struct losses {
    std::size_t full = 0;
    std::size_t old = 0;
  };
  /// What was lost since the last call.
  losses take_losses() { return std::exchange(lost_, {}); }
  /// Numbers, from and to, that are gone from here since the last call: answered, or lost.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> take_gone() {
    return std::exchange(gone_, {});
  }

  [[nodiscard]] std::optional<std::string> check() const;

private:
  struct entry {
    webhook_event event;
    time_point since;
  };

  [[nodiscard]] static std::size_t bytes_of(const webhook_event& event) noexcept;
  void append(webhook_event event, time_point since);
  /// Takes out the entry of that place.
  void drop(std::size_t place);
  void compose();

  const webhook_limits limits_;
  std::deque<entry> waiting_;
  std::size_t bytes_ = 0;
  std::uint64_t last_number_;
  std::uint64_t released_;
  /// The first of those that wait are a batch; 0: it is not composed.
  std::size_t batch_ = 0;
  bool under_way_ = false;
  std::size_t failures_ = 0;
  time_point next_try_{};
  losses lost_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> gone_;
};

} // namespace herald
