#pragma once

#include <cstddef>
#include <deque>

#include "messages/events.hpp"

namespace herald {

/// How much was given to the journal and is not written yet. Pure.
class unwritten_events {
public:
  unwritten_events(std::size_t max_events, std::size_t max_bytes)
    : max_events_(max_events),
      max_bytes_(max_bytes) {}

  /// A later ticket than all before.
  void add(ticket_id ticket, std::size_t events, std::size_t bytes) {
    parts_.push_back({ticket, events, bytes});
    events_ += events;
    bytes_ += bytes;
  }

  /// The journal has answered for the tickets up to this one.
  void answered(ticket_id upto) noexcept {
    for (; !parts_.empty() && parts_.front().ticket <= upto; parts_.pop_front()) {
      events_ -= parts_.front().events;
      bytes_ -= parts_.front().bytes;
    }
  }

  /// Whether it is as much as may be, with what is to be given to the journal.
  [[nodiscard]] bool full(std::size_t events = 0, std::size_t bytes = 0) const noexcept {
    return events_ + events >= max_events_ || bytes_ + bytes >= max_bytes_;
  }
  [[nodiscard]] std::size_t events() const noexcept { return events_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
  struct part {
    ticket_id ticket = 0;
    std::size_t events = 0;
    std::size_t bytes = 0;
  };

  std::size_t max_events_;
  std::size_t max_bytes_;
  std::deque<part> parts_;
  std::size_t events_ = 0;
  std::size_t bytes_ = 0;
};

} // namespace herald
