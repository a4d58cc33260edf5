#include "messages/audience.hpp"

#include <algorithm>
#include <numeric>

#include "messages/text/characters.hpp"
#include "messages/text/utf8.hpp"

namespace herald {

namespace {

constexpr std::string_view any = "*";

std::optional<std::string_view> text_violation(std::string_view text) {
  if (text.empty())
    return "must not be empty";
  if (text.size() > max_topic_bytes)
    return "must be at most 255 bytes";
  if (!is_utf8(text))
    return "must be UTF-8";
  if (has_hidden_character(text))
    return "must not contain control or format characters";
  return std::nullopt;
}

std::optional<std::string_view> segments_violation(std::string_view text, bool pattern) {
  std::size_t segments = 0;
  for (auto rest = text;;) {
    const auto end = rest.find('/');
    const bool last = end == std::string_view::npos;
    const auto segment = rest.substr(0, end);
    if (segment.empty())
      return "must not have an empty segment";
    if (segment == any && !pattern)
      return "must not have a segment *, which is for those who listen";
    if (segment == any && !last)
      return "may have a segment * at its end only";
    if (++segments > max_topic_segments)
      return "must have at most 16 segments";
    if (last)
      return std::nullopt;
    rest.remove_prefix(end + 1);
  }
}

bool contains(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

} // namespace

std::optional<std::string_view> topic_violation(std::string_view text) {
  if (auto violation = text_violation(text))
    return violation;
  if (text.front() == '$')
    return "must not start with $, which is for herald's own";
  return segments_violation(text, false);
}

std::optional<std::string_view> pattern_violation(std::string_view text) {
  if (auto violation = text_violation(text))
    return violation;
  return segments_violation(text, true);
}

std::optional<std::string_view> principal_violation(std::string_view text) {
  static_assert(max_principal_bytes == max_topic_bytes);
  return text_violation(text);
}

bool pattern_hears(std::string_view pattern, std::string_view topic) noexcept {
  if (pattern == any)
    return !topic.starts_with('$');
  if (!pattern.ends_with("/*"))
    return pattern == topic;
  pattern.remove_suffix(1);
  return topic.size() > pattern.size() && topic.starts_with(pattern);
}

std::size_t audience::bytes() const noexcept {
  const auto sum = std::accumulate(
    topics.begin(), topics.end(), page.str().size() + subject.size() + role.size(),
    [](std::size_t bytes, const std::string& topic) { return bytes + topic.size(); });
  return std::accumulate(
    except.begin(), except.end(), sum,
    [](std::size_t bytes, const request_id& id) { return bytes + id.str().size(); });
}

audience_ptr audience_of_page(request_id page) {
  audience made;
  made.page = std::move(page);
  return std::make_shared<const audience>(std::move(made));
}

bool reach::hears(const audience_ptr& to) const {
  if (!to)
    return broadcast;
  if (std::find(to->except.begin(), to->except.end(), page) != to->except.end())
    return false;
  if (to->everyone())
    return broadcast;
  if (targeted && !to->page.empty() && to->page == page)
    return true;
  if (!to->subject.empty() && to->subject == subject)
    return true;
  if (!to->role.empty() && contains(roles, to->role))
    return true;
  return std::any_of(to->topics.begin(), to->topics.end(), [this](const std::string& topic) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return pattern_hears(pattern, topic);
    });
  });
}

} // namespace herald
