#include "http/config/config_file.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/config/config_children.hpp"
#include "http/config/config_json.hpp"
#include "http/config/config_keys.hpp"
#include "http/config/settings.hpp"
#include "messages/text/spelling.hpp"

namespace herald {

namespace {

using json = nlohmann::ordered_json;

const std::vector<std::string>& command_fields() {
  static const std::vector<std::string> names = {"argv", "cwd", "env", "timeout_s"};
  return names;
}

constexpr std::int64_t longest_command_s = 30 * 86'400L;

/// Watches a parse for keys that come twice in one object, which JSON libraries pass over.
class duplicate_watch {
public:
  bool operator()(int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) {
      open_.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      open_.pop_back();
    } else if (event == json::parse_event_t::key) {
      auto& [key, seen] = open_.back();
      key = parsed.get<std::string>();
      if (!seen.insert(key).second && !found_)
        found_ = path();
    }
    return true;
  }

  [[nodiscard]] const complaint& found() const { return found_; }

private:
  [[nodiscard]] std::string path() const {
    std::string joined;
    for (const auto& [key, seen] : open_)
      joined.append(joined.empty() ? "" : ".").append(key);
    return joined;
  }

  std::vector<std::pair<std::string, std::set<std::string>>> open_;
  complaint found_;
};

/// Says where a parse failed and why, without what was read there: it may be half a secret.
std::string place_of(const json::parse_error& e) {
  std::string_view what = e.what();
  if (const auto code = what.find("] "); code != std::string_view::npos)
    what.remove_prefix(code + 2);
  return std::string{what.substr(0, what.find("; last read"))};
}

/// Whether a program can be given this text.
bool is_argument(std::string_view text) {
  return text.find('\0') == std::string_view::npos;
}

constexpr text_rule argument = {is_argument, "a string"};
constexpr text_rule argument_list = {is_argument, "a list of strings, the program first"};

bool is_command_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'
           || c == '_' || c == '.';
  });
}

bool is_variable_name(std::string_view text) {
  return !text.empty() && text.find('=') == std::string_view::npos && is_argument(text);
}

complaint read_argv(command_type& command, const json& value, const std::string& key) {
  auto wrong = read_value(&command.argv, key, argument_list, value);
  if (!wrong && (command.argv.empty() || command.argv.front().empty()))
    wrong = must_be(key, std::string{argument_list.words}, value);
  return wrong;
}

complaint read_env(command_type& command, const json& value, const std::string& key) {
  if (!value.is_object())
    return key + " must be an object of strings";
  for (const auto& [variable, text] : value.items())
    if (
      !is_variable_name(variable)
      || read_value(&command.env[variable], key, argument, text).has_value())
      return key + " must be an object of strings: see " + excerpt(variable);
  return std::nullopt;
}

complaint read_command_field(
  command_type& command, const std::string& field, const json& value, const std::string& key) {
  if (field == "argv")
    return read_argv(command, value, key);
  if (field == "env")
    return read_env(command, value, key);
  if (field == "cwd")
    return read_value(&command.cwd, key, argument, value);
  if (field == "timeout_s")
    return read_value(&command.timeout_s.emplace(), key, number_range{0, longest_command_s}, value);
  return key + " is not a field of a command; the nearest is "
         + closest_spelling(field, command_fields());
}

complaint read_commands(command_map& commands, const json& value) {
  if (!value.is_object())
    return must_be("tasks.commands", "an object of commands", value);
  for (const auto& [name, fields] : value.items()) {
    const auto key = "tasks.commands." + name;
    if (!is_command_name(name))
      return key + " must have a name of 1 to 64 letters, digits, '-', '_' or '.'";
    if (!fields.is_object())
      return must_be(key, "an object with argv", fields);
    command_type command;
    for (const auto& [field, given] : fields.items())
      if (auto wrong = read_command_field(command, field, given, dotted(key, field)))
        return wrong;
    if (command.argv.empty())
      return key + ".argv must be given: a list of strings, the program first";
    commands[name] = std::move(command);
  }
  return std::nullopt;
}

complaint unknown_key(const std::string& key) {
  std::vector<std::string> keys;
  for (const auto& s : settings())
    keys.emplace_back(s.key);
  // Not every JSON key is fit for one line.
  const auto quoted = excerpt(key);
  return quoted.substr(1, quoted.size() - 2) + " is not a setting; the nearest is "
         + closest_spelling(key, keys);
}

complaint apply_setting(config& c, const std::string& key, const json& value) {
  const auto* s = find_setting(key);
  if (s == nullptr)
    return unknown_key(key);
  if (key == "tasks.commands")
    return read_commands(c.tasks.commands, value);
  if (key == "supervision.children")
    return read_children(c, value);
  if (key == "api.keys")
    return read_keys(c.api.keys, value);
  auto wrong = read_value(s->member(c), key, s->rule, value);
  if (wrong && s->hide != secrecy::open)
    return key + " must be " + s->requirement();
  return wrong;
}

bool is_section(std::string_view name) {
  const auto all = settings();
  return std::any_of(all.begin(), all.end(), [&](auto& s) { return s.section() == name; });
}

complaint apply_section(config& c, const std::string& section, const json& value) {
  if (!is_section(section)) {
    // {"stream.port": 1} and {"strem": {"port": 1}} both meant stream.port.
    const bool holds_keys = value.is_object() && !value.empty();
    if (find_setting(section) != nullptr)
      return section + " must be nested: {\"" + section.substr(0, section.find('.')) + "\": {\""
             + section.substr(section.find('.') + 1) + "\": ...}}";
    return unknown_key(holds_keys ? dotted(section, value.begin().key()) : section);
  }
  if (!value.is_object())
    return must_be(section, "an object of settings", value);
  for (const auto& [name, given] : value.items())
    if (auto wrong = apply_setting(c, dotted(section, name), given))
      return wrong;
  return std::nullopt;
}

json command_json(const command_type& command) {
  json fields;
  fields["argv"] = command.argv;
  if (!command.cwd.empty())
    fields["cwd"] = command.cwd;
  for (const auto& [variable, value] : command.env)
    fields["env"][variable] = masked_secret;
  if (command.timeout_s)
    fields["timeout_s"] = std::chrono::floor<std::chrono::seconds>(*command.timeout_s).count();
  return fields;
}

json commands_json(const command_map& commands) {
  auto all = json::object();
  for (const auto& [name, command] : commands)
    all[name] = command_json(command);
  return all;
}

} // namespace

std::optional<std::string> apply_config_file(config& c, std::string_view text) {
  // The parser takes a NUL for the end of the text.
  if (text.find('\0') != std::string_view::npos)
    return "not JSON: it holds a NUL character";
  duplicate_watch duplicates;
  json document;
  try {
    document = json::parse(text, std::ref(duplicates), true, true);
  } catch (const json::parse_error& e) {
    return "not JSON: " + place_of(e);
  } catch (const json::out_of_range&) {
    return "not JSON: a number in it is too large for anything";
  }
  if (duplicates.found())
    return *duplicates.found() + " is given twice";
  if (!document.is_object())
    return "must be a JSON object of sections, such as {\"stream\": {\"port\": 8081}}";
  for (const auto& [section, value] : document.items())
    if (auto wrong = apply_section(c, section, value))
      return wrong;
  return instances_conflict(document);
}

std::string print_config(const config& c) {
  json document;
  for (const auto& s : settings()) {
    auto& place =
      document[std::string{s.section()}][std::string{s.key.substr(s.section().size() + 1)}];
    if (s.key == "tasks.commands")
      place = commands_json(c.tasks.commands);
    else if (s.key == "supervision.children")
      place = children_json(c);
    else if (s.key == "api.keys")
      place = keys_json(c.api.keys);
    else
      std::visit([&](const auto& value) { place = value; }, shown_value(c, s));
  }
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace herald
