#pragma once

#include <optional>
#include <string>
#include <utility>

#include "messages/audience.hpp"

// In the namespace of the types, so that all tests find them.
namespace herald {

/// The page of an audience that is for one page; nothing where it is for everyone.
inline std::optional<request_id> page_of(const audience_ptr& to) {
  return to ? std::optional{to->page} : std::nullopt;
}

/// What a page hears that asks for nothing.
inline reach plain_reach(std::string id) {
  reach made;
  made.page = request_id{std::move(id)};
  return made;
}

} // namespace herald
