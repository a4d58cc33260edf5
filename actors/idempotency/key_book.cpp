#include "actors/idempotency/key_book.hpp"

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>

namespace herald {

namespace {

/// Nobody is there for a claim that is older, and twice as old as its request may be.
constexpr std::chrono::minutes longest_request{3};

/// Room for so many more: adding them takes no memory.
template <class Element>
void grow(std::vector<Element>& all, std::size_t more) {
  static_assert(std::is_nothrow_move_constructible_v<Element>);
  const auto wanted = all.size() + more;
  if (wanted > all.capacity())
    all.reserve(std::max(wanted, 2 * all.capacity()));
}

} // namespace

/// So many claims, and the journal.
void key_book::prepare_to_tell(std::size_t claims) {
  grow(verdicts_, claims);
  grow(to_record_, 1);
}

/// The key is not among those by age.
key_book::key_map::iterator key_book::add(const request_key& wanted, const token& seed) {
  key_list made{std::make_shared<const request_key>(wanted)};
  const auto key = keys_.try_emplace(made.front()->name).first;
  auto& one = key->second;
  one.key = made.front();
  one.seed = seed;
  one.place = made.begin();
  busy_.splice(busy_.end(), made);
  weigh(one);
  return key;
}

std::size_t key_book::bytes_of(const request_key& key, const kept_answer* answer) noexcept {
  auto bytes = sizeof(key_map::value_type) + sizeof(key_list::value_type) + sizeof(request_key)
               + key.name.size() + key.body_hash.size();
  if (answer != nullptr) {
    bytes += sizeof(kept_answer) + answer->body.size();
    for (const auto& [header, value] : answer->headers)
      bytes += 2 * sizeof(std::string) + header.size() + value.size();
  }
  return bytes;
}

void key_book::weigh(entry& one) {
  const auto now = bytes_of(*one.key, one.answer.get());
  bytes_ = bytes_ - one.bytes + now;
  one.bytes = now;
}

/// Nobody has the claim on it.
void key_book::erase(key_map::iterator key) {
  const auto& one = key->second;
  if (one.in_file)
    dropped_.splice(dropped_.end(), ages_, one.place);
  else
    ages_.erase(one.place);
  bytes_ -= one.bytes;
  keys_.erase(key);
}

/// Drops the oldest of those that nobody has the claim on.
void key_book::make_room() {
  while (bytes_ > limits_.max_bytes && !ages_.empty())
    erase(keys_.find(ages_.front()->name));
}

/// Whether there is so much room, or would be without those that nobody has the claim on.
bool key_book::fits(std::size_t bytes) const {
  auto all = bytes_ + bytes;
  for (auto oldest = ages_.begin(); all > limits_.max_bytes && oldest != ages_.end(); ++oldest)
    all -= keys_.find((*oldest)->name)->second.bytes;
  return all <= limits_.max_bytes;
}

void key_book::refuse(claim_id claim, ec code, const char* detail, const char* field) {
  verdicts_.push_back({claim, verdict::kind::failed, nullptr, {}, {code, detail, field}});
}

void key_book::claim(const claim_key& wish, const token& seed, time_point now) {
  const auto key = keys_.find(wish.key.name);
  if (key == keys_.end())
    return claim_first(wish, seed, now);
  auto& one = key->second;
  if (one.key->body_hash != wish.key.body_hash)
    return refuse(
      wish.claim, ec::key_reused, "this key was used with another body", "Idempotency-Key");
  if (idle(one) && one.answer && one.recorded) {
    verdicts_.push_back({wish.claim, verdict::kind::answered, one.answer});
    return;
  }
  std::list<claim_id> waiting{wish.claim};
  prepare_to_tell(1);
  claims_.try_emplace(wish.claim, claimant{key, wish.planned, now, wish.longest});
  one.waiting.splice(one.waiting.end(), waiting);
  if (!idle(one))
    return;
  busy_.splice(busy_.end(), ages_, one.place);
  if (!one.answer)
    return grant_next(key, now);
  // It could not be recorded before.
  record(one);
}

/// Nobody has claimed the key before, or since it was forgotten.
void key_book::claim_first(const claim_key& wish, const token& seed, time_point now) {
  if (!fits(bytes_of(wish.key, nullptr)))
    return refuse(
      wish.claim, ec::overloaded,
      "too many requests with a key are under way (api.max_idempotency_bytes)");
  claim_map made;
  auto& who = made[wish.claim];
  prepare_to_tell(1);
  const auto key = add(wish.key, seed);
  who = {key, wish.planned, now, wish.longest};
  claims_.merge(made);
  grant(key, wish.claim, now);
  make_room();
}

/// The key is not among those by age.
void key_book::grant(key_map::iterator key, claim_id claim, time_point now) {
  auto& one = key->second;
  auto& who = claims_.at(claim);
  who.since = now;
  one.owner = claim;
  one.planned = who.planned;
  one.left = false;
  if (one.planned)
    record(one);
  else
    verdicts_.push_back({claim, verdict::kind::granted, nullptr, one.seed});
}

/// Whoever had the claim is done: the next that waits gets it. Otherwise a seed is kept, if
/// something may have been made of it.
void key_book::grant_next(key_map::iterator key, time_point now) {
  auto& one = key->second;
  claims_.erase(one.owner);
  one.owner = 0;
  if (!one.waiting.empty()) {
    const auto next = one.waiting.front();
    one.waiting.pop_front();
    grant(key, next, now);
    return;
  }
  keep(key, now);
  if (!one.planned)
    erase(key);
}

void key_book::record(entry& one) {
  to_record_.push_back({one.key, one.seed, one.answer});
  one.recording = true;
  one.in_file = true;
}

/// Nobody has the claim any more.
void key_book::keep(key_map::iterator key, time_point now) {
  auto& one = key->second;
  claims_.erase(one.owner);
  one.owner = 0;
  one.left = false;
  one.since = now;
  ages_.splice(ages_.end(), busy_, one.place);
  weigh(one);
}

/// The same, and all that wait are answered.
void key_book::keep_answer(key_map::iterator key, time_point now) {
  auto& one = key->second;
  for (const auto waiting : one.waiting) {
    verdicts_.push_back({waiting, verdict::kind::answered, one.answer});
    claims_.erase(waiting);
  }
  one.waiting.clear();
  keep(key, now);
  make_room();
}

void key_book::settle(claim_id claim, kept_answer_ptr answer, time_point now) {
  const auto found = claims_.find(claim);
  if (found == claims_.end() || found->second.key->second.owner != claim) {
    // Forgotten, for its request took too long.
    verdicts_.push_back({claim, verdict::kind::settled});
    return;
  }
  const auto key = found->second.key;
  auto& one = key->second;
  const bool same = one.answer && *one.answer == *answer;
  // Its record says what becomes of it.
  if (same && one.recording)
    return;
  prepare_to_tell(1 + one.waiting.size());
  if (!same) {
    one.answer = std::move(answer);
    one.recorded = false;
    record(one);
    return;
  }
  verdicts_.push_back({claim, verdict::kind::settled});
  keep_answer(key, now);
}

bool key_book::leave(claim_id claim, bool untouched, time_point now) {
  const auto found = claims_.find(claim);
  if (found == claims_.end())
    return false;
  const auto key = found->second.key;
  auto& one = key->second;
  if (one.owner != claim) {
    std::erase(one.waiting, claim);
    claims_.erase(found);
    return false;
  }
  if (one.recording) {
    // Its record says what becomes of it.
    one.left = true;
    return false;
  }
  if (!one.answer && !untouched) {
    one.left = true;
    return true;
  }
  prepare_to_tell(1 + one.waiting.size());
  if (one.answer) {
    keep_answer(key, now);
  } else {
    one.planned = false;
    grant_next(key, now);
  }
  return false;
}

void key_book::answered(claim_id claim, kept_answer_ptr answer, time_point now) {
  const auto found = claims_.find(claim);
  if (found == claims_.end() || found->second.key->second.owner != claim)
    return;
  const auto key = found->second.key;
  auto& one = key->second;
  prepare_to_tell(one.waiting.size());
  one.answer = std::move(answer);
  one.recorded = true;
  one.in_file = true;
  weigh(one);
  if (one.left && !one.recording)
    keep_answer(key, now);
}

void key_book::released(claim_id claim, time_point now) {
  const auto found = claims_.find(claim);
  if (found == claims_.end() || found->second.key->second.owner != claim)
    return;
  const auto key = found->second.key;
  if (!key->second.left || key->second.recording)
    return;
  prepare_to_tell(1);
  grant_next(key, now);
}

void key_book::recorded(const std::string& name, const failure& why, time_point now) {
  const auto key = keys_.find(name);
  if (key == keys_.end() || !key->second.recording)
    return;
  if (why.code == ec::none)
    written(key, now);
  else
    not_written(key, why, now);
}

void key_book::written(key_map::iterator key, time_point now) {
  auto& one = key->second;
  prepare_to_tell(1 + one.waiting.size());
  one.recording = false;
  if (one.answer) {
    one.recorded = true;
    if (one.owner != 0 && !one.left)
      verdicts_.push_back({one.owner, verdict::kind::settled});
    keep_answer(key, now);
  } else if (one.left) {
    grant_next(key, now);
  } else {
    verdicts_.push_back({one.owner, verdict::kind::granted, nullptr, one.seed});
  }
}

/// Where there is no answer, nothing was done yet: it is the turn of the next.
void key_book::not_written(key_map::iterator key, const failure& why, time_point now) {
  auto& one = key->second;
  std::vector<verdict> told;
  if (one.owner != 0 && !one.left)
    told.push_back({one.owner, verdict::kind::failed, nullptr, {}, why});
  if (one.answer)
    for (const auto waiting : one.waiting)
      told.push_back({waiting, verdict::kind::failed, nullptr, {}, why});
  prepare_to_tell(told.size() + 1);
  std::move(told.begin(), told.end(), std::back_inserter(verdicts_));
  one.recording = false;
  if (!one.answer)
    return grant_next(key, now);
  one.recorded = false;
  for (const auto waiting : one.waiting)
    claims_.erase(waiting);
  one.waiting.clear();
  keep(key, now);
  make_room();
}

void key_book::restore(const answer_kept& kept, time_point at) {
  if (keys_.contains(kept.key.name))
    return;
  const auto key = add(kept.key, kept.seed);
  auto& one = key->second;
  one.answer = kept.answer;
  one.recorded = true;
  one.in_file = true;
  one.planned = true;
  keep(key, at);
  make_room();
}

void key_book::orders_given() noexcept {
  to_record_ = std::vector<to_record>{};
  dropped_.clear();
}

std::vector<claim_id> key_book::expire(time_point now) {
  std::vector<claim_id> gone;
  for (const auto& [claim, who] : claims_) {
    const auto& one = who.key->second;
    const bool asked_for = one.owner == claim && (one.left || one.recording);
    const auto longest = std::max<time_point::duration>(longest_request, 2 * who.longest);
    if (now - who.since >= longest && !asked_for)
      gone.push_back(claim);
  }
  while (!ages_.empty()) {
    const auto oldest = keys_.find(ages_.front()->name);
    if (now - oldest->second.since < limits_.keep)
      break;
    erase(oldest);
  }
  return gone;
}

std::optional<std::string> key_book::check() const {
  std::size_t bytes = 0;
  std::size_t idle_keys = 0;
  std::size_t claimed = 0;
  for (const auto& key : keys_) {
    const auto& one = key.second;
    bytes += one.bytes;
    claimed += one.waiting.size() + (one.owner != 0 ? 1 : 0);
    if (!idle(one))
      continue;
    ++idle_keys;
    if (*one.place != one.key)
      return "a key would be forgotten with another";
  }
  if (bytes != bytes_ || idle_keys != ages_.size() || keys_.size() != idle_keys + busy_.size())
    return "keys are miscounted";
  if (claimed != claims_.size())
    return "claims on keys are miscounted";
  return std::nullopt;
}

} // namespace herald
