#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/protocol/request_head.hpp"

namespace herald {

/// How a client of the stream port says who it is.
struct presented_credential {
  enum class way : std::uint8_t {
    none,
    /// `Authorization: Bearer`
    bearer,
    /// The cookie `auth.cookie`.
    cookie,
    /// `?ticket=`
    ticket,
    /// Something that is no token, as `Authorization: Basic`, or the cookie twice with two values.
    other,
    /// Two of `Authorization`, which may be repeated, and a ticket: nobody knows which counts.
    two,
  };

  way how = way::none;
  /// The token, or the ticket. Valid for as long as the request and `ticket` are.
  std::string_view text;
};

/// What a request presents. Beside another way the cookie, which comes by itself, does not count;
/// an empty `cookie` names none.
[[nodiscard]] presented_credential presented_by(
  const request_head& request, const std::optional<std::string>& ticket, std::string_view cookie);

} // namespace herald
