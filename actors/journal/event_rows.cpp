#include "actors/journal/event_rows.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "actors/journal/audience_bytes.hpp"
#include "actors/sqlite/stored_bytes.hpp"
#include "actors/sqlite/stored_time.hpp"

namespace herald {

namespace {

/// Most bytes of all texts of an event; far more than any setting allows.
constexpr std::uint32_t max_text_bytes = 1U << 30U;

/// Ids go on from the last one that was stored: this leaves them room for ever.
constexpr std::uint64_t last_id = std::uint64_t{1} << 62U;

/// A name that would break the frame that it is written into.
bool breaks_lines(std::string_view name) {
  return name.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos;
}

/// In `R` of a row: attributes follow, and not a request_id.
constexpr std::uint32_t has_attributes = 1U << 31U;

/// Longest time to live: as long as the clock can say.
constexpr auto max_ttl = static_cast<std::uint64_t>(last_stored_time / 1000);

std::string attributes_of(const kept_event& event) {
  std::string out;
  append_audience(out, event.to);
  if (event.ttl.count() != 0) {
    std::string number;
    append_number(number, static_cast<std::uint64_t>(event.ttl.count()));
    append_attribute(out, attribute::ttl, number);
  }
  return out;
}

bool take_ttl(std::string_view text, kept_event& into) {
  byte_reader number{text};
  const auto ttl = number.number<std::uint64_t>();
  into.ttl = std::chrono::milliseconds{ttl};
  return number.good() && number.at_end() && ttl != 0 && ttl <= max_ttl;
}

bool read_attributes(std::string_view text, kept_event& into) {
  byte_reader from{text};
  audience to;
  while (!from.at_end()) {
    const auto kind = static_cast<attribute>(from.number<std::uint8_t>());
    const auto value = from.text(from.number<std::uint16_t>());
    if (!from.good())
      return false;
    if (!(kind == attribute::ttl ? take_ttl(value, into) : take_attribute(kind, value, to)))
      return false;
  }
  if (to != audience{})
    into.to = std::make_shared<const audience>(std::move(to));
  return true;
}

/// Whether an event has no attributes in its row.
bool is_plain(const kept_event& event) {
  return event.ttl.count() == 0 && (!event.to || event.to->only_page());
}

std::optional<journal_snapshot::dated_event> read_event(byte_reader& from) {
  auto made = std::make_shared<event>();
  made->id.value = from.number<std::uint64_t>();
  const auto micros = static_cast<std::int64_t>(from.number<std::uint64_t>());
  const auto service = from.number<std::uint8_t>();
  const auto to = from.number<std::uint32_t>();
  const auto name_size = from.number<std::uint32_t>();
  const auto data_size = from.number<std::uint32_t>();
  const bool attributes = (to & has_attributes) != 0;
  const auto who = from.text(attributes ? to - has_attributes : to == 0 ? 0 : to - 1);
  made->name = from.text(name_size);
  made->data = from.text(data_size);
  if (
    !from.good() || made->id.value > last_id || !is_stored_time(micros)
    || service >= service_type_count || breaks_lines(made->name))
    return std::nullopt;
  made->service = static_cast<service_type>(service);
  kept_event kept{std::move(made), nullptr};
  if (attributes) {
    // There is one way to write an event.
    if (!read_attributes(who, kept) || is_plain(kept) || attributes_of(kept) != who)
      return std::nullopt;
  } else if (to != 0) {
    if (request_id_violation(who))
      return std::nullopt;
    kept.to = audience_of_page(request_id{std::string{who}});
  }
  return journal_snapshot::dated_event{std::move(kept), from_stored_time(micros)};
}

} // namespace

void append_event_row(std::string& row, const kept_event& event, wall_time at) {
  const auto& what = *event.what;
  const auto length = [](const std::string& text) {
    return static_cast<std::uint32_t>(std::min<std::size_t>(text.size(), max_text_bytes));
  };
  const bool plain = is_plain(event);
  const auto who = !plain ? attributes_of(event) : event.to ? event.to->page.str() : std::string{};
  append_number(row, what.id.value);
  append_number(row, static_cast<std::uint64_t>(stored_time(at)));
  append_number(row, static_cast<std::uint8_t>(what.service));
  append_number(
    row, !plain     ? has_attributes + length(who)
         : event.to ? length(who) + 1
                    : std::uint32_t{0});
  append_number(row, length(what.name));
  append_number(row, length(what.data));
  row += who;
  row.append(what.name, 0, max_text_bytes);
  row.append(what.data, 0, max_text_bytes);
}

bool read_event_row(std::string_view row, std::vector<journal_snapshot::dated_event>& into) {
  const auto before = into.size();
  byte_reader from{row};
  event_id last;
  while (!from.at_end()) {
    auto one = read_event(from);
    if (!one || one->what.what->id <= last) {
      into.resize(before);
      return false;
    }
    last = one->what.what->id;
    into.push_back(std::move(*one));
  }
  return true;
}

} // namespace herald
