#include "http/keys/api_key.hpp"

#include <algorithm>

#include "http/auth/digests.hpp"

namespace herald {

namespace {

bool covers(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [name](std::string_view one) {
    if (!one.ends_with('*'))
      return one == name;
    one.remove_suffix(1);
    return name.starts_with(one);
  });
}

std::string not_to(std::string_view what, std::string_view name) {
  return std::string{"this key may not publish to "}.append(what).append(" ").append(name);
}

} // namespace

std::optional<std::string> publish_violation(const api_key& key, const audience_ptr& to) {
  if (!key.bound())
    return std::nullopt;
  if (!to || to->everyone())
    return "this key may not publish to everyone";
  if (!to->page.empty() && !covers(key.request_ids, to->page.str()))
    return not_to("request_id", to->page.str());
  if (!to->subject.empty() && !covers(key.subjects, to->subject))
    return not_to("subject", to->subject);
  if (!to->role.empty() && !covers(key.roles, to->role))
    return not_to("role", to->role);
  for (const auto& topic : to->topics) {
    const bool covered = std::any_of(key.topics.begin(), key.topics.end(), [&](auto& pattern) {
      return pattern_hears(pattern, topic);
    });
    if (!covered)
      return not_to("topic", topic);
  }
  return std::nullopt;
}

bool is_api_key(std::string_view text) noexcept {
  if (text.size() != api_key_size || !text.starts_with(api_key_prefix))
    return false;
  text.remove_prefix(api_key_prefix.size());
  return std::all_of(text.begin(), text.end(), is_base64url);
}

std::string new_api_key() {
  return std::string{api_key_prefix} + base64url(random_secret());
}

} // namespace herald
