#include "http/tokens/token_checker.hpp"

#include <utility>
#include <variant>

namespace herald {

namespace {

prometheus::Counter& judged(metrics& numbers, const char* result) {
  return numbers.counter("herald_auth_tokens_total", "Tokens that came", {{"result", result}});
}

} // namespace

token_checker::token_checker(const key_source& keys, const auth_options& options, metrics& numbers)
  : keys_(keys),
    everyones_(options.public_topics),
    known_(judged(numbers, "known")),
    verified_(judged(numbers, "verified")),
    invalid_(judged(numbers, "invalid")),
    unknown_key_(judged(numbers, "unknown_key")),
    evicted_(numbers.counter(
      "herald_auth_cache_evicted_total", "Good tokens that were forgotten for want of room")),
    cached_(numbers.gauge("herald_auth_cached_tokens", "Good tokens that are known again")),
    cached_bytes_(numbers.gauge("herald_auth_cached_bytes", "Memory of those")),
    cache_(options.max_cached_tokens, options.max_cached_bytes) {}

token_checker::~token_checker() = default;

token_checker::judgement token_checker::check(std::string_view token, wall_time now) {
  const auto verifier = keys_.verifier();
  const auto digest = sha256_of(token);
  if (auto right = find(verifier, digest, now)) {
    known_.Increment();
    return std::move(*right);
  }
  auto verdict = verifier->verify(token, now);
  if (auto* grant = std::get_if<stream_grant>(&verdict)) {
    verified_.Increment();
    auto right = right_of(std::move(*grant), everyones_);
    remember(verifier, digest, right, now);
    return right;
  }
  auto& why = std::get<token_refusal>(verdict);
  (why.what == token_refusal::kind::unknown_key ? unknown_key_ : invalid_).Increment();
  return std::move(why);
}

std::optional<access_right>
token_checker::find(const verifier_ptr& by, const token_digest& token, wall_time now) {
  const std::lock_guard lock{mutex_};
  if (judge_ != by)
    return std::nullopt;
  const auto* right = cache_.find(token, now);
  return right == nullptr ? std::nullopt : std::optional{*right};
}

void token_checker::remember(
  const verifier_ptr& by, const token_digest& token, const access_right& right, wall_time now) {
  const std::lock_guard lock{mutex_};
  if (judge_ != by) {
    cache_.clear();
    judge_ = by;
  }
  cache_.put(token, right, now);
  show_cache();
}

void token_checker::show_cache() {
  cached_.Set(static_cast<double>(cache_.size()));
  cached_bytes_.Set(static_cast<double>(cache_.bytes()));
  evicted_.Increment(static_cast<double>(cache_.evicted() - shown_evicted_));
  shown_evicted_ = cache_.evicted();
}

} // namespace herald
