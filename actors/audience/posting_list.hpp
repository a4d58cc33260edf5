#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace herald {

/// The members that have one key, in no order: 16 bytes. Two lie inside of it; more lie in an array
/// that grows by a quarter, and shrinks when no more than half of it is in use. Pure.
class posting_list {
public:
  using member = std::uint32_t;

  posting_list() noexcept = default;
  ~posting_list();
  posting_list(const posting_list&) = delete;
  posting_list& operator=(const posting_list&) = delete;

  [[nodiscard]] std::span<const member> members() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// Makes room for one more. If it throws, nothing has changed.
  void reserve_one();
  /// Appends a member, for which there must be room. Gives its place.
  std::uint32_t push(member who) noexcept;
  /// Removes the member at `place`. The last one moves there: which, unless it was the last itself.
  std::optional<member> remove_at(std::uint32_t place) noexcept;

private:
  static constexpr std::uint32_t inside = 2;

  [[nodiscard]] member* data() noexcept;
  void move_to(member* array, std::uint32_t capacity) noexcept;
  void shrink() noexcept;

  union {
    std::array<member, inside> near_ = {};
    member* far_;
  };
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = inside;
};

} // namespace herald
