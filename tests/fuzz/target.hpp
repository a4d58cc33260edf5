#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace herald::fuzz {

/// Runs one input through the code under test. Whatever it throws is a finding; what is merely
/// refused is not.
using target_function = void (*)(std::string_view input);

struct target {
  std::string_view name;
  target_function run;
};

/// The targets of this program: one in a fuzzer, all of them in the replay.
[[nodiscard]] inline std::vector<target>& targets() {
  static std::vector<target> all;
  return all;
}

struct registered {
  registered(std::string_view name, target_function run) { targets().push_back({name, run}); }
};

/// A property that every input must have.
inline void require(bool holds, const char* property) {
  if (!holds)
    throw std::logic_error{property};
}

} // namespace herald::fuzz

/// Defines the target of a file; its name is that of its corpus.
#define HERALD_FUZZ_TARGET(name, input)                                                            \
  static void fuzz_##name(std::string_view input);                                                 \
  static const herald::fuzz::registered registered_##name{#name, fuzz_##name};                     \
  static void fuzz_##name(std::string_view input)
