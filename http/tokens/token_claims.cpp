#include "http/tokens/token_claims.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "messages/audience.hpp"
#include "messages/errors.hpp"
#include "messages/json/json_objects.hpp"

namespace herald {

namespace {

using texts = std::vector<std::string>;
using seconds = std::chrono::duration<double>;

/// Claims that have a meaning of their own.
constexpr std::array<std::string_view, 7> registered = {"iss", "aud", "sub", "exp",
                                                        "nbf", "iat", "jti"};
/// `aud` may name that many.
constexpr std::size_t max_audiences = 64;
/// In 2255. A later one is a mistake, and does not fit into a time_point.
constexpr double furthest_s = 9e9;

std::optional<wall_time> time_of(double epoch_s) {
  if (!(epoch_s >= 0 && epoch_s <= furthest_s))
    return std::nullopt;
  return wall_time{std::chrono::floor<wall_time::duration>(seconds{epoch_s})};
}

/// Notes the first rule that is broken; `why` stays empty while none is.
class claim_checks {
public:
  explicit claim_checks(const auth_options& rules, wall_time now) : rules_(rules), now_(now) {}

  void require(bool holds, std::string_view rule) {
    if (!holds && why_.empty())
      why_ = rule;
  }

  void check_audience(const std::optional<texts>& audiences) {
    require(
      audiences
        && std::any_of(
          audiences->begin(), audiences->end(),
          [&](const auto& one) {
            return std::find(rules_.audience.begin(), rules_.audience.end(), one)
                   != rules_.audience.end();
          }),
      "aud must name one of auth.audience");
  }

  /// When the token ends.
  wall_time end(double exp) {
    const auto at = time_of(exp);
    require(at && *at > now_, "exp must be later than now");
    require(at && *at - now_ <= rules_.max_lifetime_s, "exp is beyond auth.max_lifetime_s");
    return at.value_or(wall_time{});
  }

  std::optional<wall_time> not_ahead(std::optional<double> claim, std::string_view rule) {
    if (!claim)
      return std::nullopt;
    const auto at = time_of(*claim);
    require(at && *at <= now_ + rules_.leeway_s, rule);
    return at;
  }

  [[nodiscard]] const std::string& why() const noexcept { return why_; }

private:
  const auth_options& rules_;
  wall_time now_;
  std::string why_;
};

/// A text or an array of texts at a path of claims, which may lead into objects. A claim whose name
/// is the whole path comes first: names with dots in them are usual ("https://a.example/roles").
caf::expected<texts> texts_at(json_reader& in, std::string_view path, std::size_t most) {
  auto found = in.optional_text_or_texts(path, std::max<std::size_t>(most, 1));
  if (auto error = in.finish_leniently())
    return error;
  if (found)
    return std::move(*found);
  const auto dot = path.find('.');
  if (dot == std::string_view::npos)
    return texts{};
  const auto inside = in.optional_object(path.substr(0, dot));
  if (auto error = in.finish_leniently())
    return error;
  if (!inside)
    return texts{};
  auto object = read_object(*inside);
  if (!object)
    return object.error();
  object->refuse_duplicates();
  return texts_at(*object, path.substr(dot + 1), most);
}

/// A claim of texts, and the rule for each of them.
struct texts_claim {
  std::string_view path;
  std::size_t most;
  std::optional<std::string_view> (*violation)(std::string_view);
  std::string_view rule;
};

/// `in` gives each claim once; another reader is made where the path may lead to one that was asked
/// for before, or into one.
caf::expected<texts>
texts_of(json_reader& in, std::string_view payload, const texts_claim& claim, bool asked_before) {
  if (!asked_before && claim.path.find('.') == std::string_view::npos)
    return texts_at(in, claim.path, claim.most);
  auto again = read_object(payload);
  if (!again)
    return again.error();
  return texts_at(*again, claim.path, claim.most);
}

texts obedient_texts(claim_checks& checks, const texts_claim& claim, caf::expected<texts> found) {
  checks.require(found && found->size() <= claim.most, claim.rule);
  if (!found)
    return {};
  for (const auto& text : *found)
    checks.require(!claim.violation(text), claim.rule);
  return std::move(*found);
}

} // namespace

std::variant<stream_grant, std::string>
grant_of_claims(std::string_view payload, const auth_options& rules, wall_time now) {
  auto in = read_object(payload);
  if (!in)
    return "the payload is no JSON object of claims";
  in->refuse_duplicates();
  claim_checks checks{rules, now};
  stream_grant grant;
  checks.require(
    in->text("iss") == rules.issuer && !rules.issuer.empty(), "iss must be auth.issuer");
  checks.check_audience(in->optional_text_or_texts("aud", max_audiences));
  grant.subject = in->text("sub");
  checks.require(!principal_violation(grant.subject), "sub must be a subject");
  grant.expires_at = checks.end(in->number("exp"));
  static_cast<void>(
    checks.not_ahead(in->optional_number("nbf"), "nbf is later than auth.leeway_s from now"));
  grant.issued_at =
    checks.not_ahead(in->optional_number("iat"), "iat is later than auth.leeway_s from now");
  grant.credential_id = in->optional_text("jti").value_or(std::string{});
  checks.require(
    grant.credential_id.size() <= max_principal_bytes, "jti must have at most 255 bytes");
  checks.require(!in->finish_leniently(), "a claim comes twice, or has the wrong type");
  const texts_claim roles{
    rules.roles_claim, rules.max_roles, principal_violation,
    "auth.roles_claim must be up to auth.max_roles roles"};
  const texts_claim topics{
    rules.topics_claim, rules.max_topics, pattern_violation,
    "auth.topics_claim must be up to auth.max_topics patterns of topics"};
  const auto is_registered = [](std::string_view path) {
    return std::find(registered.begin(), registered.end(), path) != registered.end();
  };
  grant.roles =
    obedient_texts(checks, roles, texts_of(*in, payload, roles, is_registered(roles.path)));
  grant.topics = obedient_texts(
    checks, topics,
    texts_of(*in, payload, topics, is_registered(topics.path) || topics.path == roles.path));
  if (!checks.why().empty())
    return checks.why();
  return grant;
}

} // namespace herald
