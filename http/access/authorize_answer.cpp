#include "http/access/authorize_answer.hpp"

#include <algorithm>
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

/// A longer one is nothing to pass on.
constexpr std::size_t max_challenge_bytes = 1024;

/// What may be a line of our own head.
bool is_challenge(std::string_view text) {
  return text.size() <= max_challenge_bytes
         && std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

/// Notes the first text that breaks its rule, or that there are too many.
void check_each(
  json_reader& in, const texts& all, std::size_t most, std::string_view name,
  std::optional<std::string_view> (*violation)(std::string_view)) {
  if (all.size() > most)
    in.blame(ec::invalid_field, "must have at most " + std::to_string(most), name);
  for (const auto& text : all)
    if (const auto rule = violation(text))
      in.blame(ec::invalid_field, std::string{*rule}, name);
}

/// When a grant ends.
wall_time end_of(json_reader& in, const auth_options& rules, wall_time asked) {
  const auto latest = asked + rules.max_lifetime_s;
  const auto said = in.optional_number("expires_at");
  if (!said)
    return latest;
  // As seconds: a number of another unit does not fit into a time_point.
  const std::chrono::duration<double> at{*said};
  const auto after = [&](wall_time when) {
    return at > std::chrono::duration<double>(when.time_since_epoch());
  };
  if (!after(asked)) {
    in.blame(ec::invalid_field, "must be later than now, in seconds since 1970", "expires_at");
    return latest;
  }
  if (after(latest)) {
    in.blame(
      ec::invalid_field, "is beyond auth.max_lifetime_s, in seconds since 1970", "expires_at");
    return latest;
  }
  return wall_time{std::chrono::floor<wall_time::duration>(at)};
}

caf::expected<stream_grant>
grant_in(std::string_view body, const auth_options& rules, wall_time asked) {
  auto in = read_object(body);
  if (!in)
    return in.error();
  in->refuse_duplicates();
  stream_grant grant;
  grant.subject = in->nullable_text("subject").value_or(std::string{});
  if (!grant.subject.empty()) {
    if (const auto rule = principal_violation(grant.subject))
      in->blame(ec::invalid_field, std::string{*rule}, "subject");
  } else if (rules.mode == auth_mode::required) {
    in->blame(ec::invalid_field, "must be there with auth.mode required", "subject");
  }
  // One more than may be: which rule is broken is for `check_each` to say.
  grant.roles = in->optional_text_or_texts("roles", rules.max_roles + 1).value_or(texts{});
  check_each(*in, grant.roles, rules.max_roles, "roles", principal_violation);
  grant.topics = in->optional_text_or_texts("topics", rules.max_topics + 1).value_or(texts{});
  check_each(*in, grant.topics, rules.max_topics, "topics", pattern_violation);
  grant.expires_at = end_of(*in, rules, asked);
  grant.issued_at = asked;
  if (auto error = in->finish_leniently())
    return error;
  return grant;
}

} // namespace

authorize_verdict
read_authorize_answer(const authorize_answer& answer, const auth_options& rules, wall_time asked) {
  if (answer.status == 401)
    return turned_down{
      401, is_challenge(answer.challenge) ? std::string{answer.challenge} : std::string{}};
  if (answer.status == 403)
    return turned_down{403, {}};
  if (answer.status < 200 || answer.status > 299)
    return no_answer{"the answer was " + std::to_string(answer.status)};
  auto grant = grant_in(answer.body, rules, asked);
  if (grant)
    return std::move(*grant);
  const auto why = describe(grant.error());
  return no_answer{why.field.empty() ? why.detail : why.field + " " + why.detail};
}

} // namespace herald
