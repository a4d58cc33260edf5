#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "messages/events.hpp"
#include "messages/ids.hpp"
#include "messages/text/time.hpp"

namespace herald {

/// How much of the past is kept for streams that come back (settings `history`); each limit alone
/// evicts the oldest.
struct history_limits {
  /// 0 keeps nothing.
  std::size_t max_events = 10'000;
  /// Names and data, and what keeping an event costs besides.
  std::size_t max_bytes = std::size_t{16} << 20U;
  std::chrono::milliseconds max_age_s{300'000};
};

/// To the registry: from now on no more of the past is kept than this.
struct change_history {
  history_limits limits;
};

/// An event that is kept, and whom it is for (null: everyone).
struct kept_event {
  using time_point = std::chrono::steady_clock::time_point;

  event_ptr what;
  audience_ptr to;
  /// How long it may be replayed; 0: as long as it is kept.
  std::chrono::milliseconds ttl{0};
  /// When it was published.
  time_point at{};

  [[nodiscard]] bool expired(time_point now) const noexcept {
    return ttl.count() != 0 && now - at >= ttl;
  }
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

/// A stretch of the history: from an event of one block to one of the last. What is said of many
/// stretches shares the list of blocks.
struct history_range {
  using block_list = std::vector<std::shared_ptr<const history_block>>;

  /// Null where there is nothing.
  std::shared_ptr<const block_list> blocks = nullptr;
  /// The block that it begins in, and where there.
  std::size_t block = 0;
  std::size_t from = 0;
  /// Behind its end, in the last block; never 0.
  std::size_t to = 0;
};

/// A walk over a stretch of the history, event by event. Copies walk on their own.
class history_walk {
public:
  history_walk() = default;
  explicit history_walk(const history_range& range)
    : block_(range.block),
      at_(range.from),
      left_(range.blocks ? range.blocks->size() - block_ : 0) {}

  [[nodiscard]] bool at_end() const noexcept { return left_ == 0; }
  /// The event that it is at. `range` is the one that it began with, here and below.
  [[nodiscard]] const kept_event& here(const history_range& range) const {
    return (*range.blocks)[block_]->at(at_);
  }

  void step(const history_range& range) {
    // Of the last block its owner may be appending to, no more than the end is read.
    const auto end = left_ == 1 ? range.to : (*range.blocks)[block_]->size();
    if (++at_ < end)
      return;
    at_ = 0;
    ++block_;
    --left_;
  }

private:
  std::size_t block_ = 0;
  std::size_t at_ = 0;
  /// Blocks that are not walked through.
  std::size_t left_ = 0;
};

/// What a stream has missed: a walk over the history, not a copy of it, however long it is. Copies
/// are cheap and walk on their own.
class missed_events {
public:
  /// Nothing was missed.
  missed_events() = default;

  /// First comes what is only for this stream, in its order; then, of the range, what the stream
  /// hears and what has not expired `now`.
  missed_events(
    std::vector<event_ptr> first, history_range range, reach who, kept_event::time_point now)
    : path_(
      std::make_shared<const path>(path{std::move(first), std::move(range), std::move(who), now})),
      walk_(path_->range) {
    skip_others();
  }

  [[nodiscard]] bool empty() const noexcept { return !path_ || (!in_first() && walk_.at_end()); }

  /// The next event; null behind the last.
  event_ptr next() {
    if (empty())
      return nullptr;
    if (in_first())
      return path_->first[next_first_++];
    auto found = walk_.here(path_->range).what;
    walk_.step(path_->range);
    skip_others();
    return found;
  }

private:
  struct path {
    std::vector<event_ptr> first;
    history_range range;
    reach who;
    kept_event::time_point now;
  };

  [[nodiscard]] bool in_first() const noexcept { return next_first_ < path_->first.size(); }
  void skip_others() {
    const auto& range = path_->range;
    for (; !walk_.at_end(); walk_.step(range)) {
      const auto& one = walk_.here(range);
      if (!one.expired(path_->now) && path_->who.hears(one.to))
        return;
    }
  }

  std::shared_ptr<const path> path_;
  std::size_t next_first_ = 0;
  history_walk walk_;
};

/// To the registry: what is kept of the events behind `after` (nothing: from the start), at most
/// `limit`.
struct list_events {
  std::optional<event_id> after;
  std::size_t limit = 100;
  /// Only what a stream would be replayed that hears this; nothing: all.
  std::optional<reach> who;
};

struct event_page {
  struct entry {
    kept_event event;
    wall_time at;
  };
  std::vector<entry> events;
  /// Where to go on: nothing was passed over up to here.
  event_id last;
  /// Whether events behind `after` are not kept any more.
  bool gap = false;
};

} // namespace herald
