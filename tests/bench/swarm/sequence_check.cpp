#include "tests/bench/swarm/sequence_check.hpp"

#include <algorithm>

namespace herald::bench {

sequence_check::verdict sequence_check::see(event_number number) {
  order_ = (order_ ^ number) * 0x9e3779b97f4a7c15;
  if (number >= next_) {
    if (number > next_) {
      if (!gaps_)
        gaps_ = std::make_unique<std::vector<gap>>();
      gaps_->push_back({next_, number});
    }
    next_ = number + 1;
    return verdict::in_order;
  }
  if (number < first_)
    return verdict::not_owed;
  return fill(number) ? verdict::out_of_order : verdict::duplicate;
}

bool sequence_check::fill(event_number number) {
  if (!gaps_)
    return false;
  auto at = std::upper_bound(
    gaps_->begin(), gaps_->end(), number, [](event_number n, const gap& g) { return n < g.from; });
  if (at == gaps_->begin() || number >= (--at)->to)
    return false;
  const gap whole = *at;
  const auto place = gaps_->erase(at);
  // What is left of the gap: nothing, one side, or both.
  const auto upper = number + 1 < whole.to ? gaps_->insert(place, {number + 1, whole.to}) : place;
  if (whole.from < number)
    gaps_->insert(upper, {whole.from, number});
  return true;
}

std::uint64_t sequence_check::missing(event_number last) const {
  if (!started())
    return 0;
  std::uint64_t count = last >= next_ ? last - next_ + 1 : 0;
  if (gaps_)
    for (const gap& g : *gaps_)
      count += g.to - g.from;
  return count;
}

} // namespace herald::bench
