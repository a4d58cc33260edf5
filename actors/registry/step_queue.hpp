#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "messages/idempotency.hpp"
#include "messages/journal.hpp"

namespace herald {

/// What is told once it is in the journal: steps of tasks, and what publishers say with a key. One
/// batch of it is being written at a time, under ids that are planned; what comes meanwhile waits
/// for the next. Pure.
class step_queue {
public:
  /// What one author has said, under ids in a row.
  struct item {
    std::vector<draft> drafts;
    /// Of a step: the task after it, and who is told; nothing: it is a publisher's.
    std::optional<task_kept> task = std::nullopt;
    std::uint64_t number = 0;
    step_listener_actor listener = {};
    /// Of a publisher: the key, how long to wait for delivery (0: not), and who is to be answered
    /// (0: has been).
    keyed_publish_ptr once = nullptr;
    std::chrono::milliseconds longest_wait{0};
    ticket_id publisher = 0;
    /// As it is being written.
    event_id first = {};
    publish_receipt receipt = {};
    kept_answer_ptr answer = nullptr;
  };

  /// What is being written, and the ids that its events have there.
  struct batch {
    std::vector<item> items;
    event_id first;
    std::uint64_t ids = 0;
    ticket_id ticket = 0;
    /// It may be in the file already.
    bool perhaps = false;
  };

  /// Ignores a step that was added before.
  void add(const publish_step& step) {
    if (step.number <= last_number_)
      return;
    add(item{{step.what}, step.task, step.number, step.listener});
    last_number_ = step.number;
  }
  void add(item one) {
    events_ += one.drafts.size();
    bytes_ += bytes_of(one);
    waiting_.push_back(std::move(one));
  }

  /// Whether there is something to write, and nothing is being written.
  [[nodiscard]] bool is_due() const noexcept { return writing_.items.empty() && !waiting_.empty(); }
  /// The events that wait to be written.
  [[nodiscard]] std::size_t events() const noexcept { return events_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// All that waits is to be written with ids from `first`.
  batch& begin(event_id first) {
    writing_.items.assign(
      std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
    waiting_.clear();
    writing_.first = first;
    writing_.ids = std::exchange(events_, 0);
    bytes_ = 0;
    for (auto& one : writing_.items) {
      one.first = first;
      first.value += one.drafts.size();
    }
    return writing_;
  }
  /// What is being written has, from now on, this ticket.
  void note_ticket(ticket_id ticket) noexcept { writing_.ticket = ticket; }
  /// It has to be written again. `perhaps`: it may be in the file all the same.
  void note_failure(bool perhaps) noexcept {
    writing_.ticket = 0;
    writing_.perhaps = writing_.perhaps || perhaps;
  }

  [[nodiscard]] batch& writing() noexcept { return writing_; }
  [[nodiscard]] const batch& writing() const noexcept { return writing_; }
  /// Whether it has to be written again.
  [[nodiscard]] bool is_stuck() const noexcept {
    return !writing_.items.empty() && writing_.ticket == 0;
  }

  /// It is written.
  batch take_written() { return std::exchange(writing_, {}); }

  /// Removes and gives what publishers have said and what is not in the file, for sure. What else
  /// is being written keeps its ids.
  std::vector<item> take_unwritten() {
    std::vector<item> taken;
    const auto take = [&taken](auto& from) {
      const auto keyed = [](const item& one) {
        return one.once != nullptr;
      };
      for (auto& one : from)
        if (keyed(one))
          taken.push_back(one);
      std::erase_if(from, keyed);
    };
    if (!writing_.perhaps)
      take(writing_.items);
    if (writing_.items.empty())
      writing_ = {};
    take(waiting_);
    events_ = bytes_ = 0;
    for (const auto& one : waiting_) {
      events_ += one.drafts.size();
      bytes_ += bytes_of(one);
    }
    return taken;
  }

  [[nodiscard]] bool has(claim_id claim) const {
    const auto is = [claim](const item& one) {
      return one.once && one.once->key.claim == claim;
    };
    return std::any_of(writing_.items.begin(), writing_.items.end(), is)
           || std::any_of(waiting_.begin(), waiting_.end(), is);
  }

  /// The memory of its events.
  [[nodiscard]] static std::size_t bytes_of(const item& one) {
    std::size_t bytes = 0;
    for (const auto& d : one.drafts)
      bytes += sizeof(event) + d.name.size() + d.data.size() + (d.to ? d.to->bytes() : 0);
    return bytes;
  }

private:
  std::uint64_t last_number_ = 0;
  std::deque<item> waiting_;
  std::size_t events_ = 0;
  std::size_t bytes_ = 0;
  batch writing_;
};

} // namespace herald
