#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/protocol/request_head.hpp"

/// Who asks, and for which host: the page that a browser names in `Origin`, and the authority that
/// a request is for.
namespace herald {

/// The origin of a page as browsers write it, scheme://host[:port] in lower case and without the
/// scheme's own port; nothing where no browser writes it so, as with a path or a user name.
[[nodiscard]] std::optional<std::string> canonical_origin(std::string_view text);

/// A list of origins so that it can be compared with what browsers send. `*` stays; what is no
/// origin is left out.
[[nodiscard]] std::vector<std::string> canonical_origins(const std::vector<std::string>& origins);

/// The host[:port] that a request is for: that of an absolute target, or else of `Host`; empty if
/// it names none.
[[nodiscard]] std::string_view authority_of(const request_head& request);

/// Whether a page of this origin came from the host that the request is for. The scheme does not
/// count: TLS may end before herald.
[[nodiscard]] bool is_own_origin(std::string_view origin, const request_head& request);

/// Whether an authority names one of `hosts`, or what needs no listing because no other machine's
/// name server can make it point here: an IP address, a localhost name (RFC 6761), nothing.
[[nodiscard]] bool names_host(std::string_view authority, const std::vector<std::string>& hosts);

} // namespace herald
