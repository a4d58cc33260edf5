#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string_view>
#include <variant>

#include "actors/telemetry/metrics.hpp"
#include "http/tokens/key_source.hpp"
#include "http/tokens/token_cache.hpp"

namespace herald {

/// Judges tokens by the keys in force, and remembers the good ones as long as the keys are the
/// same. Safe from any thread: signatures are verified by all at once, the memory is used by one at
/// a time.
class token_checker {
public:
  /// `keys` must outlive it.
  token_checker(const key_source& keys, const auth_options& options, metrics& numbers);
  ~token_checker();
  token_checker(const token_checker&) = delete;
  token_checker& operator=(const token_checker&) = delete;

  /// The right that a token gives, or why it gives none.
  using judgement = std::variant<access_right, token_refusal>;
  [[nodiscard]] judgement check(std::string_view token, wall_time now);

private:
  [[nodiscard]] std::optional<access_right>
  find(const verifier_ptr& by, const token_digest& token, wall_time now);
  void remember(
    const verifier_ptr& by, const token_digest& token, const access_right& right, wall_time now);
  void show_cache();

  const key_source& keys_;
  const public_topics everyones_;
  prometheus::Counter& known_;
  prometheus::Counter& verified_;
  prometheus::Counter& invalid_;
  prometheus::Counter& unknown_key_;
  prometheus::Counter& evicted_;
  prometheus::Gauge& cached_;
  prometheus::Gauge& cached_bytes_;

  std::mutex mutex_;
  /// Whose judgements the cache has.
  verifier_ptr judge_;
  token_cache cache_;
  std::size_t shown_evicted_ = 0;
};

} // namespace herald
