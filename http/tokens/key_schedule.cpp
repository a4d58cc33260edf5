#include "http/tokens/key_schedule.hpp"

#include <algorithm>

namespace herald {

namespace {

constexpr std::size_t max_missed_keys = 256;
constexpr std::size_t max_missed_id_bytes = 256;

} // namespace

bool key_schedule::due(time_point now) const noexcept {
  return !under_way_ && now >= due_at();
}

std::optional<key_schedule::time_point> key_schedule::next() const noexcept {
  std::optional<time_point> at;
  if (!under_way_)
    at = due_at();
  if (failing_since_ && fetched_at_) {
    const auto end = *failing_since_ + max_stale_;
    at = at ? std::min(*at, end) : end;
  }
  return at;
}

void key_schedule::begin(time_point now) noexcept {
  begun_at_ = now;
  under_way_ = true;
  missed_ = false;
  demanded_ = false;
}

void key_schedule::succeed(time_point now) noexcept {
  under_way_ = false;
  fetched_at_ = now;
  failing_since_.reset();
}

void key_schedule::fail(time_point now) noexcept {
  under_way_ = false;
  if (!failing_since_)
    failing_since_ = now;
}

key_outlook key_schedule::miss(std::string_view id, time_point now) {
  if (!under_way_ && now < earliest() && was_looked_for(id))
    return key_outlook::none;
  if (!under_way_ && now >= earliest())
    // Looked for anew, whatever a former fetch has brought.
    std::erase_if(missed_keys_, [&](const auto& key) { return key.id == id; });
  note(id, now);
  if (under_way_)
    return key_outlook::soon;
  missed_ = true;
  return due(now) ? key_outlook::soon : key_outlook::later;
}

void key_schedule::note(std::string_view id, time_point now) {
  const bool known = std::any_of(
    missed_keys_.begin(), missed_keys_.end(), [&](const auto& key) { return key.id == id; });
  // Who names a longer one, or more of them than that, is never told that a key will not come.
  if (known || id.size() > max_missed_id_bytes)
    return;
  if (missed_keys_.size() == max_missed_keys)
    missed_keys_.pop_front();
  missed_keys_.push_back({std::string{id}, now});
}

bool key_schedule::was_looked_for(std::string_view id) const noexcept {
  return !failing_since_
         && std::any_of(missed_keys_.begin(), missed_keys_.end(), [&](const auto& key) {
              return key.id == id && begun_at_ && key.at <= *begun_at_;
            });
}

key_schedule::time_point key_schedule::earliest() const noexcept {
  return begun_at_ && !demanded_ ? *begun_at_ + refetch_ : time_point::min();
}

bool key_schedule::stale(time_point now) const noexcept {
  return failing_since_ && fetched_at_ && now >= *failing_since_ + max_stale_;
}

key_schedule::time_point key_schedule::due_at() const noexcept {
  if (!begun_at_ || demanded_)
    return time_point::min();
  if (failing_since_ || missed_ || !fetched_at_)
    return earliest();
  return *fetched_at_ + refresh_;
}

} // namespace herald
