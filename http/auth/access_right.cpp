#include "http/auth/access_right.hpp"

#include <memory>
#include <utility>

namespace herald {

namespace {

credential_ptr credential_of(stream_grant& grant, bool targeted, const public_topics& everyones) {
  credential by;
  by.subject = std::move(grant.subject);
  by.id = std::move(grant.credential_id);
  by.issued_at = grant.issued_at;
  by.topics = std::move(grant.topics);
  by.topics.insert(by.topics.end(), everyones.begin(), everyones.end());
  by.targeted = targeted;
  return std::make_shared<const credential>(std::move(by));
}

} // namespace

access_right right_of(stream_grant grant, const public_topics& everyones) {
  access_right right;
  reach hears;
  hears.subject = grant.subject;
  hears.roles = std::move(grant.roles);
  if (!hears.plain())
    right.hears = std::make_shared<const reach>(std::move(hears));
  right.by = credential_of(grant, true, everyones);
  right.expires_at = grant.expires_at;
  return right;
}

access_right right_of_anybody(stream_grant grant, const public_topics& everyones) {
  return {credential_of(grant, false, everyones), nullptr, grant.expires_at};
}

} // namespace herald
