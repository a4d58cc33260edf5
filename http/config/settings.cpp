#include "http/config/settings.hpp"

#include <cctype>
#include <vector>

#include "http/config/setting_table.hpp"

namespace herald {

namespace {

/// The place of a setting in a config that is only read, for its type or its value.
setting_place place_in(const config& c, const setting& s) {
  // The table has one kind of accessor for both uses.
  return s.member(const_cast<config&>(c)); // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

const config& defaults() {
  static const config c;
  return c;
}

} // namespace

std::span<const setting> settings() {
  static const auto all = [] {
    const auto first = settings_of_ports();
    const auto second = settings_of_parts();
    std::vector<setting> joined{first.begin(), first.end()};
    joined.insert(joined.end(), second.begin(), second.end());
    return joined;
  }();
  return all;
}

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
  return unit_of(key);
}

std::string setting::requirement() const {
  return requirement_of(place_in(defaults(), *this), rule);
}

bool setting::is_bool() const {
  return !file_only() && std::holds_alternative<bool*>(place_in(defaults(), *this));
}

const setting* find_setting(std::string_view key) {
  for (const auto& s : settings())
    if (s.key == key)
      return &s;
  return nullptr;
}

std::optional<std::string> assign(config& c, const setting& s, const setting_value& value) {
  if (put_value(s.member(c), s.key, s.rule, value))
    return std::nullopt;
  return "must be " + s.requirement();
}

std::optional<std::string> assign_text(config& c, const setting& s, std::string_view text) {
  if (s.file_only())
    return "can be set in the config file only";
  return assign(c, s, value_meant_by(text, s.member(c)));
}

setting_value value_of(const config& c, const setting& s) {
  return s.file_only() ? setting_value{std::string{}} : value_at(place_in(c, s), s.key);
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
