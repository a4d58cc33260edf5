#include "http/config/key_command.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "http/auth/digests.hpp"
#include "http/config/config_keys.hpp"
#include "http/keys/api_key.hpp"

namespace herald {

namespace {

using json = nlohmann::ordered_json;

/// A flag and the field of a key that it fills.
struct key_flag {
  std::string_view flag;
  const char* field;
  bool number = false;
};

constexpr key_flag flags[] = {
  {"--scope", "scopes"},
  {"--topic", "topics"},
  {"--subject", "subjects"},
  {"--role", "roles"},
  {"--request-id", "request_ids"},
  {"--task", "tasks"},
  {"--publishes-per-s", "publishes_per_s", true},
  {"--publish-bytes-per-s", "publish_bytes_per_s", true},
};

const key_flag* find(std::string_view flag) {
  for (const auto& known : flags)
    if (known.flag == flag)
      return &known;
  return nullptr;
}

/// The value as a config file has it, so that the reader of those says what is wrong with it.
void put(json& fields, const key_flag& flag, std::string_view text) {
  if (flag.number) {
    const auto number = json::parse(text, nullptr, false);
    fields["rate"][flag.field] = number.is_discarded() ? json(text) : number;
    return;
  }
  const auto items = std::get<std::vector<std::string>>(
    value_meant_by(text, setting_place{static_cast<std::vector<std::string>*>(nullptr)}));
  for (const auto& item : items)
    fields[flag.field].push_back(item);
}

} // namespace

std::variant<made_key, key_refusal> make_key(std::span<const std::string_view> arguments) {
  if (arguments.empty() || arguments.front().starts_with("--"))
    return key_refusal{"key: needs a name: herald key NAME --scope SCOPE"};
  const auto key = new_api_key();
  json fields;
  fields["name"] = arguments.front();
  fields["sha256"] = hex_of(sha256_of(key));
  for (arguments = arguments.subspan(1); !arguments.empty();) {
    const auto argument = arguments.front();
    arguments = arguments.subspan(1);
    const auto equals = std::min(argument.find('='), argument.size());
    const auto* const known = find(argument.substr(0, equals));
    if (known == nullptr)
      return key_refusal{
        "key: " + std::string{argument.substr(0, equals)}
        + " is none of --scope, --topic, --subject, --role, --request-id, --task, "
          "--publishes-per-s, --publish-bytes-per-s"};
    if (equals < argument.size()) {
      put(fields, *known, argument.substr(equals + 1));
    } else if (arguments.empty()) {
      return key_refusal{std::string{argument} + ": needs a value"};
    } else {
      put(fields, *known, arguments.front());
      arguments = arguments.subspan(1);
    }
  }
  std::vector<api_key> made;
  if (const auto wrong = read_keys(made, json::array({fields})))
    return key_refusal{"key: " + *wrong};
  return made_key{key + "\n" + key_json(made.front()).dump() + "\n"};
}

} // namespace herald
