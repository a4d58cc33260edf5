#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/audience.hpp"

namespace herald {

/// Attributes as the journal stores them (see event_rows.hpp): those of an audience, and what an
/// event has beside it.
enum class attribute : std::uint8_t { page = 1, subject, role, topic, except, ttl };

void append_attribute(std::string& out, attribute kind, std::string_view text);

/// Appends the attributes of an audience; nothing for everyone.
void append_audience(std::string& out, const audience_ptr& to);

/// Takes one attribute into an audience. False for one that is none of an audience, that breaks a
/// rule, or that may not come again.
[[nodiscard]] bool take_attribute(attribute kind, std::string_view text, audience& to);

/// The audience that attributes name; null for everyone. Nothing for bytes that `append_audience`
/// cannot have made.
[[nodiscard]] std::optional<audience_ptr> read_audience(std::string_view bytes);

/// Patterns as the journal stores them: each followed by a line feed, which no pattern has.
[[nodiscard]] std::string pattern_lines(const std::vector<std::string>& patterns);
/// Nothing if one of the lines is no pattern.
[[nodiscard]] std::optional<std::vector<std::string>> read_pattern_lines(std::string_view lines);

} // namespace herald
