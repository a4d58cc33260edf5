#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace herald::bench {

/// Events are numbered from 1 in the order in which they are published.
using event_number = std::uint64_t;

/// What one stream has got of the numbered events. Exact however far events are late or repeated;
/// a stream without faults costs no memory beyond this.
class sequence_check {
public:
  enum class verdict : std::uint8_t {
    /// The next one, or one after a gap.
    in_order,
    /// One of a gap: it came after a later one.
    out_of_order,
    duplicate,
    /// From before what is owed to this stream.
    not_owed,
  };

  [[nodiscard]] bool started() const noexcept { return next_ != 0; }
  /// The stream is owed all from `first` on.
  void start(event_number first) noexcept {
    first_ = first;
    next_ = first;
  }

  verdict see(event_number number);

  /// Events up to `last` that are owed and did not come; with 0, those that later ones have passed.
  [[nodiscard]] std::uint64_t missing(event_number last) const;

  /// The first number that is owed.
  [[nodiscard]] event_number first() const noexcept { return first_; }
  /// A digest of what came in which order: streams that got the same in the same order have the
  /// same.
  [[nodiscard]] std::uint64_t order() const noexcept { return order_; }

private:
  /// The numbers of [from, to) did not come yet.
  struct gap {
    event_number from;
    event_number to;
  };

  bool fill(event_number number);

  event_number first_ = 0;
  event_number next_ = 0;
  std::uint64_t order_ = 0;
  /// In ascending order, apart from each other.
  std::unique_ptr<std::vector<gap>> gaps_;
};

} // namespace herald::bench
