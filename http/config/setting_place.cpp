#include "http/config/setting_place.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>
#include <utility>

namespace herald {

namespace {

using namespace std::chrono_literals;

template <class E>
using named = std::pair<std::string_view, E>;

/// The values of an enum by their names.
template <class E>
constexpr auto choices = nullptr;
template <>
constexpr auto choices<log::level> = std::to_array<named<log::level>>(
  {{"debug", log::level::debug},
   {"info", log::level::info},
   {"warning", log::level::warning},
   {"error", log::level::error}});
template <>
constexpr auto choices<log::format> =
  std::to_array<named<log::format>>({{"json", log::format::json}, {"text", log::format::text}});
template <>
constexpr auto choices<journal_sync> = std::to_array<named<journal_sync>>(
  {{"full", journal_sync::full}, {"normal", journal_sync::normal}, {"off", journal_sync::off}});
template <>
constexpr auto choices<supervision_strategy> =
  std::to_array<named<supervision_strategy>>({{"one_for_one", supervision_strategy::one_for_one}});
template <>
constexpr auto choices<restart_type> = std::to_array<named<restart_type>>(
  {{"permanent", restart_type::permanent},
   {"transient", restart_type::transient},
   {"temporary", restart_type::temporary}});
template <>
constexpr auto choices<when_full> = std::to_array<named<when_full>>(
  {{"reject", when_full::reject}, {"drop_oldest", when_full::drop_oldest}});
template <>
constexpr auto choices<gateway_format> = std::to_array<named<gateway_format>>(
  {{"v1", gateway_format::v1}, {"mid", gateway_format::mid}, {"v2", gateway_format::v2}});
template <>
constexpr auto choices<task_audience> = std::to_array<named<task_audience>>(
  {{"everyone", task_audience::everyone}, {"none", task_audience::none}});
template <>
constexpr auto choices<auth_mode> = std::to_array<named<auth_mode>>(
  {{"auto", auth_mode::by_host},
   {"none", auth_mode::none},
   {"optional", auth_mode::optional},
   {"required", auth_mode::required}});
/// The others are a gateway's.
template <>
constexpr auto choices<frame_format> = std::to_array<named<frame_format>>(
  {{"named", frame_format::named}, {"envelope", frame_format::envelope}});

template <class T>
constexpr bool is_time = std::is_same_v<T, std::chrono::milliseconds>;

template <class T>
constexpr bool is_whole =
  is_time<T> || std::is_same_v<T, std::size_t> || std::is_same_v<T, std::uint16_t>;

std::chrono::milliseconds unit_length(std::string_view key) {
  return unit_of(key) == "s" ? 1s : 1ms;
}

bool obeys(const setting_rule& rule, const std::string& text) {
  const auto* words = std::get_if<text_rule>(&rule);
  return words == nullptr || words->holds(text);
}

bool obeys(const setting_rule& rule, const std::vector<std::string>& list) {
  return std::all_of(list.begin(), list.end(), [&](auto& text) { return obeys(rule, text); });
}

bool obeys(const setting_rule&, bool) {
  return true;
}

template <class T>
bool put(T& into, std::string_view key, const setting_rule& rule, const setting_value& value) {
  if constexpr (is_whole<T>) {
    const auto* number = std::get_if<std::int64_t>(&value);
    const auto range = std::get<number_range>(rule);
    if (number == nullptr || *number < range.least || *number > range.most)
      return false;
    if constexpr (is_time<T>)
      into = *number * unit_length(key);
    else
      into = static_cast<T>(*number);
  } else if constexpr (std::is_same_v<T, double>) {
    double number = -1;
    if (const auto* whole = std::get_if<std::int64_t>(&value))
      number = static_cast<double>(*whole);
    else if (const auto* real = std::get_if<double>(&value))
      number = *real;
    if (!(number >= 0 && number <= 1))
      return false;
    into = number;
  } else if constexpr (std::is_enum_v<T>) {
    const auto* text = std::get_if<std::string>(&value);
    for (const auto& [name, choice] : choices<T>)
      if (text != nullptr && *text == name) {
        into = choice;
        return true;
      }
    return false;
  } else {
    const auto* found = std::get_if<T>(&value);
    if (found == nullptr || !obeys(rule, *found))
      return false;
    into = *found;
  }
  return true;
}

template <class T>
setting_value value_in(const T& member, std::string_view key) {
  if constexpr (is_time<T>) {
    return std::int64_t{member / unit_length(key)};
  } else if constexpr (is_whole<T>) {
    return static_cast<std::int64_t>(member);
  } else if constexpr (std::is_enum_v<T>) {
    for (const auto& [name, choice] : choices<T>)
      if (choice == member)
        return std::string{name};
    return std::string{};
  } else {
    return member;
  }
}

template <class T>
std::string words_for() {
  if constexpr (std::is_same_v<T, bool>) {
    return "true or false";
  } else if constexpr (std::is_same_v<T, double>) {
    return "a number from 0 to 1";
  } else if constexpr (std::is_enum_v<T>) {
    std::string words;
    for (const auto& choice : choices<T>)
      words.append(words.empty() ? "" : ", ").append(choice.first);
    return choices<T>.size() == 1 ? words : "one of " + words;
  } else {
    return {};
  }
}

setting_value split_list(std::string_view text) {
  std::vector<std::string> items;
  const auto blank = [](char c) {
    return c == ' ' || c == '\t';
  };
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    auto item = text.substr(0, end);
    while (!item.empty() && blank(item.front()))
      item.remove_prefix(1);
    while (!item.empty() && blank(item.back()))
      item.remove_suffix(1);
    items.emplace_back(item);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return items;
}

} // namespace

std::string_view unit_of(std::string_view key) {
  // So many in a second are no time.
  if (key.ends_with("_per_s"))
    return {};
  for (const std::string_view unit : {"s", "ms", "bytes"})
    if (key.ends_with(unit) && key.substr(0, key.size() - unit.size()).ends_with('_'))
      return unit;
  return {};
}

std::string requirement_of(const setting_place& place, const setting_rule& rule) {
  if (const auto* range = std::get_if<number_range>(&rule))
    return "a whole number from " + std::to_string(range->least) + " to "
           + std::to_string(range->most);
  if (const auto* text = std::get_if<text_rule>(&rule))
    return std::string{text->words};
  return std::visit([]<class T>(T*) { return words_for<T>(); }, place);
}

bool put_value(
  const setting_place& place, std::string_view key, const setting_rule& rule,
  const setting_value& value) {
  return std::visit([&](auto* into) { return put(*into, key, rule, value); }, place);
}

setting_value value_at(const setting_place& place, std::string_view key) {
  return std::visit([&](const auto* member) { return value_in(*member, key); }, place);
}

setting_value value_meant_by(std::string_view text, const setting_place& place) {
  return std::visit(
    [&]<class T>(T*) -> setting_value {
      if constexpr (std::is_same_v<T, bool>) {
        if (text == "true" || text == "false")
          return text == "true";
      } else if constexpr (is_whole<T>) {
        std::int64_t number = 0;
        const auto* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, number);
        if (error == std::errc{} && stop == end)
          return number;
      } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
        return split_list(text);
      }
      return std::string{text};
    },
    place);
}

} // namespace herald
