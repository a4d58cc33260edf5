#include "tests/bench/swarm/delivery_counter.hpp"

#include <algorithm>
#include <utility>

namespace herald::bench {

void delivery_tally::merge(const delivery_tally& more) {
  delivered += more.delivered;
  lost += more.lost;
  duplicated += more.duplicated;
  out_of_order += more.out_of_order;
  not_owed += more.not_owed;
  orders.insert(more.orders.begin(), more.orders.end());
  other += more.other;
  measured += more.measured;
  last_measured = std::max(last_measured, more.last_measured);
  latency.merge(more.latency);
}

void delivery_counter::count(
  sequence_check& check, nanos opened, const seen_event& event, nanos received) {
  if (event.number == 0) {
    ++tally_.other;
    return;
  }
  if (!check.started())
    check.start(run_.published.first_after(opened));
  switch (check.see(event.number)) {
  case sequence_check::verdict::in_order:
    break;
  case sequence_check::verdict::out_of_order:
    ++tally_.out_of_order;
    break;
  case sequence_check::verdict::duplicate:
    ++tally_.duplicated;
    return;
  case sequence_check::verdict::not_owed:
    ++tally_.not_owed;
    return;
  }
  ++tally_.delivered;
  ++unflushed_;
  if (received >= run_.measured_since.load(std::memory_order_relaxed)) {
    ++tally_.measured;
    tally_.last_measured = received;
  }
  if (event.number >= run_.measured_from.load(std::memory_order_relaxed) && event.sent_at != 0)
    tally_.latency.add(received > event.sent_at ? received - event.sent_at : 0);
}

void delivery_counter::flush() {
  if (unflushed_ > 0)
    run_.add_delivered(std::exchange(unflushed_, 0));
}

void delivery_counter::close_own(const sequence_check& check) {
  if (run_.reach == 0)
    tally_.lost += check.missing(0);
}

void delivery_counter::close_owed(sequence_check& check, nanos opened) {
  if (run_.reach != 0)
    return;
  if (!check.started())
    check.start(run_.published.first_after(opened));
  const auto missing = check.missing(run_.published.last());
  tally_.lost += missing;
  if (missing == 0 && check.first() == 1)
    tally_.orders.insert(check.order());
}

} // namespace herald::bench
