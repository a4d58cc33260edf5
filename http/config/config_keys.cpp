#include "http/config/config_keys.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "http/auth/digests.hpp"
#include "messages/audience.hpp"
#include "messages/text/spelling.hpp"
#include "messages/text/utf8.hpp"

namespace herald {

namespace {

using json = nlohmann::ordered_json;
using list = std::vector<std::string>;

constexpr const char* keys_key = "api.keys";
/// Each is compared with at each request.
constexpr std::size_t most_keys = 1000;
constexpr std::size_t most_names = 1000;
constexpr std::int64_t highest_rate = std::int64_t{1} << 30U;

const list& key_fields() {
  static const list names = {"name",  "sha256",      "scopes", "topics", "subjects",
                             "roles", "request_ids", "tasks",  "rate"};
  return names;
}

bool is_text(std::string_view text) {
  return !text.empty() && text.size() <= max_principal_bytes && is_utf8(text)
         && std::none_of(
           text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_list_of_texts(const json& value) {
  return value.is_array() && value.size() <= most_names
         && std::all_of(
           value.begin(), value.end(), [](const json& one) { return one.is_string(); });
}

template <class Check>
complaint read_list(list& into, const json& value, const std::string& key, Check check) {
  if (!is_list_of_texts(value))
    return must_be(key, "a list of at most " + std::to_string(most_names) + " strings", value);
  into.clear();
  for (const auto& one : value) {
    into.push_back(one.get<std::string>());
    if (auto wrong = check(into.back(), key))
      return wrong;
  }
  return std::nullopt;
}

complaint check_text(std::string_view text, const std::string& key) {
  if (is_text(text))
    return std::nullopt;
  return must_be(key, "a list of names, or of beginnings that end with *", json(text));
}

complaint read_scopes(scope_set& into, const json& value, const std::string& key) {
  if (!is_list_of_texts(value) || value.empty())
    return must_be(key, "a list of scopes, one at least", value);
  for (const auto& one : value)
    if (auto wrong = add_scope(into, one.get_ref<const std::string&>(), key))
      return wrong;
  return std::nullopt;
}

complaint read_rate(publish_limits& into, const json& value, const std::string& key) {
  if (!value.is_object())
    return must_be(key, "an object with publishes_per_s, publish_bytes_per_s or both", value);
  for (const auto& [field, given] : value.items()) {
    const auto name = dotted(key, field);
    auto* const place = field == "publishes_per_s"       ? &into.publishes_per_s
                        : field == "publish_bytes_per_s" ? &into.publish_bytes_per_s
                                                         : nullptr;
    if (place == nullptr)
      return name + " is not a field of a rate; there are publishes_per_s and publish_bytes_per_s";
    if (auto wrong = read_value(place, name, number_range{0, highest_rate}, given))
      return wrong;
  }
  return std::nullopt;
}

complaint
read_field(api_key& into, const std::string& field, const json& value, const std::string& key) {
  if (field == "name") {
    if (!value.is_string())
      return must_be(key, "a name", value);
    into.name = value.get<std::string>();
    return check_name(into.name, key);
  }
  if (field == "sha256") {
    into.sha256 = value.is_string() ? value.get<std::string>() : std::string{};
    if (!bits_of_hex(into.sha256))
      return key + " must be the 64 hexadecimal digits that herald key prints, and not the key";
    return std::nullopt;
  }
  if (field == "scopes")
    return read_scopes(into.scopes, value, key);
  if (field == "topics")
    return read_list(into.topics, value, key, check_pattern);
  if (field == "subjects")
    return read_list(into.subjects, value, key, check_text);
  if (field == "roles")
    return read_list(into.roles, value, key, check_text);
  if (field == "request_ids")
    return read_list(into.request_ids, value, key, check_text);
  if (field == "tasks")
    return read_list(into.tasks, value, key, check_name);
  if (field == "rate")
    return read_rate(into.rate.emplace(), value, key);
  return key + " is not a field of a key; the nearest is " + closest_spelling(field, key_fields());
}

complaint read_key(api_key& into, const json& value, const std::string& key) {
  if (!value.is_object())
    return key + " must be an object with name, sha256 and scopes";
  for (const auto& [field, given] : value.items())
    if (auto wrong = read_field(into, field, given, dotted(key, field)))
      return wrong;
  for (const auto* field : {"name", "sha256", "scopes"})
    if (!value.contains(field))
      return dotted(key, field) + " must be given";
  // As digests are shown everywhere, so that two of them can be compared.
  if (const auto digest = bits_of_hex(into.sha256))
    into.sha256 = hex_of(*digest);
  return std::nullopt;
}

/// Two keys with one digest, or of one name that may do different things.
complaint conflict_in(const std::vector<api_key>& keys) {
  std::set<std::string> digests;
  std::map<std::string, api_key> by_name;
  for (const auto& key : keys) {
    if (!digests.insert(key.sha256).second)
      return std::string{keys_key} + ": the key of " + key.name + " is there twice";
    auto plain = key;
    plain.sha256.clear();
    if (by_name.try_emplace(key.name, plain).first->second != plain)
      return std::string{keys_key} + ": keys of the name " + key.name
             + " must differ in sha256 alone";
  }
  return std::nullopt;
}

} // namespace

complaint add_scope(scope_set& scopes, std::string_view text, const std::string& key) {
  const auto which = parse_scope(text);
  if (!which)
    return key + ": " + excerpt(json(text)) + " is not a scope; the nearest is "
           + closest_spelling(text, scope_names());
  scopes.add(*which);
  return std::nullopt;
}

complaint check_pattern(std::string_view text, const std::string& key) {
  const auto broken = pattern_violation(text);
  if (!broken)
    return std::nullopt;
  return key + ": " + excerpt(json(text)) + " " + std::string{*broken};
}

complaint check_name(std::string_view text, const std::string& key) {
  const bool good =
    !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'
             || c == '_' || c == '.';
    });
  if (good)
    return std::nullopt;
  return must_be(key, "a name of 1 to 64 letters, digits, '-', '_' or '.'", json(text));
}

complaint read_keys(std::vector<api_key>& keys, const json& value) {
  if (!value.is_array() || value.size() > most_keys)
    return must_be(
      keys_key, "a list of at most " + std::to_string(most_keys) + " keys",
      json(value.type_name()));
  std::vector<api_key> read(value.size());
  for (std::size_t i = 0; i < value.size(); ++i)
    if (auto wrong = read_key(read[i], value[i], keys_key + ("[" + std::to_string(i) + "]")))
      return wrong;
  if (auto wrong = conflict_in(read))
    return wrong;
  keys = std::move(read);
  return std::nullopt;
}

json key_json(const api_key& key) {
  json fields;
  fields["name"] = key.name;
  fields["sha256"] = key.sha256;
  fields["scopes"] = key.scopes.names();
  const std::array<std::pair<const char*, const list*>, 5> lists = {
    {{"topics", &key.topics},
     {"subjects", &key.subjects},
     {"roles", &key.roles},
     {"request_ids", &key.request_ids},
     {"tasks", &key.tasks}}};
  for (const auto& [name, names] : lists)
    if (!names->empty())
      fields[name] = *names;
  if (key.rate) {
    auto& rate = fields["rate"] = json::object();
    rate["publishes_per_s"] = key.rate->publishes_per_s;
    rate["publish_bytes_per_s"] = key.rate->publish_bytes_per_s;
  }
  return fields;
}

json keys_json(const std::vector<api_key>& keys) {
  auto all = json::array();
  for (const auto& key : keys)
    all.push_back(key_json(key));
  return all;
}

} // namespace herald
