#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "actors/supervision/fault_hook.hpp"

/// Exceptions on purpose: what `herald_faults` puts at the hook of herald's actors.
namespace herald::faults {

enum class moment : std::uint8_t {
  before, ///< the handler does not begin: the message has done nothing
  after,  ///< the handler has done all of its work, and its answer is lost
  hang,   ///< no exception: the handler does not begin, nor end
};

/// What `strike` throws.
struct injected : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct plan {
  /// The name of an actor, or of a kind; empty: any.
  std::string actor;
  /// None: now one, now the other.
  std::optional<moment> when;
  /// So many faults.
  std::size_t count = 1;
  /// One in so many messages, on average; 1: each.
  std::size_t every = 1;
  /// Chooses which. The same for the same sequence of messages.
  std::uint64_t seed = 0;
};

/// Puts a plan in the place of the one before. Safe from any thread, like all of these.
void arm(plan next);

struct tally {
  /// Of the plan in force.
  std::size_t left = 0;
  /// Of all plans.
  std::size_t before = 0;
  std::size_t after = 0;
};

[[nodiscard]] tally count();

/// For `fault_hook`.
void strike(std::string_view actor, std::string_view kind, handler_moment when);

} // namespace herald::faults
