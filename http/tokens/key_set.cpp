#include "http/tokens/key_set.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "messages/errors.hpp"
#include "messages/json/json_objects.hpp"

namespace herald {

namespace {

bool is_taken(const std::vector<token_key_ptr>& keys, const token_key& by) {
  return std::any_of(keys.begin(), keys.end(), [&](const auto& key) {
    return key->algorithm() == by.algorithm() && key->id() == by.id();
  });
}

/// The array `keys`, as JSON.
caf::expected<std::string> keys_of(std::string_view document) {
  auto in = read_object(document);
  if (!in)
    return in.error();
  auto keys = in->optional_json("keys");
  in->refuse_duplicates();
  if (auto error = in->finish_leniently())
    return error;
  if (!keys || !keys->starts_with('['))
    return fail(ec::invalid_field, "must be an array of keys", "keys");
  return std::move(*keys);
}

void add_key(jwks_keys& into, json_reader& jwk, std::size_t at, const allowed_algorithms& allowed) {
  auto read = key_of_jwk(jwk, allowed);
  auto* key = std::get_if<token_key_ptr>(&read);
  const auto leave_out = [&](const std::string& why) {
    into.left_out.push_back("keys[" + std::to_string(at) + "]: " + why);
  };
  if (key == nullptr)
    leave_out(std::get<std::string>(read));
  else if (is_taken(into.keys, **key))
    leave_out("an earlier key has the same kid, for the same algorithm");
  else
    into.keys.push_back(std::move(*key));
}

} // namespace

caf::expected<jwks_keys>
read_jwks(std::string_view document, const allowed_algorithms& allowed, std::size_t max_keys) {
  const auto array = keys_of(document);
  if (!array)
    return array.error();
  jwks_keys result;
  const auto shape =
    read_objects(*array, max_keys, [&](json_reader& jwk, std::size_t index) -> caf::error {
      add_key(result, jwk, index, allowed);
      return {};
    });
  if (!shape)
    return fail(ec::invalid_field, describe(shape.error()).detail, "keys");
  if (!result.keys.empty())
    return result;
  return fail(
    ec::invalid_field,
    "has no key of use" + (result.left_out.empty() ? "" : ": " + result.left_out.front()), "keys");
}

std::string_view secret_in(std::string_view file) noexcept {
  if (file.ends_with("\r\n"))
    return file.substr(0, file.size() - 2);
  return file.ends_with('\n') ? file.substr(0, file.size() - 1) : file;
}

const token_key* key_set::find(token_algorithm algorithm, std::string_view id) const noexcept {
  if (algorithm == token_algorithm::hs256)
    return secret_.get();
  const token_key* only = nullptr;
  std::size_t for_it = 0;
  for (const auto& key : published_) {
    if (key->algorithm() != algorithm)
      continue;
    if (!id.empty() && key->id() == id)
      return key.get();
    only = key.get();
    ++for_it;
  }
  return for_it == 1 && (id.empty() || only->id().empty()) ? only : nullptr;
}

} // namespace herald
