#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "actors/idempotency/key_book.hpp"
#include "tests/memory/each_failure.hpp"

namespace herald {
namespace {

using testing::each_failure;
using testing::state_lines;

constexpr key_book::time_point claimed_at{std::chrono::hours{12}};

claim_key wish_of(unsigned n, bool planned) {
  claim_key wish;
  wish.key.name = "a key whose name takes memory of its own: " + std::to_string(n);
  wish.key.body_hash = std::string(32, 'h');
  wish.claim = n;
  wish.planned = planned;
  return wish;
}

auto claims_of(unsigned count) {
  return [count] {
    auto made = std::make_unique<key_book>(key_limits{});
    for (unsigned n = 1; n <= count; ++n)
      made->claim(wish_of(n, n % 2 == 0), token::from_bits(0, n), claimed_at);
    (void)made->take_verdicts();
    (void)made->take_to_record();
    return made;
  };
}

state_lines state_of_keys(const key_book& keys) {
  return {
    std::to_string(keys.size()), std::to_string(keys.bytes()),
    std::to_string(static_cast<int>(keys.has_verdicts()))};
}

TEST(KeyBookMemory, IsAsItWasWhenAFirstClaimFails) {
  for (const bool planned : {false, true})
    for (unsigned count = 0; count < 5; ++count)
      each_failure(
        claims_of(count),
        [wish = wish_of(99, planned)](key_book& keys) {
          keys.claim(wish, token::from_bits(0, 99), claimed_at);
          return keys.size();
        },
        state_of_keys);
}

} // namespace
} // namespace herald
