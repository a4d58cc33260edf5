#include "actors/idempotency/key_book.hpp"

#include <algorithm>
#include <utility>

namespace herald {

namespace {

/// Nobody is there for a claim that is older, and twice as old as its request may be.
constexpr std::chrono::minutes longest_request{3};

} // namespace

std::size_t key_book::bytes_of(const key_map::value_type& key) {
  const auto& [name, one] = key;
  // The name stands in the list by age, too.
  auto bytes = sizeof(key_map::value_type) + 2 * name.size() + one.body_hash.size();
  if (one.answer) {
    bytes += sizeof(kept_answer) + one.answer->body.size();
    for (const auto& [header, value] : one.answer->headers)
      bytes += 2 * sizeof(std::string) + header.size() + value.size();
  }
  return bytes;
}

void key_book::weigh(key_map::value_type& key) {
  const auto now = bytes_of(key);
  bytes_ = bytes_ - key.second.bytes + now;
  key.second.bytes = now;
}

void key_book::erase(key_map::iterator key) {
  // First: it takes memory.
  if (key->second.in_file)
    dropped_.push_back(key->first);
  if (idle(key->second))
    ages_.erase(key->second.age);
  bytes_ -= key->second.bytes;
  keys_.erase(key);
}

/// Drops the oldest of those that nobody has the claim on.
bool key_book::make_room(std::size_t bytes) {
  while (bytes_ + bytes > limits_.max_bytes && !ages_.empty())
    erase(keys_.find(ages_.front()));
  return bytes_ + bytes <= limits_.max_bytes;
}

void key_book::fail(claim_id claim, ec code, const char* detail, const char* field) {
  verdicts_.push_back({claim, verdict::kind::failed, nullptr, {}, {code, detail, field}});
}

void key_book::claim(const claim_key& wish, const token& seed, time_point now) {
  const auto key = keys_.find(wish.key.name);
  if (key == keys_.end())
    return claim_first(wish, seed, now);
  auto& one = key->second;
  if (one.body_hash != wish.key.body_hash) {
    fail(wish.claim, ec::key_reused, "this key was used with another body", "Idempotency-Key");
    return;
  }
  if (idle(one) && one.answer && one.recorded) {
    verdicts_.push_back({wish.claim, verdict::kind::answered, one.answer});
    return;
  }
  claims_.try_emplace(wish.claim, claimant{key, wish.planned, now, wish.longest});
  if (!idle(one)) {
    one.waiting.push_back(wish.claim);
    return;
  }
  if (one.answer) {
    // It could not be recorded before.
    ages_.erase(one.age);
    one.waiting.push_back(wish.claim);
    record(*key);
    return;
  }
  ages_.erase(one.age);
  grant(key, wish.claim, now);
}

/// Nobody has claimed the key before, or since it was forgotten.
void key_book::claim_first(const claim_key& wish, const token& seed, time_point now) {
  entry made;
  made.body_hash = wish.key.body_hash;
  made.seed = seed;
  made.owner = wish.claim;
  const auto key = keys_.emplace(wish.key.name, std::move(made)).first;
  try {
    if (!make_room(bytes_of(*key))) {
      fail(
        wish.claim, ec::overloaded,
        "too many requests with a key are under way (api.max_idempotency_bytes)");
      keys_.erase(key);
      return;
    }
    claims_.try_emplace(wish.claim, claimant{key, wish.planned, now, wish.longest});
    grant(key, wish.claim, now);
  } catch (...) {
    claims_.erase(wish.claim);
    keys_.erase(key);
    throw;
  }
  weigh(*key);
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
    record(*key);
  else
    verdicts_.push_back({claim, verdict::kind::granted, nullptr, one.seed});
}

/// Nobody has the claim: the next that waits gets it. Otherwise a seed is kept, if something may
/// have been made of it.
void key_book::grant_next(key_map::iterator key, time_point now) {
  auto& one = key->second;
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

void key_book::record(key_map::value_type& key) {
  auto& one = key.second;
  // First: it takes memory.
  to_record_.push_back({key.first, one.body_hash, one.seed, one.answer});
  one.recording = true;
  one.in_file = true;
}

/// Nobody has the claim any more.
void key_book::keep(key_map::iterator key, time_point now) {
  auto& one = key->second;
  if (one.owner != 0)
    claims_.erase(one.owner);
  one.owner = 0;
  one.left = false;
  one.since = now;
  one.age = ages_.insert(ages_.end(), key->first);
  weigh(*key);
}

void key_book::answer_waiting(entry& one) {
  for (const auto waiting : std::exchange(one.waiting, {})) {
    verdicts_.push_back({waiting, verdict::kind::answered, one.answer});
    claims_.erase(waiting);
  }
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
  if (!same) {
    one.answer = std::move(answer);
    one.recorded = false;
    record(*key);
    return;
  }
  verdicts_.push_back({claim, verdict::kind::settled});
  keep(key, now);
  answer_waiting(one);
  (void)make_room(0);
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
  // Its record says what becomes of it.
  if (one.recording) {
    one.left = true;
    return false;
  }
  if (one.answer) {
    keep(key, now);
    answer_waiting(one);
    (void)make_room(0);
    return false;
  }
  if (untouched) {
    one.planned = false;
    claims_.erase(found);
    one.owner = 0;
    grant_next(key, now);
    return false;
  }
  one.left = true;
  return true;
}

void key_book::answered(claim_id claim, kept_answer_ptr answer, time_point now) {
  const auto found = claims_.find(claim);
  if (found == claims_.end() || found->second.key->second.owner != claim)
    return;
  const auto key = found->second.key;
  auto& one = key->second;
  one.answer = std::move(answer);
  one.recorded = true;
  one.in_file = true;
  weigh(*key);
  if (!one.left)
    return;
  keep(key, now);
  answer_waiting(one);
  (void)make_room(0);
}

void key_book::released(claim_id claim, time_point now) {
  const auto found = claims_.find(claim);
  if (found == claims_.end() || found->second.key->second.owner != claim)
    return;
  const auto key = found->second.key;
  if (!key->second.left || key->second.recording)
    return;
  claims_.erase(found);
  key->second.owner = 0;
  grant_next(key, now);
}

void key_book::recorded(const std::string& name, const failure& why, time_point now) {
  const auto key = keys_.find(name);
  if (key == keys_.end() || !key->second.recording)
    return;
  auto& one = key->second;
  one.recording = false;
  const bool done = why.code == ec::none;
  const auto owner = one.owner;
  const bool left = one.left;
  if (!one.answer && done && !left) {
    verdicts_.push_back({owner, verdict::kind::granted, nullptr, one.seed});
    return;
  }
  if (!one.answer) {
    // The claim has done nothing yet.
    if (!done && !left)
      verdicts_.push_back({owner, verdict::kind::failed, nullptr, {}, why});
    claims_.erase(owner);
    one.owner = 0;
    grant_next(key, now);
    return;
  }
  one.recorded = done;
  if (owner != 0 && !left)
    verdicts_.push_back(
      {owner, done ? verdict::kind::settled : verdict::kind::failed, nullptr, {}, why});
  keep(key, now);
  if (done) {
    answer_waiting(one);
  } else {
    for (const auto waiting : std::exchange(one.waiting, {})) {
      verdicts_.push_back({waiting, verdict::kind::failed, nullptr, {}, why});
      claims_.erase(waiting);
    }
  }
  (void)make_room(0);
}

void key_book::restore(const answer_kept& kept, time_point at) {
  const auto [key, fresh] = keys_.try_emplace(kept.key.name);
  if (!fresh)
    return;
  auto& one = key->second;
  one.body_hash = kept.key.body_hash;
  one.seed = kept.seed;
  one.answer = kept.answer;
  one.recorded = true;
  one.in_file = true;
  one.planned = true;
  keep(key, at);
  (void)make_room(0);
}

std::vector<claim_id> key_book::expire(time_point now) {
  while (!ages_.empty()) {
    const auto oldest = keys_.find(ages_.front());
    if (now - oldest->second.since < limits_.keep)
      break;
    erase(oldest);
  }
  std::vector<claim_id> gone;
  for (const auto& [claim, who] : claims_) {
    const auto& one = who.key->second;
    const bool asked_for = one.owner == claim && (one.left || one.recording);
    const auto longest = std::max<time_point::duration>(longest_request, 2 * who.longest);
    if (now - who.since >= longest && !asked_for)
      gone.push_back(claim);
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
    if (*one.age != key.first)
      return "a key would be forgotten with another";
  }
  if (bytes != bytes_ || idle_keys != ages_.size())
    return "keys are miscounted";
  if (claimed != claims_.size())
    return "claims on keys are miscounted";
  return std::nullopt;
}

} // namespace herald
