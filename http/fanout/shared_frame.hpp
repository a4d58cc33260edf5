#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include "http/fanout/delivery_tickets.hpp"
#include "http/fanout/framing.hpp"
#include "messages/events.hpp"

namespace herald {

class frame_text;
using frame_text_ptr = boost::intrusive_ptr<const frame_text>;

/// Bytes that never change, in one allocation with the number of those who hold them. For one
/// thread, by which all that it holds is counted.
class frame_text {
public:
  /// The parts, one behind the other.
  [[nodiscard]] static frame_text_ptr of(std::initializer_list<std::string_view> parts) {
    std::size_t size = 0;
    for (const auto part : parts)
      size += part.size();
    auto* const made = new (::operator new(sizeof(frame_text) + size)) frame_text{size};
    held() += made->cost();
    auto* to = made->bytes();
    for (const auto part : parts) {
      // There is no memcpy from null, where the part is empty.
      if (!part.empty())
        std::memcpy(to, part.data(), part.size());
      to += part.size();
    }
    return frame_text_ptr{made};
  }
  /// A frame as streams of that framing get it.
  [[nodiscard]] static frame_text_ptr framed(framing how, std::string_view frame) {
    const frame_cover cover{how, frame.size()};
    return of({cover.head(), frame, cover.tail()});
  }
  frame_text(const frame_text&) = delete;
  frame_text& operator=(const frame_text&) = delete;

  [[nodiscard]] std::string_view view() const noexcept {
    return {reinterpret_cast<const char*>(this + 1), size_}; // NOLINT: they lie behind it
  }

  /// Of all texts of this thread, with what each costs besides.
  [[nodiscard]] static std::size_t held_bytes() noexcept {
    // What was made on another thread than it ends on is counted on neither.
    return static_cast<std::size_t>(std::max<std::ptrdiff_t>(held(), 0));
  }

  friend void intrusive_ptr_add_ref(const frame_text* held) noexcept { ++held->holders_; }
  friend void intrusive_ptr_release(const frame_text* held) noexcept {
    if (--held->holders_ != 0)
      return;
    frame_text::held() -= held->cost();
    ::operator delete(const_cast<frame_text*>(held)); // NOLINT: nobody reads it any more
  }

private:
  explicit frame_text(std::size_t size) noexcept : size_(size) {}

  static std::ptrdiff_t& held() noexcept {
    static thread_local std::ptrdiff_t bytes = 0;
    return bytes;
  }
  [[nodiscard]] std::ptrdiff_t cost() const noexcept {
    return static_cast<std::ptrdiff_t>(sizeof(frame_text) + size_);
  }
  ~frame_text() = default;

  [[nodiscard]] char* bytes() noexcept {
    return reinterpret_cast<char*>(this + 1); // NOLINT: as above
  }

  std::size_t size_;
  mutable std::size_t holders_ = 0;
};

/// A frame that is pushed to many streams, each of which holds no copy of it. For one thread.
class shared_frame {
public:
  shared_frame(
    std::string frame, std::optional<service_type> service, delivery_tickets::key ticket = 0)
    : frame_(std::move(frame)),
      service_(service),
      ticket_(ticket) {}

  /// As streams of that framing get it; made when the first of them does.
  [[nodiscard]] const frame_text_ptr& as(framing how) {
    auto& text = texts_.at(static_cast<std::size_t>(how));
    if (!text)
      text = frame_text::framed(how, frame_);
    return text;
  }
  /// Bytes without framing.
  [[nodiscard]] std::size_t size() const noexcept { return frame_.size(); }
  [[nodiscard]] std::optional<service_type> service() const noexcept { return service_; }
  [[nodiscard]] delivery_tickets::key ticket() const noexcept { return ticket_; }

  /// The round of a table in which it was last counted.
  std::uint64_t round = 0;

private:
  std::string frame_;
  std::optional<service_type> service_;
  delivery_tickets::key ticket_;
  std::array<frame_text_ptr, framing_count> texts_;
};

} // namespace herald
