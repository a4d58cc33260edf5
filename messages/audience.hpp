#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/ids.hpp"

/// Who an event is for, and what a stream hears.
///
/// A *topic* is what is spoken about: segments parted by `/`, as `orders/42/status`. A *pattern* is
/// what a stream asks for: a topic, or one whose last segment is `*`, which stands for one or more
/// segments. Both are compared byte by byte.
namespace herald {

inline constexpr std::size_t max_topic_bytes = 255;
inline constexpr std::size_t max_topic_segments = 16;
/// Longest subject, and longest role, in bytes.
inline constexpr std::size_t max_principal_bytes = 255;
/// Topics of one event, and pages that it leaves out.
inline constexpr std::size_t max_event_topics = 16;
inline constexpr std::size_t max_event_except = 16;

/// The rule that `text` breaks as a topic to publish to, or nothing if it is a good one: 1 to 255
/// bytes of UTF-8, 1 to 16 segments, none of them empty or `*`, no control or format characters. A
/// first segment that starts with `$` is herald's own.
[[nodiscard]] std::optional<std::string_view> topic_violation(std::string_view text);

/// The rule that `text` breaks as a pattern: those of a topic, but its last segment may be `*`, and
/// it may name what is herald's own.
[[nodiscard]] std::optional<std::string_view> pattern_violation(std::string_view text);

/// The rule that `text` breaks as a subject, or as a role: 1 to 255 bytes of UTF-8 without control
/// and format characters.
[[nodiscard]] std::optional<std::string_view> principal_violation(std::string_view text);

/// Calls `visit` with the topic itself and with each pattern with a `*` that hears it, the longest
/// first: `a/b` gives `a/b`, `a/*`, `*`. The views are valid during the call. What is under a first
/// segment with `$` is not for `*`.
template <class Visit>
void for_each_pattern_of(std::string_view topic, Visit visit) {
  visit(topic);
  std::string pattern{topic};
  for (auto end = pattern.rfind('/'); end != std::string::npos;
       end = end == 0 ? std::string::npos : pattern.rfind('/', end - 1)) {
    pattern.resize(end + 1);
    pattern += '*';
    visit(std::string_view{pattern});
  }
  if (!topic.starts_with('$'))
    visit(std::string_view{"*"});
}

/// Whether a stream that asks for `pattern` hears what is said on `topic`.
[[nodiscard]] bool pattern_hears(std::string_view pattern, std::string_view topic) noexcept;

/// Who an event is for: the union of a page, a subject, a role and topics, or everyone where none
/// is named; in either case without the pages of `except`. An event keeps it: whoever comes back is
/// judged by it.
struct audience {
  /// Empty: no page.
  request_id page;
  /// A person, on all tabs and devices. Empty: none.
  std::string subject;
  /// Empty: none.
  std::string role;
  std::vector<std::string> topics;
  std::vector<request_id> except;

  [[nodiscard]] bool everyone() const noexcept {
    return page.empty() && subject.empty() && role.empty() && topics.empty();
  }
  /// Whether it is one page and nothing else.
  [[nodiscard]] bool only_page() const noexcept {
    return !page.empty() && subject.empty() && role.empty() && topics.empty() && except.empty();
  }
  /// Bytes of its texts.
  [[nodiscard]] std::size_t bytes() const noexcept;

  friend bool operator==(const audience&, const audience&) = default;
};

/// Shared by all that an event passes; null for everyone.
using audience_ptr = std::shared_ptr<const audience>;

[[nodiscard]] audience_ptr audience_of_page(request_id page);

/// What a stream hears: its page's events, its subject's, its roles', those of topics that one of
/// its patterns covers, and unless it does not want them, those for everyone.
struct reach {
  request_id page;
  std::string subject;
  /// Without repetition.
  std::vector<std::string> roles;
  std::vector<std::string> patterns;
  /// Whether it hears events without an audience.
  bool broadcast = true;
  /// Whether it hears its page's events.
  bool targeted = true;

  /// Whether it is what a stream has that asks for nothing. Its page's events are not its matter.
  [[nodiscard]] bool plain() const noexcept {
    return broadcast && subject.empty() && roles.empty() && patterns.empty();
  }

  /// Whether an event with this audience (null: everyone) is for the stream.
  [[nodiscard]] bool hears(const audience_ptr& to) const;

  friend bool operator==(const reach&, const reach&) = default;
};

/// Null for a plain one.
using reach_ptr = std::shared_ptr<const reach>;

} // namespace herald
