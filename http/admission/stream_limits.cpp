#include "http/admission/stream_limits.hpp"

#include <utility>

namespace herald {

std::variant<stream_limits::lease, stream_limits::refusal>
stream_limits::admit(const std::optional<client_address>& address, owned how) {
  if (admitted_.fetch_add(1) >= total_) {
    admitted_.fetch_sub(1);
    return refusal::too_many;
  }
  const std::size_t per_address = per_address_;
  const bool counted = per_address != 0 && address;
  if (!counted && how == owned::by_nobody)
    return uncounted;
  const std::lock_guard lock{mutex_};
  auto held = counted ? count(*address, per_address) : std::variant<lease, refusal>{uncounted};
  if (std::holds_alternative<refusal>(held)) {
    admitted_.fetch_sub(1);
    return held;
  }
  return how == owned::by_nobody ? held : own(std::get<lease>(held));
}

std::variant<stream_limits::lease, stream_limits::refusal>
stream_limits::count(const client_address& address, std::size_t most) {
  const auto [found, fresh] = by_address_.try_emplace(address, 0);
  if (fresh) {
    if (free_.empty()) {
      free_.push_back(static_cast<lease>(entries_.size()));
      entries_.emplace_back();
    }
    found->second = free_.back();
    free_.pop_back();
    entries_[found->second] = {address, 0};
  }
  auto& streams = entries_[found->second].streams;
  if (streams >= most)
    return refusal::too_many_per_address;
  ++streams;
  return found->second;
}

stream_limits::lease stream_limits::own(lease address) {
  if (free_owners_.empty()) {
    free_owners_.push_back(static_cast<lease>(owners_.size()));
    owners_.emplace_back();
  }
  const auto place = free_owners_.back();
  free_owners_.pop_back();
  owners_[place] = {address, by_subject_.end()};
  return place | owner_bit;
}

std::optional<stream_limits::refusal>
stream_limits::name(lease held, const client_address& subject) {
  const std::size_t per_subject = per_subject_;
  if (per_subject == 0 || held == uncounted || (held & owner_bit) == 0)
    return std::nullopt;
  const std::lock_guard lock{mutex_};
  auto& owner = owners_[held & ~owner_bit];
  if (owner.subject != by_subject_.end())
    return std::nullopt;
  const auto found = by_subject_.try_emplace(subject, 0).first;
  if (found->second >= per_subject)
    return refusal::too_many_per_subject;
  ++found->second;
  owner.subject = found;
  return std::nullopt;
}

void stream_limits::release(lease held) {
  admitted_.fetch_sub(1);
  if (held == uncounted)
    return;
  const std::lock_guard lock{mutex_};
  if ((held & owner_bit) != 0)
    held = disown(held & ~owner_bit);
  if (held == uncounted)
    return;
  auto& entry = entries_[held];
  if (--entry.streams != 0)
    return;
  by_address_.erase(entry.address);
  free_.push_back(held);
}

/// The lease of its address.
stream_limits::lease stream_limits::disown(lease held) {
  auto& owner = owners_[held];
  const auto subject = std::exchange(owner.subject, by_subject_.end());
  if (subject != by_subject_.end() && --subject->second == 0)
    by_subject_.erase(subject);
  free_owners_.push_back(held);
  return owner.address;
}

} // namespace herald
