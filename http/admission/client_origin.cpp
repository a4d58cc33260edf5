#include "http/admission/client_origin.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <type_traits>

#include <boost/system/error_code.hpp>

#include "http/protocol/field_value.hpp"
#include "messages/text/ascii.hpp"

namespace herald {

namespace {

namespace ip = boost::asio::ip;

constexpr std::string_view forwarded_for = "x-forwarded-for";
constexpr std::string_view forwarded = "forwarded";

std::optional<ip_address> read_address(std::string_view text) {
  boost::system::error_code error;
  const auto address = ip::make_address(text, error);
  return error ? std::nullopt : std::optional{unmapped(address)};
}

/// An address as proxies write it: with or without a port, IPv6 with or without brackets.
std::optional<ip_address> read_hop(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    return end == std::string_view::npos ? std::nullopt : read_address(text.substr(1, end - 1));
  }
  // More than one colon: IPv6.
  if (const auto colon = text.find(':');
      colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos)
    text = text.substr(0, colon);
  return read_address(text);
}

/// The `for` of an element of `Forwarded`, without quotes; empty if there is none.
std::string_view node_of(std::string_view element) {
  while (!element.empty()) {
    const auto end = std::min(element.find(';'), element.size());
    const auto pair = trimmed(element.substr(0, end));
    element.remove_prefix(std::min(end + 1, element.size()));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || ascii_lower(pair.substr(0, equals)) != "for")
      continue;
    auto value = pair.substr(equals + 1);
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
      value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

/// The client that a header with a list of hops names: the last proxy that is known, where the hop
/// before it is no address. Nothing where there is no such header.
template <class Read>
std::optional<ip_address> client_in(
  const header_list& headers, std::string_view name, const ip_address& peer,
  const network_list& trusted, Read read) {
  std::optional<ip_address> last;
  for (auto left = headers.size(); left > 0; --left) {
    const auto& [field, value] = headers[left - 1];
    if (ascii_lower(field) != name)
      continue;
    if (!last)
      last = peer;
    std::string_view rest = value;
    for (bool more = true; more;) {
      const auto comma = rest.rfind(',');
      more = comma != std::string_view::npos;
      auto hop = read_hop(read(more ? rest.substr(comma + 1) : rest));
      rest = more ? rest.substr(0, comma) : std::string_view{};
      if (!hop)
        return last;
      if (!trusted.contain(*hop))
        return hop;
      last = hop;
    }
  }
  return last;
}

std::string_view as_it_is(std::string_view hop) {
  return hop;
}

} // namespace

network_list::network_list(const std::vector<std::string>& networks) {
  for (const auto& text : networks) {
    boost::system::error_code error;
    const bool alone = text.find('/') == std::string::npos;
    if (const auto v4 = ip::make_network_v4(alone ? text + "/32" : text, error); !error)
      v4_.push_back(v4.canonical());
    else if (const auto v6 = ip::make_network_v6(alone ? text + "/128" : text, error); !error)
      v6_.push_back(v6.canonical());
  }
}

bool network_list::contain(const ip_address& address) const {
  const auto plain = unmapped(address);
  const auto within = [](const auto& networks, const auto& one) {
    return std::any_of(networks.begin(), networks.end(), [&](const auto& network) {
      return std::decay_t<decltype(network)>{one, network.prefix_length()}.canonical() == network;
    });
  };
  return plain.is_v4() ? within(v4_, plain.to_v4()) : within(v6_, plain.to_v6());
}

bool is_network(std::string_view text) {
  return !network_list{{std::string{text}}}.empty();
}

bool is_public(const ip_address& address) {
  static const network_list others{
    {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
     "192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10"}};
  return !others.contain(address);
}

ip_address
origin_of(const request_head& request, const ip_address& peer, const network_list& trusted) {
  if (!trusted.contain(peer))
    return peer;
  const auto one = client_in(request.headers, forwarded_for, peer, trusted, as_it_is);
  const auto other = client_in(request.headers, forwarded, peer, trusted, node_of);
  if (one && other && *one != *other)
    return peer;
  return one ? *one : other.value_or(peer);
}

std::optional<client_address>
client_of(const request_head& request, const ip_address& peer, const network_list& trusted) {
  if (trusted.empty() && !is_public(peer))
    return std::nullopt;
  return counted_as(origin_of(request, peer, trusted));
}

header_list
headers_with_way(const header_list& headers, const ip_address& peer, const network_list& trusted) {
  if (trusted.empty() || trusted.contain(peer))
    return headers;
  header_list told;
  std::copy_if(headers.begin(), headers.end(), std::back_inserter(told), [](const auto& header) {
    const auto name = ascii_lower(header.first);
    return name != forwarded_for && name != forwarded;
  });
  if (!peer.is_unspecified())
    told.emplace_back(forwarded_for, address_text(peer));
  return told;
}

} // namespace herald
