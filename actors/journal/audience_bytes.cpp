#include "actors/journal/audience_bytes.hpp"

#include <memory>
#include <utility>

#include "actors/sqlite/stored_bytes.hpp"

namespace herald {

namespace {

bool take_principal(std::string_view text, std::string& field) {
  const bool good = field.empty() && !principal_violation(text);
  field = text;
  return good;
}

} // namespace

void append_attribute(std::string& out, attribute kind, std::string_view text) {
  append_number(out, static_cast<std::uint8_t>(kind));
  append_number(out, static_cast<std::uint16_t>(text.size()));
  out += text;
}

void append_audience(std::string& out, const audience_ptr& to) {
  if (!to)
    return;
  if (!to->page.empty())
    append_attribute(out, attribute::page, to->page.str());
  if (!to->subject.empty())
    append_attribute(out, attribute::subject, to->subject);
  if (!to->role.empty())
    append_attribute(out, attribute::role, to->role);
  for (const auto& topic : to->topics)
    append_attribute(out, attribute::topic, topic);
  for (const auto& id : to->except)
    append_attribute(out, attribute::except, id.str());
}

bool take_attribute(attribute kind, std::string_view text, audience& to) {
  switch (kind) {
  case attribute::page:
    if (!to.page.empty() || request_id_violation(text))
      return false;
    to.page = request_id{std::string{text}};
    return true;
  case attribute::subject:
    return take_principal(text, to.subject);
  case attribute::role:
    return take_principal(text, to.role);
  case attribute::topic:
    to.topics.emplace_back(text);
    return to.topics.size() <= max_event_topics && !topic_violation(text);
  case attribute::except:
    to.except.emplace_back(std::string{text});
    return to.except.size() <= max_event_except && !request_id_violation(text);
  case attribute::ttl:
    return false;
  }
  return false;
}

std::optional<audience_ptr> read_audience(std::string_view bytes) {
  byte_reader from{bytes};
  audience to;
  while (!from.at_end()) {
    const auto kind = static_cast<attribute>(from.number<std::uint8_t>());
    const auto text = from.text(from.number<std::uint16_t>());
    if (!from.good() || !take_attribute(kind, text, to))
      return std::nullopt;
  }
  if (to == audience{})
    return audience_ptr{};
  return std::make_shared<const audience>(std::move(to));
}

std::string pattern_lines(const std::vector<std::string>& patterns) {
  std::string lines;
  for (const auto& pattern : patterns)
    lines.append(pattern).append(1, '\n');
  return lines;
}

std::optional<std::vector<std::string>> read_pattern_lines(std::string_view lines) {
  std::vector<std::string> patterns;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    patterns.emplace_back(lines.substr(0, end));
    if (pattern_violation(patterns.back()))
      return std::nullopt;
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return patterns;
}

} // namespace herald
