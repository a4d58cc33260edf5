#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "messages/events.hpp"
#include "messages/ids.hpp"

namespace herald {

/// An event that is kept, and whom it is for.
struct kept_event {
  event_ptr what;
  audience to;
};

/// A run of kept events, in their order. Its owner appends to it while others read: they look no
/// further than they were told to, and what is in does not change any more.
class history_block {
public:
  explicit history_block(std::size_t capacity) : events_(capacity) {}
  history_block(const history_block&) = delete;
  history_block& operator=(const history_block&) = delete;

  /// For the owner only.
  void append(kept_event what) { events_[size_++] = std::move(what); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool full() const noexcept { return size_ == events_.size(); }

  [[nodiscard]] const kept_event& at(std::size_t i) const { return events_[i]; }

private:
  std::vector<kept_event> events_;
  std::size_t size_ = 0;
};

/// What a stream has missed: a walk over the history, not a copy of it, however long it is. Copies
/// are cheap and walk on their own.
class missed_events {
public:
  /// The events [from, to) of a block; never none.
  struct run {
    std::shared_ptr<const history_block> block;
    std::size_t from = 0;
    std::size_t to = 0;
  };

  /// Nothing was missed.
  missed_events() = default;

  /// `notice` (may be null) comes first; then, of the runs, what is for everyone or for `who`.
  missed_events(event_ptr notice, std::vector<run> runs, request_id who)
    : path_(std::make_shared<const path>(path{std::move(notice), std::move(runs), std::move(who)})),
      at_(path_->runs.empty() ? 0 : path_->runs.front().from) {
    skip_others();
  }

  [[nodiscard]] bool empty() const noexcept { return !path_ || (!notice() && ended()); }

  /// The next event; null behind the last.
  event_ptr next() {
    if (empty())
      return nullptr;
    if (notice()) {
      noticed_ = true;
      return path_->notice;
    }
    auto found = path_->runs[run_].block->at(at_).what;
    step();
    skip_others();
    return found;
  }

private:
  struct path {
    event_ptr notice;
    std::vector<run> runs;
    request_id who;
  };

  [[nodiscard]] bool notice() const noexcept { return path_->notice && !noticed_; }
  [[nodiscard]] bool ended() const noexcept { return run_ == path_->runs.size(); }

  void step() {
    if (++at_ < path_->runs[run_].to)
      return;
    if (++run_ < path_->runs.size())
      at_ = path_->runs[run_].from;
  }

  void skip_others() {
    const auto for_others = [this] {
      const auto& to = path_->runs[run_].block->at(at_).to;
      return !to.everyone() && *to.only != path_->who;
    };
    while (!ended() && for_others())
      step();
  }

  std::shared_ptr<const path> path_;
  std::size_t run_ = 0;
  std::size_t at_ = 0;
  bool noticed_ = false;
};

} // namespace herald
