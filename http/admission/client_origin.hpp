#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "http/protocol/request_head.hpp"
#include "http/sockets/host_address.hpp"
#include "messages/connections.hpp"

namespace herald {

// Where a request comes from: from its peer, unless that is a proxy which says so.

/// Networks, each of one family. IPv4 mapped into IPv6 is IPv4.
class network_list {
public:
  network_list() = default;
  /// Each must be `is_network`.
  explicit network_list(const std::vector<std::string>& networks);

  [[nodiscard]] bool empty() const noexcept { return v4_.empty() && v6_.empty(); }
  [[nodiscard]] bool contain(const ip_address& address) const;

private:
  std::vector<boost::asio::ip::network_v4> v4_;
  std::vector<boost::asio::ip::network_v6> v6_;
};

/// Whether a text is a network (`10.0.0.0/8`, `2001:db8::/32`) or an address.
[[nodiscard]] bool is_network(std::string_view text);

/// Whether an address may be reached from anywhere: not loopback, private (RFC 1918, RFC 4193),
/// shared (RFC 6598) or link-local. Ranges that are nobody's count as public here: what comes from
/// there is counted. What may be fetched from is `is_public_address`'s.
[[nodiscard]] bool is_public(const ip_address& address);

/// Who a request is from: its peer, unless that is one of the trusted proxies. Then it is the last
/// address of `X-Forwarded-For` or `Forwarded` (RFC 7239) that is none of them, as each proxy
/// adds its own peer behind what it was told; the first where all are. Where the two headers
/// differ, a client has made one of them up; it is from the proxy then, as from one that hides,
/// and from one of whom the proxy says nothing.
[[nodiscard]] ip_address
origin_of(const request_head& request, const ip_address& peer, const network_list& trusted);

/// The client that a request is counted to: whom it is from, or nothing where it is counted to
/// nobody. Without trusted proxies an address that is not public may be a proxy's, with many
/// clients behind it.
[[nodiscard]] std::optional<client_address>
client_of(const request_head& request, const ip_address& peer, const network_list& trusted);

/// The headers of a request with what they say of its way put right: behind a peer that is not
/// trusted they say nothing but its address. Without trusted proxies they stay as they are.
[[nodiscard]] header_list
headers_with_way(const header_list& headers, const ip_address& peer, const network_list& trusted);

} // namespace herald
