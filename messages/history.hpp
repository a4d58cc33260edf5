#pragma once

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

/// What a stream has missed: a walk over the history, not a copy of it, however long it is. Copies
/// are cheap and walk on their own.
class missed_events {
public:
  /// Nothing was missed.
  missed_events() = default;

  /// `notice` (may be null) comes first; then, of the range, what is for everyone or for `who`.
  missed_events(event_ptr notice, history_range range, request_id who)
    : path_(
      std::make_shared<const path>(path{std::move(notice), std::move(range), std::move(who)})),
      block_(path_->range.block),
      at_(path_->range.from),
      left_(path_->range.blocks ? path_->range.blocks->size() - block_ : 0) {
    skip_others();
  }

  [[nodiscard]] bool empty() const noexcept { return !path_ || (!notice() && left_ == 0); }

  /// The next event; null behind the last.
  event_ptr next() {
    if (empty())
      return nullptr;
    if (notice()) {
      noticed_ = true;
      return path_->notice;
    }
    auto found = here().what;
    step();
    skip_others();
    return found;
  }

private:
  struct path {
    event_ptr notice;
    history_range range;
    request_id who;
  };

  [[nodiscard]] bool notice() const noexcept { return path_->notice && !noticed_; }
  [[nodiscard]] const kept_event& here() const { return (*path_->range.blocks)[block_]->at(at_); }

  void step() {
    const auto& range = path_->range;
    // Of the last block its owner may be appending to, no more than the end is read.
    const auto end = left_ == 1 ? range.to : (*range.blocks)[block_]->size();
    if (++at_ < end)
      return;
    at_ = 0;
    ++block_;
    --left_;
  }

  void skip_others() {
    while (left_ != 0 && !here().to.everyone() && *here().to.only != path_->who)
      step();
  }

  std::shared_ptr<const path> path_;
  std::size_t block_ = 0;
  std::size_t at_ = 0;
  /// Blocks that are not walked through.
  std::size_t left_ = 0;
  bool noticed_ = false;
};

} // namespace herald
