#include "actors/audience/posting_list.hpp"

#include <algorithm>
#include <cassert>
#include <new>

namespace herald {

namespace {

/// The capacity that is at least `wanted` and fills what malloc gives: 16 bytes for each four
/// members, of which 8 are its own.
constexpr std::uint32_t whole_chunk(std::uint32_t wanted) {
  constexpr std::uint32_t smallest = 6;
  return wanted <= smallest ? smallest : (wanted + 5) / 4 * 4 - 2;
}

constexpr std::uint32_t with_room_to_grow(std::uint32_t size) {
  return whole_chunk(size + size / 4 + 1);
}

} // namespace

posting_list::~posting_list() {
  if (capacity_ > inside)
    delete[] far_;
}

std::span<const posting_list::member> posting_list::members() const noexcept {
  return {capacity_ > inside ? far_ : near_.data(), size_};
}

posting_list::member* posting_list::data() noexcept {
  return capacity_ > inside ? far_ : near_.data();
}

void posting_list::reserve_one() {
  if (size_ < capacity_)
    return;
  const auto capacity = with_room_to_grow(size_);
  move_to(new member[capacity], capacity);
}

std::uint32_t posting_list::push(member who) noexcept {
  assert(size_ < capacity_);
  data()[size_] = who;
  return size_++;
}

std::optional<posting_list::member> posting_list::remove_at(std::uint32_t place) noexcept {
  assert(place < size_);
  auto* const all = data();
  const auto last = all[--size_];
  all[place] = last;
  const bool moved = place != size_;
  if (capacity_ > inside && size_ <= capacity_ / 2)
    shrink();
  return moved ? std::optional{last} : std::nullopt;
}

/// To an array, or for a null one to what lies inside.
void posting_list::move_to(member* array, std::uint32_t capacity) noexcept {
  const auto from = members();
  auto* const old = capacity_ > inside ? far_ : nullptr;
  if (array != nullptr) {
    std::copy(from.begin(), from.end(), array);
    far_ = array;
  } else {
    std::array<member, inside> all = {};
    std::copy(from.begin(), from.end(), all.begin());
    near_ = all;
  }
  capacity_ = capacity;
  delete[] old;
}

void posting_list::shrink() noexcept {
  // One less than fits inside: a list at the border does not come and go.
  if (size_ < inside) {
    move_to(nullptr, inside);
    return;
  }
  const auto capacity = with_room_to_grow(size_);
  if (capacity >= capacity_)
    return;
  // Without memory for a smaller array the large one does.
  if (auto* const array = new (std::nothrow) member[capacity])
    move_to(array, capacity);
}

} // namespace herald
