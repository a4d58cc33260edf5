#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

namespace herald {

/// A text that names one kind of thing. Ids of different kinds do not convert into each other, so
/// giving a `request_id` where a `task_id` is due does not compile.
template <class Kind>
class text_id {
public:
  text_id() = default;
  explicit text_id(std::string text) : text_(std::move(text)) {}

  [[nodiscard]] const std::string& str() const noexcept { return text_; }
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

  // clang-tidy 14 takes the default for a null pointer, here and below.
  friend auto
  operator<=>(const text_id&, const text_id&) = default; // NOLINT(modernize-use-nullptr)

private:
  std::string text_;
};

/// Names a browser page to its backends; chosen by the page, unique per page. At most one stream is
/// open per request_id. Obeys `request_id_violation`.
using request_id = text_id<struct request_id_kind>;

/// Names a task; minted by the task runner.
using task_id = text_id<struct task_id_kind>;

/// Longest request_id, in bytes after form-decoding.
inline constexpr std::size_t max_request_id_bytes = 128;

/// The rule that `text` breaks as a request_id, or nothing if it is a good one: 1 to 128 bytes of
/// UTF-8 (JSON can carry nothing else), no colon (reserved, the SSE Gateway's users key on it), no
/// control character. The one place of this rule: streams, callbacks and API bodies all ask here.
[[nodiscard]] std::optional<std::string_view> request_id_violation(std::string_view text);

/// Names one open stream, as the transport that terminates it does. Minted by the embedded endpoint
/// or by an external gateway. A canonical UUID (lower case, 8-4-4-4-12) takes 16 bytes and no
/// allocation; any other text is kept as it is.
class token {
public:
  token() = default;

  [[nodiscard]] static token from_text(std::string_view text);
  [[nodiscard]] static token from_bits(std::uint64_t high, std::uint64_t low) noexcept;

  /// The text an API shows and takes: the UUID form of the bits, or the foreign text.
  [[nodiscard]] std::string str() const;

  /// The bits of a UUID token; zero for a foreign text.
  [[nodiscard]] std::uint64_t high() const noexcept { return high_; }
  [[nodiscard]] std::uint64_t low() const noexcept { return low_; }
  [[nodiscard]] std::size_t hash() const noexcept;

  friend bool operator==(const token& a, const token& b) noexcept;

private:
  /// One pointer, where std::shared_ptr takes two: a token is kept for every stream.
  struct foreign_text : boost::intrusive_ref_counter<foreign_text> {
    explicit foreign_text(std::string_view from) : text(from) {}
    std::string text;
  };

  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
  boost::intrusive_ptr<const foreign_text> foreign_;
};

/// The place of an event in the one order of everything published. Rises with every event, also
/// over restarts: the registry starts from the clock (microseconds since 1970), so ids stay unique
/// as long as fewer than a million events a second are published over the life of a process.
/// Clients treat the text as opaque.
struct event_id {
  std::uint64_t value = 0;

  friend auto
  operator<=>(const event_id&, const event_id&) = default; // NOLINT(modernize-use-nullptr)
};

[[nodiscard]] std::string to_string(event_id id);
/// Reads what `to_string` wrote; nothing for any other text.
[[nodiscard]] std::optional<event_id> parse_event_id(std::string_view text);

} // namespace herald

template <class Kind>
struct std::hash<herald::text_id<Kind>> {
  std::size_t operator()(const herald::text_id<Kind>& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};

template <>
struct std::hash<herald::token> {
  std::size_t operator()(const herald::token& t) const noexcept { return t.hash(); }
};
