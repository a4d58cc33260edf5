#pragma once

#include <cstdint>

namespace herald {

/// How a named event goes to a page.
enum class frame_format : std::uint8_t {
  named,        ///< as `event: NAME`, for which a page listens by name
  envelope,     ///< as `{"type":NAME,"payload":DATA}` without a name: one `onmessage` sees all
  envelope_mid, ///< likewise, but `connection_close` stays named
  envelope_v2,  ///< likewise, but the control events `ready` and `rejected` stay named
};

/// A generation of SSE Gateways, as herald may be one: December 2025, February and May 2026.
enum class gateway_format : std::uint8_t { v1, mid, v2 };

/// How the pages of a gateway get their events.
[[nodiscard]] constexpr frame_format frames_of(gateway_format generation) {
  switch (generation) {
  case gateway_format::mid:
    return frame_format::envelope_mid;
  case gateway_format::v2:
    return frame_format::envelope_v2;
  case gateway_format::v1:
    break;
  }
  return frame_format::named;
}

} // namespace herald
