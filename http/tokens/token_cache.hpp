#pragma once

#include <cstddef>
#include <list>

#include <boost/unordered/unordered_flat_map.hpp>

#include "http/auth/access_right.hpp"
#include "http/auth/digests.hpp"

namespace herald {

/// SHA-256 of a token's text.
using token_digest = bits256;

/// Tokens that were good when they came, and the right that they give: a page that comes back need
/// not pay for its signature again. Of a token no more than its digest is kept. Of too many the one
/// goes that was not asked for for longest. Not thread-safe.
class token_cache {
public:
  token_cache(std::size_t max_tokens, std::size_t max_bytes);
  ~token_cache();
  token_cache(const token_cache&) = delete;
  token_cache& operator=(const token_cache&) = delete;

  /// What the token gives, if it is known and has not ended; null otherwise. Valid until the next
  /// call. A clock that was set back behind the time at which the token was judged makes it
  /// unknown.
  [[nodiscard]] const access_right* find(const token_digest& token, wall_time now);

  /// The token was judged at `now`, and is good. A right that does not end is not kept.
  void put(const token_digest& token, const access_right& right, wall_time now);

  /// Other keys are in force: none was judged by them.
  void clear() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Tokens that went before their time, for want of room.
  [[nodiscard]] std::size_t evicted() const noexcept { return evicted_; }

private:
  struct entry {
    token_digest of;
    access_right right;
    wall_time judged_at;
    std::size_t bytes = 0;
  };
  using entry_list = std::list<entry>;

  struct digest_hash {
    std::size_t operator()(const token_digest& of) const noexcept;
  };

  void drop(entry_list::iterator which) noexcept;

  std::size_t max_tokens_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::size_t evicted_ = 0;
  /// The one that was asked for last comes first.
  entry_list entries_;
  boost::unordered_flat_map<token_digest, entry_list::iterator, digest_hash> places_;
};

} // namespace herald
