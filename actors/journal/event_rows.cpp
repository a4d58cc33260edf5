#include "actors/journal/event_rows.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "actors/journal/stored_time.hpp"

namespace herald {

namespace {

/// Most bytes of all texts of an event; far more than any setting allows.
constexpr std::uint32_t max_text_bytes = 1U << 30U;

/// Ids go on from the last one that was stored: this leaves them room for ever.
constexpr std::uint64_t last_id = std::uint64_t{1} << 62U;

template <class Number>
void append_number(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xffU);
}

/// Takes what it reads off the front of a text; once something is missing, all is.
class reader {
public:
  explicit reader(std::string_view from) : rest_(from) {}

  template <class Number>
  Number number() {
    std::uint64_t value = 0;
    const auto bytes = text(sizeof(Number));
    for (std::size_t i = 0; i < bytes.size(); ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return static_cast<Number>(value);
  }

  std::string_view text(std::size_t size) {
    good_ = good_ && size <= rest_.size();
    if (!good_)
      return {};
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

private:
  std::string_view rest_;
  bool good_ = true;
};

/// A name that would break the frame that it is written into.
bool breaks_lines(std::string_view name) {
  return name.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos;
}

/// In `R` of a row: attributes follow, and not a request_id.
constexpr std::uint32_t has_attributes = 1U << 31U;

enum class attribute : std::uint8_t { page = 1, subject, role, topic, except, ttl };

/// Longest time to live: as long as the clock can say.
constexpr auto max_ttl = static_cast<std::uint64_t>(last_stored_time / 1000);

void append_attribute(std::string& out, attribute kind, std::string_view text) {
  append_number(out, static_cast<std::uint8_t>(kind));
  append_number(out, static_cast<std::uint16_t>(text.size()));
  out += text;
}

std::string attributes_of(const kept_event& event) {
  std::string out;
  if (event.to) {
    const auto& to = *event.to;
    if (!to.page.empty())
      append_attribute(out, attribute::page, to.page.str());
    if (!to.subject.empty())
      append_attribute(out, attribute::subject, to.subject);
    if (!to.role.empty())
      append_attribute(out, attribute::role, to.role);
    for (const auto& topic : to.topics)
      append_attribute(out, attribute::topic, topic);
    for (const auto& id : to.except)
      append_attribute(out, attribute::except, id.str());
  }
  if (event.ttl.count() != 0) {
    std::string number;
    append_number(number, static_cast<std::uint64_t>(event.ttl.count()));
    append_attribute(out, attribute::ttl, number);
  }
  return out;
}

/// False for one that breaks a rule, or that may not come again.
bool take_attribute(attribute kind, std::string_view text, audience& to, kept_event& into) {
  const auto set = [&](std::string& field) {
    const bool good = field.empty() && !principal_violation(text);
    field = text;
    return good;
  };
  switch (kind) {
  case attribute::page:
    if (!to.page.empty() || request_id_violation(text))
      return false;
    to.page = request_id{std::string{text}};
    return true;
  case attribute::subject:
    return set(to.subject);
  case attribute::role:
    return set(to.role);
  case attribute::topic:
    to.topics.emplace_back(text);
    return to.topics.size() <= max_event_topics && !topic_violation(text);
  case attribute::except:
    to.except.emplace_back(std::string{text});
    return to.except.size() <= max_event_except && !request_id_violation(text);
  case attribute::ttl:
    reader number{text};
    const auto ttl = number.number<std::uint64_t>();
    into.ttl = std::chrono::milliseconds{ttl};
    return number.good() && number.at_end() && ttl != 0 && ttl <= max_ttl;
  }
  return false;
}

bool read_attributes(std::string_view text, kept_event& into) {
  reader from{text};
  audience to;
  while (!from.at_end()) {
    const auto kind = static_cast<attribute>(from.number<std::uint8_t>());
    const auto value = from.text(from.number<std::uint16_t>());
    if (!from.good() || !take_attribute(kind, value, to, into))
      return false;
  }
  if (to != audience{})
    into.to = std::make_shared<const audience>(std::move(to));
  return true;
}

std::optional<journal_snapshot::dated_event> read_event(reader& from) {
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
    if (!read_attributes(who, kept))
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
  const bool plain = event.ttl.count() == 0 && (!event.to || event.to->only_page());
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
  reader from{row};
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
