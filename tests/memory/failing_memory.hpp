#pragma once

#include <cstddef>

namespace herald::testing {

/// While it lives the allocations of this thread are counted, and one of them may fail. One at a
/// time in a thread.
class failing_memory {
public:
  failing_memory() noexcept;
  /// The n-th allocation from now on fails, from 1; the others do not.
  explicit failing_memory(std::size_t n) noexcept : failing_memory() { fail_at(n); }
  failing_memory(const failing_memory&) = delete;
  failing_memory& operator=(const failing_memory&) = delete;
  ~failing_memory();

  void fail_at(std::size_t n) noexcept { fails_at_ = allocations_ + n; }

  [[nodiscard]] std::size_t allocations() const noexcept { return allocations_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Whether the one that was to fail was asked for.
  [[nodiscard]] bool failed() const noexcept { return failed_; }

  /// Of `operator new`: counts an allocation. Whether it may be had.
  [[nodiscard]] bool allows(std::size_t bytes) noexcept;

private:
  std::size_t allocations_ = 0;
  std::size_t bytes_ = 0;
  /// 0: none.
  std::size_t fails_at_ = 0;
  bool failed_ = false;
};

} // namespace herald::testing
