#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "messages/journal.hpp"

namespace herald {

/// Steps of tasks that are told once they are in the journal. One batch of them is being written at
/// a time, under ids that are planned; what comes meanwhile waits for the next. Pure.
class step_queue {
public:
  /// Steps that are being written, and the ids that their events have there.
  struct batch {
    std::vector<publish_step> steps;
    event_id first;
    ticket_id ticket = 0;
  };

  /// Ignores a step that was added before.
  void add(const publish_step& step) {
    if (step.number <= last_number_)
      return;
    waiting_.push_back(step);
    last_number_ = step.number;
  }

  /// Whether there is something to write, and nothing is being written.
  [[nodiscard]] bool is_due() const noexcept { return writing_.steps.empty() && !waiting_.empty(); }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

  /// All that waits is to be written with ids from `first`.
  const batch& begin(event_id first) {
    writing_.steps.assign(waiting_.begin(), waiting_.end());
    waiting_.clear();
    writing_.first = first;
    return writing_;
  }
  /// What is being written has, from now on, this ticket; 0: none, it has to be written again.
  void note_ticket(ticket_id ticket) noexcept { writing_.ticket = ticket; }

  [[nodiscard]] const batch& writing() const noexcept { return writing_; }
  /// Whether it has to be written again.
  [[nodiscard]] bool is_stuck() const noexcept {
    return !writing_.steps.empty() && writing_.ticket == 0;
  }

  /// It is written.
  batch take_written() { return std::exchange(writing_, {}); }

private:
  std::uint64_t last_number_ = 0;
  std::deque<publish_step> waiting_;
  batch writing_;
};

} // namespace herald
