#include "http/admission/client_limits.hpp"

#include <algorithm>

#include "http/auth/auth_metrics.hpp"

namespace herald {

namespace {

using namespace std::chrono_literals;

std::size_t at_least_one(std::size_t clients) {
  return std::max<std::size_t>(clients, 1);
}

client_rates::limits failures_of(const limit_settings& each) {
  return {each.failed_auth_per_min, 1min, at_least_one(each.max_addresses)};
}

client_rates::limits opens_of(const limit_settings& each) {
  return {each.opens_per_s, 1s, at_least_one(each.max_addresses)};
}

client_rates::limits subject_opens_of(const limit_settings& each) {
  return {each.subject_opens_per_s, 1s, at_least_one(each.max_subjects)};
}

} // namespace

client_limits::client_limits(
  std::size_t replays_of_address, const limit_settings& each, metrics& numbers)
  : replays_of_address_(replays_of_address),
    failures_(failures_of(each)),
    opens_(opens_of(each)),
    subject_opens_(subject_opens_of(each)),
    replays_(replays_of_address, at_least_one(each.max_addresses)),
    subject_replays_(each.replay_bytes_per_min, at_least_one(each.max_subjects)),
    failures_forgotten_(addresses_forgotten(numbers)) {
  constexpr std::array names = {"opens", "subject_opens", "replays", "subject_replays"};
  static_assert(names.size() == tables);
  for (std::size_t i = 0; i < tables; ++i)
    forgotten_.at(i) = &numbers.counter(
      "herald_stream_clients_forgotten_total",
      "Addresses and subjects of which it was forgotten for want of room what they have done.",
      {{"table", names.at(i)}});
}

void client_limits::change(const limit_settings& each) {
  failures_.change(failures_of(each));
  opens_.change(opens_of(each));
  subject_opens_.change(subject_opens_of(each));
  replays_.change(replays_of_address_, at_least_one(each.max_addresses));
  subject_replays_.change(each.replay_bytes_per_min, at_least_one(each.max_subjects));
}

std::chrono::milliseconds
client_limits::open_from(const std::optional<client_address>& client, time_point now) {
  if (!client)
    return {};
  const auto [wait, forgot] = opens_.take(*client, now);
  count_forgotten(table::opens, forgot);
  return wait;
}

std::chrono::milliseconds client_limits::open_as(const client_address& subject, time_point now) {
  const auto [wait, forgot] = subject_opens_.take(subject, now);
  count_forgotten(table::subject_opens, forgot);
  return wait;
}

std::chrono::milliseconds
client_limits::wait_after_failures(const std::optional<client_address>& client, time_point now) {
  return client ? failures_.wait(*client, now) : 0ms;
}

void client_limits::note_failure(const std::optional<client_address>& client, time_point now) {
  if (client && failures_.note(*client, now))
    failures_forgotten_.Increment();
}

client_limits::limit
client_limits::replay(const replayed& who, const missed_events& all, time_point now) {
  const bool by_subject = who.subject && subject_replays_.limited();
  if (all.empty() || (!by_subject && !replays_.limited()))
    return limit::none;
  const auto bytes = bytes_of(all);
  if (by_subject && !spend(subject_replays_, table::subject_replays, *who.subject, bytes, now))
    return limit::of_subject;
  if (!replays_.limited() || spend(replays_, table::replays, who.client, bytes, now))
    return limit::none;
  if (by_subject)
    subject_replays_.give_back(*who.subject, bytes);
  return limit::of_address;
}

bool client_limits::spend(
  replay_budget& budget, table which, const client_address& who, std::size_t bytes,
  time_point now) {
  const auto [allowed, forgot] = budget.spend(who, bytes, now);
  count_forgotten(which, forgot);
  return allowed;
}

void client_limits::count_forgotten(table where, bool forgot) {
  if (forgot)
    forgotten_.at(static_cast<std::size_t>(where))->Increment();
}

} // namespace herald
