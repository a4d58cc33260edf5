#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace herald {

/// What to do with a token whose key is not known.
enum class key_outlook : std::uint8_t {
  /// Its key will not come: refuse the token.
  none,
  /// A fetch is due or under way, and may bring it.
  soon,
  /// Not by a fetch that could be waited for: the source is away, or was asked just now.
  later,
};

/// When the keys of tokens are fetched, and how long they are good. Pure: time is given in.
///
/// A fetch is due at the start, `refresh` after one that brought keys, and `refetch` after the last
/// one where that has failed or a key is missed: however many tokens name keys that nobody knows,
/// the source is asked no more often.
class key_schedule {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using duration = std::chrono::milliseconds;

  key_schedule(duration refresh, duration refetch, duration max_stale) noexcept
    : refresh_(refresh),
      refetch_(refetch),
      max_stale_(max_stale) {}

  /// Whether a fetch is to begin now.
  [[nodiscard]] bool due(time_point now) const noexcept;
  /// When to look again: a fetch is due, or keys end. None: not before a fetch has ended.
  [[nodiscard]] std::optional<time_point> next() const noexcept;

  void begin(time_point now) noexcept;
  void succeed(time_point now) noexcept;
  void fail(time_point now) noexcept;
  /// Somebody wants a fetch now, whenever the last one was.
  void demand() noexcept { demanded_ = true; }

  /// A token came whose key, with this `kid`, is not known. The first that misses it is told `soon`
  /// or `later`; whoever misses it after the fetch that was for it: `none`, until another fetch may
  /// be made.
  [[nodiscard]] key_outlook miss(std::string_view id, time_point now);

  /// The source has been away for too long: its keys are not good any more.
  [[nodiscard]] bool stale(time_point now) const noexcept;
  /// They are gone.
  void dropped() noexcept { fetched_at_.reset(); }

private:
  struct missed_key {
    std::string id;
    /// When it was missed first.
    time_point at;
  };

  [[nodiscard]] time_point due_at() const noexcept;
  /// When a fetch may begin that is made for a missed key, or after a failure.
  [[nodiscard]] time_point earliest() const noexcept;
  void note(std::string_view id, time_point now);
  [[nodiscard]] bool was_looked_for(std::string_view id) const noexcept;

  duration refresh_;
  duration refetch_;
  duration max_stale_;
  std::optional<time_point> begun_at_;
  std::optional<time_point> fetched_at_;
  /// The first failure since the last success.
  std::optional<time_point> failing_since_;
  bool under_way_ = false;
  bool missed_ = false;
  bool demanded_ = false;
  /// The one that was missed first comes first.
  std::deque<missed_key> missed_keys_;
};

} // namespace herald
