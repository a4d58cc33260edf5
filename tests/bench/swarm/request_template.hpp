#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/swarm/clock.hpp"
#include "tests/bench/swarm/options.hpp"
#include "tests/bench/swarm/sequence_check.hpp"

namespace herald::bench {

/// A text with places for what differs from event to event.
class event_template {
public:
  /// `text` holds %T (time), %S (number), %P (padding to `size` bytes).
  event_template(std::string_view text, std::size_t size);
  /// `body` has the data at %D, or at %E as it is written within a JSON string.
  /// At %K is one of the tokens, at %R one of the keys.
  static event_template body(std::string body, const publish_settings& settings);

  void append(std::string& out, nanos at, event_number number) const;

private:
  enum class kind : std::uint8_t { text, time, number, padding, token, key };
  struct piece {
    kind what;
    std::string text;
  };

  event_template() = default;
  void parse(std::string_view text);

  std::vector<piece> pieces_;
  /// Padding is this less the digits of a time and a number.
  std::size_t room_ = 0;
  std::vector<std::string> tokens_;
  std::uint64_t keys_ = 0;
};

/// The key that the `place`-th of many places has, of `keys` (not 0). Any `keys` places in a row
/// have each key once, in an order that looks like chance.
[[nodiscard]] std::uint64_t scattered_key(std::uint64_t place, std::uint64_t keys);

/// Makes the HTTP requests of a publisher.
class request_template {
public:
  explicit request_template(const publish_settings& settings);

  /// Requests that an event (or batch) takes.
  [[nodiscard]] std::size_t steps() const noexcept { return bodies_.size(); }
  /// The `step`-th request for the events from `first` on.
  void make(std::string& out, std::size_t step, nanos at, event_number first);

private:
  std::string head_;
  event_template head_end_;
  std::vector<event_template> bodies_;
  std::size_t batch_;
  bool lines_;
  std::string body_;
};

} // namespace herald::bench
