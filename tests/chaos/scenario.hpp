#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace herald::testing {

/// A chaos scenario: real processes, faults drawn from a seed, and two sizes. In the suite it is
/// short, a few seconds; `tests/chaos/run --full` makes it as long as CHAOS.md says.
class scenario : public ::testing::Test {
protected:
  scenario();
  /// Prints the results, also where the scenario has failed.
  void TearDown() override;

  /// Whether this is a full run (HERALD_CHAOS=full).
  [[nodiscard]] bool full() const noexcept { return full_; }
  template <class T>
  [[nodiscard]] T size(T in_short, T in_full) const {
    return full_ ? in_full : in_short;
  }

  /// HERALD_CHAOS_SEED, or always the same.
  [[nodiscard]] std::uint32_t seed() const noexcept { return seed_; }
  [[nodiscard]] std::size_t below(std::size_t n) { return random_() % n; }
  [[nodiscard]] std::chrono::milliseconds pause(std::size_t most_ms) {
    return std::chrono::milliseconds{below(most_ms + 1)};
  }

  /// A number for the table of results, printed at the end.
  template <class Number>
  void result(std::string_view name, Number value) {
    results_.emplace_back(name, std::to_string(value));
  }

private:
  bool full_;
  std::uint32_t seed_;
  std::minstd_rand random_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::vector<std::pair<std::string, std::string>> results_;
};

} // namespace herald::testing
