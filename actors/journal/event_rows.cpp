#include "actors/journal/event_rows.hpp"

#include <algorithm>
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

std::optional<journal_snapshot::dated_event> read_event(reader& from) {
  auto made = std::make_shared<event>();
  made->id.value = from.number<std::uint64_t>();
  const auto micros = static_cast<std::int64_t>(from.number<std::uint64_t>());
  const auto service = from.number<std::uint8_t>();
  // The length of the request_id and 1, or 0 where the event is for everyone.
  const auto only = from.number<std::uint32_t>();
  const auto name_size = from.number<std::uint32_t>();
  const auto data_size = from.number<std::uint32_t>();
  const auto id = from.text(only == 0 ? 0 : only - 1);
  made->name = from.text(name_size);
  made->data = from.text(data_size);
  if (
    !from.good() || made->id.value > last_id || !is_stored_time(micros)
    || service >= service_type_count || breaks_lines(made->name)
    || (only != 0 && request_id_violation(id)))
    return std::nullopt;
  made->service = static_cast<service_type>(service);
  audience to;
  if (only != 0)
    to.only = request_id{std::string{id}};
  return journal_snapshot::dated_event{{std::move(made), std::move(to)}, from_stored_time(micros)};
}

} // namespace

void append_event_row(std::string& row, const kept_event& event, wall_time at) {
  const auto& what = *event.what;
  const auto length = [](const std::string& text) {
    return static_cast<std::uint32_t>(std::min<std::size_t>(text.size(), max_text_bytes));
  };
  append_number(row, what.id.value);
  append_number(row, static_cast<std::uint64_t>(stored_time(at)));
  append_number(row, static_cast<std::uint8_t>(what.service));
  append_number(row, event.to.only ? length(event.to.only->str()) + 1 : std::uint32_t{0});
  append_number(row, length(what.name));
  append_number(row, length(what.data));
  if (event.to.only)
    row.append(event.to.only->str(), 0, max_text_bytes);
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
