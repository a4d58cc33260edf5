#pragma once

#include "messages/audience.hpp"
#include "messages/json/json_reader.hpp"
#include "messages/json/json_writer.hpp"

/// Who something is for, as the fields of the object that is for them: `request_id`, `topic` or
/// `topics`, `subject`, `role`, `except`. The same fields wherever an audience is given or shown.
namespace herald {

/// Reads the fields, each of which may be absent; null if all are. `topics` is an array of 1 to 16,
/// `except` a request_id or an array of 1 to 16; the same twice counts once. What breaks a rule is
/// to blame by its path, e.g. `topics[1]`.
[[nodiscard]] audience_ptr parse_audience(json_reader& in);

/// Writes the fields of what is named: `topic` for a single one, `except` always as an array.
/// Nothing for everyone.
void audience_fields(object_writer& out, const audience_ptr& to);

} // namespace herald
