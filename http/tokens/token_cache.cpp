#include "http/tokens/token_cache.hpp"

#include <cstring>
#include <iterator>
#include <string>
#include <vector>

namespace herald {

namespace {

/// Memory of a text beyond the string itself.
std::size_t heap_bytes(const std::string& text) {
  return text.capacity() > std::string{}.capacity() ? text.capacity() + 1 : 0;
}

std::size_t heap_bytes(const std::vector<std::string>& texts) {
  auto total = texts.capacity() * sizeof(std::string);
  for (const auto& text : texts)
    total += heap_bytes(text);
  return total;
}

/// What is shared has its counts beside it.
constexpr std::size_t counts_bytes = 2 * sizeof(void*);

/// All of it counts here, though the streams of the token have it, too.
std::size_t heap_bytes(const access_right& right) {
  auto total = counts_bytes + sizeof(credential) + heap_bytes(right.by->subject)
               + heap_bytes(right.by->id) + heap_bytes(right.by->topics);
  if (right.hears)
    total += counts_bytes + sizeof(reach) + heap_bytes(right.hears->subject)
             + heap_bytes(right.hears->roles);
  return total;
}

/// A node of the list has two pointers beside the entry; a place in the map has a share of the free
/// ones around it.
constexpr std::size_t node_bytes = 2 * sizeof(void*);
constexpr std::size_t place_bytes = 2 * (32 + sizeof(void*));

} // namespace

std::size_t token_cache::digest_hash::operator()(const token_digest& of) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, of.data(), sizeof hash);
  return hash;
}

token_cache::token_cache(std::size_t max_tokens, std::size_t max_bytes)
  : max_tokens_(max_tokens),
    max_bytes_(max_bytes) {}

token_cache::~token_cache() = default;

const access_right* token_cache::find(const token_digest& token, wall_time now) {
  const auto place = places_.find(token);
  if (place == places_.end())
    return nullptr;
  const auto found = place->second;
  if (now >= *found->right.expires_at || now < found->judged_at) {
    drop(found);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found);
  return &found->right;
}

void token_cache::put(const token_digest& token, const access_right& right, wall_time now) {
  if (max_tokens_ == 0 || !right.expires_at)
    return;
  if (const auto place = places_.find(token); place != places_.end())
    drop(place->second);
  entries_.push_front({token, right, now});
  auto& added = entries_.front();
  added.bytes = sizeof(entry) + node_bytes + place_bytes + heap_bytes(right);
  try {
    places_.emplace(token, entries_.begin());
  } catch (...) {
    entries_.pop_front();
    throw;
  }
  bytes_ += added.bytes;
  while (places_.size() > max_tokens_ || bytes_ > max_bytes_) {
    drop(std::prev(entries_.end()));
    ++evicted_;
  }
}

void token_cache::clear() noexcept {
  places_.clear();
  entries_.clear();
  bytes_ = 0;
}

void token_cache::drop(entry_list::iterator which) noexcept {
  bytes_ -= which->bytes;
  places_.erase(which->of);
  entries_.erase(which);
}

} // namespace herald
