#pragma once

#include <string_view>

#include "http/protocol/api_message.hpp"
#include "messages/errors.hpp"
#include "messages/formats.hpp"

namespace herald {

/// An error document of an SSE Gateway: `{"error":{"message":..,"code":..}}`.
[[nodiscard]] api_reply gateway_error(int status, std::string_view code, std::string_view message);

/// What a gateway answers a page that its backend does not want, with this status, or that its
/// backend has not judged (0), and why. The status is passed on; 400, 401 and 403 are a stream of
/// one event `rejected` in the generation that does so.
[[nodiscard]] api_reply
gateway_refusal(const failure& why, int upstream_status, gateway_format generation);

} // namespace herald
