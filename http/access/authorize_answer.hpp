#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "http/auth/auth_options.hpp"
#include "http/auth/stream_grant.hpp"

namespace herald {

/// What the application answers that is asked who a page is (`auth.authorize_url`).
struct authorize_answer {
  unsigned status = 0;
  std::string_view body;
  /// Its `WWW-Authenticate`.
  std::string_view challenge;
};

/// It has said nothing that counts: the page is to come back.
struct no_answer {
  /// For the log.
  std::string why;
};

/// The page may have no stream.
struct turned_down {
  /// 401 or 403.
  int status = 403;
  /// What to answer a 401 with; empty: the application does not say.
  std::string challenge;
};

using authorize_verdict = std::variant<no_answer, turned_down, stream_grant>;

/// Reads an answer: a 2xx is a grant by its body,
/// `{"subject"?,"roles"?,"topics"?,"expires_at"?}`, of which other fields are passed over. A grant
/// counts as issued when the question was put, and ends `auth.max_lifetime_s` later at the latest.
/// Only with `auth.mode` optional it may be nobody's.
[[nodiscard]] authorize_verdict
read_authorize_answer(const authorize_answer& answer, const auth_options& rules, wall_time asked);

} // namespace herald
