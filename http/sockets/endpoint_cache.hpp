#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace herald {

/// The addresses of one host, resolved for many connections at once and kept for a short while:
/// Asio resolves one name at a time, and a storm of connects must not queue there. For one thread.
/// Whoever still waits when it is destroyed hears nothing any more.
class endpoint_cache {
public:
  using endpoints = std::vector<boost::asio::ip::tcp::endpoint>;
  using handler = std::function<void(boost::system::error_code, const endpoints&)>;

  endpoint_cache(boost::asio::io_context& io, std::string host, std::uint16_t port);
  endpoint_cache(const endpoint_cache&) = delete;
  endpoint_cache& operator=(const endpoint_cache&) = delete;

  /// Calls back with the addresses, at once if they are known.
  void get(handler done);

  /// Forgets the addresses, unless the host is an address itself: connecting to them failed.
  void invalidate();

private:
  void resolved(boost::system::error_code error, endpoints found);

  boost::asio::ip::tcp::resolver resolver_;
  std::string host_;
  std::uint16_t port_;
  endpoints known_;
  std::chrono::steady_clock::time_point good_until_;
  bool resolving_ = false;
  std::vector<handler> waiting_;
  /// Held weakly by a resolution that is under way.
  const std::shared_ptr<endpoint_cache> self_{this, [](endpoint_cache*) {
                                              }};
};

} // namespace herald
