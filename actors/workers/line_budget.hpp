#pragma once

#include <chrono>
#include <cstddef>

namespace herald {

/// How many lines of a program's output are parsed in a time: one that writes without end must not
/// cost a core. Pure: time is given in.
class line_budget {
public:
  using time_point = std::chrono::steady_clock::time_point;

  line_budget(std::size_t lines, std::chrono::milliseconds period)
    : lines_(lines),
      period_(period) {}

  /// So many lines were parsed. Gives when the next may be: now, or once the period is over.
  [[nodiscard]] time_point spend(std::size_t lines, time_point now) {
    if (now >= end_) {
      end_ = now + period_;
      spent_ = 0;
    }
    spent_ += lines;
    return spent_ < lines_ ? now : end_;
  }

private:
  std::size_t lines_;
  std::chrono::milliseconds period_;
  time_point end_;
  std::size_t spent_ = 0;
};

} // namespace herald
