#include "tests/memory/failing_memory.hpp"

#include <cstdlib>
#include <new>

namespace herald::testing {
namespace {

/// Null nearly always.
thread_local failing_memory* watching = nullptr;

void* take(std::size_t bytes) noexcept {
  if (watching != nullptr && !watching->allows(bytes))
    return nullptr;
  return std::malloc(bytes != 0 ? bytes : 1); // NOLINT(cppcoreguidelines-no-malloc)
}

void* take(std::size_t bytes, std::align_val_t alignment) noexcept {
  if (watching != nullptr && !watching->allows(bytes))
    return nullptr;
  const auto unit = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
}

void* or_throw(void* memory) {
  if (memory == nullptr)
    throw std::bad_alloc{};
  return memory;
}

void give(void* memory) noexcept {
  std::free(memory); // NOLINT(cppcoreguidelines-no-malloc)
}

} // namespace

failing_memory::failing_memory() noexcept {
  watching = this;
}
failing_memory::~failing_memory() {
  watching = nullptr;
}

bool failing_memory::allows(std::size_t bytes) noexcept {
  if (++allocations_ == fails_at_) {
    failed_ = true;
    return false;
  }
  bytes_ += bytes;
  return true;
}

} // namespace herald::testing

// All forms: those of a sanitizer's library would not be of the same kind.

using herald::testing::give;
using herald::testing::or_throw;
using herald::testing::take;

void* operator new(std::size_t bytes) {
  return or_throw(take(bytes));
}
void* operator new[](std::size_t bytes) {
  return or_throw(take(bytes));
}
void* operator new(std::size_t bytes, const std::nothrow_t& /*form*/) noexcept {
  return take(bytes);
}
void* operator new[](std::size_t bytes, const std::nothrow_t& /*form*/) noexcept {
  return take(bytes);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return or_throw(take(bytes, alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return or_throw(take(bytes, alignment));
}
void* operator new(
  std::size_t bytes, std::align_val_t alignment, const std::nothrow_t& /*form*/) noexcept {
  return take(bytes, alignment);
}
void* operator new[](
  std::size_t bytes, std::align_val_t alignment, const std::nothrow_t& /*form*/) noexcept {
  return take(bytes, alignment);
}

void operator delete(void* memory) noexcept {
  give(memory);
}
void operator delete[](void* memory) noexcept {
  give(memory);
}
void operator delete(void* memory, std::size_t /*bytes*/) noexcept {
  give(memory);
}
void operator delete[](void* memory, std::size_t /*bytes*/) noexcept {
  give(memory);
}
void operator delete(void* memory, const std::nothrow_t& /*form*/) noexcept {
  give(memory);
}
void operator delete[](void* memory, const std::nothrow_t& /*form*/) noexcept {
  give(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  give(memory);
}
void operator delete[](void* memory, std::align_val_t /*alignment*/) noexcept {
  give(memory);
}
void operator delete(void* memory, std::size_t /*bytes*/, std::align_val_t /*alignment*/) noexcept {
  give(memory);
}
void operator delete[](
  void* memory, std::size_t /*bytes*/, std::align_val_t /*alignment*/) noexcept {
  give(memory);
}
void operator delete(
  void* memory, std::align_val_t /*alignment*/, const std::nothrow_t& /*form*/) noexcept {
  give(memory);
}
void operator delete[](
  void* memory, std::align_val_t /*alignment*/, const std::nothrow_t& /*form*/) noexcept {
  give(memory);
}
