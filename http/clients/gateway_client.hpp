#pragma once

#include <memory>

#include "actors/gateway/gateway_link.hpp"
#include "actors/gateway/gateway_options.hpp"
#include "http/sockets/socket_loop.hpp"

namespace herald {

/// A kept-alive connection to the `POST /internal/send` of `options.url`, opened by the first post.
/// Plain HTTP only; any other URL is never reachable.
///
/// An answer means: 2xx delivered; 404, and 500 with the code WRITE_FAILED, gone; other 4xx
/// refused; anything else failing. A connection that fails is closed, the next post opens another.
/// One that was quiet for `longest_quiet` is replaced before the post, as the gateway may be
/// closing it (Node does after 5 s).
///
/// Lives on the thread of `loop`, which outlives it.
[[nodiscard]] std::unique_ptr<gateway_link>
connect_gateway(socket_loop& loop, const gateway_options& options, gateway_link::handler done);

} // namespace herald
