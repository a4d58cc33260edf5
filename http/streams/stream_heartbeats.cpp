#include "http/streams/stream_heartbeats.hpp"

#include <algorithm>

namespace herald {

namespace {

constexpr std::array kinds{hearing::everything, hearing::addressed};

} // namespace

stream_heartbeats::stream_heartbeats(
  const rules& how, stream_table& table, stream_feed& feed, time_point now)
  : rules_(how),
    table_(table),
    feed_(feed),
    rounds_{heartbeat_round{how.interval, now}, heartbeat_round{how.interval, now}},
    noted_{now, now},
    watched_(how.interval, now) {}

stream_heartbeats::time_point stream_heartbeats::due() {
  note_frames();
  const auto slots = table_.slots();
  auto first = watched_.due(slots);
  for (const auto& round : rounds_)
    first = std::min(first, round.due(slots));
  return first;
}

bool stream_heartbeats::beat(time_point now) {
  note_frames();
  bool queued = beat_watchers(now);
  for (const auto who : kinds)
    queued = beat_all(who, now) || queued;
  return queued;
}

/// Streams that were told something are quiet from then on.
void stream_heartbeats::note_frames() {
  if (rules_.as_event)
    return;
  for (const auto who : kinds) {
    const auto index = static_cast<std::size_t>(who);
    const auto last = feed_.last_frame(who);
    if (last <= noted_.at(index))
      continue;
    noted_.at(index) = last;
    rounds_.at(index).told(last);
  }
}

bool stream_heartbeats::beat_all(hearing who, time_point now) {
  const auto some = rounds_.at(static_cast<std::size_t>(who)).next(now, table_.slots());
  if (!some)
    return false;
  return rules_.as_event ? feed_.put_heartbeat_event(who, *some)
                         : feed_.put_heartbeat(who, *some, rules_.ended);
}

bool stream_heartbeats::beat_watchers(time_point now) {
  const auto some = watched_.next(now, table_.slots());
  return some && watchers_.each_in(some->begin, some->end, [this](stream_slot slot) {
    feed_.put_heartbeat_event(slot);
  });
}

} // namespace herald
