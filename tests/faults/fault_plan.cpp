#include "tests/faults/fault_plan.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

namespace herald::faults {

namespace {

/// Never freed, since an actor may be looking at it: a test has few.
struct campaign {
  campaign(plan p, const campaign* former)
    : before(former),
      what(std::move(p)),
      left(static_cast<std::int64_t>(what.count)) {}

  const campaign* before;
  plan what;
  std::atomic<std::int64_t> left;
  std::atomic<std::uint64_t> messages = 0;
};

std::atomic<campaign*> current = nullptr;
std::atomic<std::size_t> thrown_before = 0;
std::atomic<std::size_t> thrown_after = 0;

/// The message that this thread handles is to fail at its end.
thread_local bool due_after = false;

/// SplitMix64: well-mixed numbers from a counter.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

/// When the message at hand is to fail, if it is.
std::optional<moment> draw(campaign& c, std::string_view actor, std::string_view kind) {
  const auto& p = c.what;
  if (!p.actor.empty() && p.actor != actor && p.actor != kind)
    return std::nullopt;
  const auto chance = mix(p.seed ^ mix(c.messages.fetch_add(1)));
  if (chance % std::max<std::size_t>(p.every, 1) != 0 || c.left.fetch_sub(1) <= 0)
    return std::nullopt;
  return p.when.value_or((chance >> 63U) != 0 ? moment::after : moment::before);
}

} // namespace

void arm(plan next) {
  current = std::make_unique<campaign>(std::move(next), current).release();
}

tally count() {
  const auto* const now = current.load();
  const auto left = now != nullptr ? std::max<std::int64_t>(now->left, 0) : 0;
  return {static_cast<std::size_t>(left), thrown_before, thrown_after};
}

void strike(std::string_view actor, std::string_view kind, handler_moment when) {
  if (when == handler_moment::after) {
    if (!std::exchange(due_after, false))
      return;
    ++thrown_after;
    throw injected{"injected after a handler"};
  }
  due_after = false;
  auto* const now = current.load();
  const auto due = now != nullptr ? draw(*now, actor, kind) : std::nullopt;
  if (!due)
    return;
  if (*due == moment::after) {
    due_after = true;
    return;
  }
  while (*due == moment::hang)
    std::this_thread::sleep_for(std::chrono::hours{1});
  ++thrown_before;
  throw injected{"injected before a handler"};
}

} // namespace herald::faults
