#include "tests/memory/failing_memory.hpp"

#include <new>

#include <gtest/gtest.h>

namespace herald::testing {
namespace {

/// Not by an expression with `new`, which a compiler may do without.
bool has_memory() {
  try {
    ::operator delete(::operator new(10));
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

TEST(FailingMemory, FailsOnceAndCounts) {
  failing_memory memory{2};
  EXPECT_TRUE(has_memory());
  EXPECT_FALSE(memory.failed());
  EXPECT_FALSE(has_memory());
  EXPECT_TRUE(memory.failed());
  EXPECT_TRUE(has_memory());
  EXPECT_EQ(memory.allocations(), 3U);
  EXPECT_EQ(memory.bytes(), 20U);
}

TEST(FailingMemory, FailsInEveryForm) {
  failing_memory memory{1};
  EXPECT_EQ(::operator new(10, std::nothrow), nullptr);
  memory.fail_at(1);
  EXPECT_THROW((void)::operator new[](10, std::align_val_t{64}), std::bad_alloc);
  EXPECT_EQ(memory.allocations(), 2U);
}

} // namespace
} // namespace herald::testing
