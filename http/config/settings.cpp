#include "http/config/settings.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <type_traits>
#include <utility>

namespace herald {

namespace {

constexpr std::pair<std::string_view, log::level> levels[] = {
  {"debug", log::level::debug},
  {"info", log::level::info},
  {"warning", log::level::warning},
  {"error", log::level::error}};

constexpr std::pair<std::string_view, log::format> formats[] = {
  {"json", log::format::json}, {"text", log::format::text}};

constexpr std::pair<std::string_view, journal_sync> syncs[] = {
  {"full", journal_sync::full}, {"normal", journal_sync::normal}, {"off", journal_sync::off}};
constexpr std::pair<std::string_view, supervision_strategy> strategies[] = {
  {"one_for_one", supervision_strategy::one_for_one}};

template <class T>
constexpr auto& choices() {
  if constexpr (std::is_same_v<T, log::level>)
    return levels;
  else if constexpr (std::is_same_v<T, journal_sync>)
    return syncs;
  else if constexpr (std::is_same_v<T, log::format>)
    return formats;
  else
    return strategies;
}

/// Of a form that only a file has.
template <class T>
constexpr bool is_nested =
  std::is_same_v<T, config::command_map> || std::is_same_v<T, child_options_map>;

template <class T>
constexpr bool is_duration =
  std::is_same_v<T, std::chrono::seconds> || std::is_same_v<T, std::chrono::milliseconds>;

template <class T>
constexpr bool is_number =
  is_duration<T> || std::is_same_v<T, std::size_t> || std::is_same_v<T, std::uint16_t>;

/// Calls `f` with the member's type as the template argument of a null pointer.
template <class F>
auto with_type(const setting& s, F f) {
  return std::visit(
    [&]<class T>(T& (*)(config&)) { return f(static_cast<T*>(nullptr)); }, s.member);
}

bool obeys(const setting& s, const std::string& text) {
  const auto* rule = std::get_if<text_rule>(&s.rule);
  return rule == nullptr || rule->holds(text);
}

/// Reads a value into a member; false if it is of another type or breaks the rule.
template <class T>
bool read(const setting& s, const setting_value& value, T& into) {
  if constexpr (is_number<T>) {
    const auto* number = std::get_if<std::int64_t>(&value);
    const auto range = std::get<number_range>(s.rule);
    if (number == nullptr || *number < range.least || *number > range.most)
      return false;
    into = static_cast<T>(*number);
    return true;
  } else if constexpr (std::is_enum_v<T>) {
    const auto* text = std::get_if<std::string>(&value);
    for (const auto& [name, choice] : choices<T>())
      if (text != nullptr && *text == name) {
        into = choice;
        return true;
      }
    return false;
  } else if constexpr (is_nested<T>) {
    return false;
  } else {
    const auto* found = std::get_if<T>(&value);
    if (found == nullptr)
      return false;
    if constexpr (std::is_same_v<T, std::string>)
      if (!obeys(s, *found))
        return false;
    if constexpr (std::is_same_v<T, std::vector<std::string>>)
      if (!std::all_of(found->begin(), found->end(), [&](auto& item) { return obeys(s, item); }))
        return false;
    into = *found;
    return true;
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

/// The value that a text means for a type; the text itself where it means none.
template <class T>
setting_value value_meant_by(std::string_view text) {
  if constexpr (std::is_same_v<T, bool>) {
    if (text == "true" || text == "false")
      return text == "true";
  } else if constexpr (is_number<T>) {
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc{} && stop == end)
      return number;
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    return split_list(text);
  }
  return std::string{text};
}

template <class T>
setting_value value_in(const T& member) {
  if constexpr (is_duration<T>) {
    return std::int64_t{member.count()};
  } else if constexpr (is_number<T>) {
    return static_cast<std::int64_t>(member);
  } else if constexpr (std::is_enum_v<T>) {
    for (const auto& [name, choice] : choices<T>())
      if (choice == member)
        return std::string{name};
    return std::string{};
  } else if constexpr (is_nested<T>) {
    return std::string{};
  } else {
    return member;
  }
}

} // namespace

std::string_view setting::section() const {
  return key.substr(0, key.find('.'));
}

std::string setting::flag() const {
  std::string name = "--";
  for (const char c : key)
    name += c == '.' || c == '_' ? '-' : c;
  return name;
}

std::string setting::variable() const {
  std::string name = "HERALD_";
  for (const char c : key)
    name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::string_view setting::unit() const {
  return with_type(*this, [this]<class T>(T*) -> std::string_view {
    if constexpr (std::is_same_v<T, std::chrono::seconds>)
      return "s";
    else if constexpr (std::is_same_v<T, std::chrono::milliseconds>)
      return "ms";
    else
      return key.ends_with("_bytes") ? "bytes" : "";
  });
}

std::string setting::requirement() const {
  if (const auto* range = std::get_if<number_range>(&rule))
    return "a whole number from " + std::to_string(range->least) + " to "
           + std::to_string(range->most);
  if (const auto* text = std::get_if<text_rule>(&rule))
    return std::string{text->words};
  return with_type(*this, []<class T>(T*) -> std::string {
    if constexpr (std::is_same_v<T, bool>) {
      return "true or false";
    } else if constexpr (std::is_enum_v<T>) {
      std::string words;
      for (const auto& choice : choices<T>())
        words.append(words.empty() ? "" : ", ").append(choice.first);
      return std::size(choices<T>()) == 1 ? words : "one of " + words;
    } else if constexpr (std::is_same_v<T, child_options_map>) {
      return "an object of children";
    } else {
      return "an object of commands";
    }
  });
}

bool setting::is_bool() const {
  return std::holds_alternative<bool& (*)(config&)>(member);
}

bool setting::file_only() const {
  return with_type(*this, []<class T>(T*) { return is_nested<T>; });
}

const setting* find_setting(std::string_view key) {
  for (const auto& s : settings())
    if (s.key == key)
      return &s;
  return nullptr;
}

std::optional<std::string> assign(config& c, const setting& s, const setting_value& value) {
  const bool taken = std::visit([&](auto member) { return read(s, value, member(c)); }, s.member);
  if (taken)
    return std::nullopt;
  return "must be " + s.requirement();
}

std::optional<std::string> assign_text(config& c, const setting& s, std::string_view text) {
  if (s.file_only())
    return "can be set in the config file only";
  const auto value = with_type(s, [&]<class T>(T*) { return value_meant_by<T>(text); });
  return assign(c, s, value);
}

setting_value value_of(const config& c, const setting& s) {
  // The member is only read; the table has one kind of accessor for both uses.
  auto& writable = const_cast<config&>(c); // NOLINT(cppcoreguidelines-pro-type-const-cast)
  return std::visit([&](auto member) { return value_in(member(writable)); }, s.member);
}

setting_value shown_value(const config& c, const setting& s) {
  auto value = value_of(c, s);
  auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || text->empty() || s.hide == secrecy::open)
    return value;
  if (s.hide == secrecy::secret)
    return std::string{masked_secret};
  if (const auto query = text->find('?'); query != std::string::npos)
    text->replace(query + 1, std::string::npos, masked_secret);
  return value;
}

} // namespace herald
