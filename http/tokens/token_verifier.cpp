#include "http/tokens/token_verifier.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "http/tokens/base64url.hpp"
#include "http/tokens/token_claims.hpp"
#include "messages/json/json_objects.hpp"
#include "messages/text/ascii.hpp"

namespace herald {

namespace {

/// What the header of a token says.
struct token_header {
  std::string algorithm;
  std::string key_id;
  std::optional<std::string> type;
};

/// A header that says any of it is not believed: `crit` asks for more than is understood, the
/// others bring the key along that they are to be verified with, or say where it is.
constexpr std::array<std::string_view, 5> refused_parameters = {"crit", "jwk", "jku", "x5u", "x5c"};

std::optional<compact_token> parts_of(std::string_view token) {
  const auto first = token.find('.');
  const auto second = token.find('.', std::min(first, token.size() - 1) + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
    return std::nullopt;
  return compact_token{
    token, token.substr(0, first), token.substr(first + 1, second - first - 1),
    token.substr(second + 1)};
}

std::optional<token_header> read_header(std::string_view text) {
  auto in = read_object(text);
  if (!in)
    return std::nullopt;
  in->refuse_duplicates();
  token_header header;
  header.algorithm = in->text("alg");
  header.key_id = in->optional_text("kid").value_or(std::string{});
  header.type = in->optional_text("typ");
  for (const auto name : refused_parameters)
    if (in->optional_json(name))
      return std::nullopt;
  if (in->finish_leniently())
    return std::nullopt;
  return header;
}

token_refusal invalid(std::string cause) {
  return {token_refusal::kind::invalid, std::move(cause)};
}

} // namespace

token_verifier::token_verifier(auth_options rules, key_set_ptr keys)
  : rules_(std::move(rules)),
    allowed_(rules_.algorithms),
    keys_(std::move(keys)) {}

token_judgement token_verifier::verify(std::string_view token, wall_time now) const {
  if (token.empty() || token.size() > rules_.max_token_bytes)
    return invalid("it is longer than auth.max_token_bytes, or empty");
  const auto parts = parts_of(token);
  if (!parts)
    return invalid("it has not three parts");
  const auto header_text = from_base64url(parts->header);
  const auto payload = from_base64url(parts->payload);
  if (!header_text || !payload || !from_base64url(parts->signature))
    return invalid("its parts are not base64url");
  const auto header = read_header(*header_text);
  if (!header)
    return invalid("the header is no JSON object, or says what it must not");
  const auto algorithm = token_algorithm_of(header->algorithm);
  if (!algorithm || !allowed_.has(*algorithm))
    return invalid("alg is not in auth.algorithms");
  if (header->type && !is_typ(*header->type))
    return invalid("typ is not in auth.typ");
  const auto* key = keys_->find(*algorithm, header->key_id);
  if (key == nullptr && *algorithm == token_algorithm::hs256)
    return invalid("it has HS256, and there is no auth.secret_file");
  if (key == nullptr)
    return token_refusal{token_refusal::kind::unknown_key, "its key is not known", header->key_id};
  if (!key->has_signed(*parts))
    return invalid("the signature is not that of its key");
  auto granted = grant_of_claims(*payload, rules_, now);
  if (auto* grant = std::get_if<stream_grant>(&granted))
    return std::move(*grant);
  return invalid(std::move(std::get<std::string>(granted)));
}

bool token_verifier::is_typ(std::string_view typ) const {
  constexpr std::string_view prefix = "application/";
  if (same_ignoring_case(typ.substr(0, prefix.size()), prefix))
    typ.remove_prefix(prefix.size());
  return std::any_of(rules_.typ.begin(), rules_.typ.end(), [&](std::string_view allowed) {
    return same_ignoring_case(allowed, typ);
  });
}

} // namespace herald
