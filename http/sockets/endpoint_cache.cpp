#include "http/sockets/endpoint_cache.hpp"

#include <utility>

#include <boost/asio/ip/address.hpp>

namespace herald {

namespace {

constexpr std::chrono::seconds keep_for{10};

using boost::asio::ip::tcp;

} // namespace

endpoint_cache::endpoint_cache(boost::asio::io_context& io, std::string host, std::uint16_t port)
  : resolver_(io),
    host_(std::move(host)),
    port_(port) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host_, error);
  if (!error) {
    known_.emplace_back(address, port_);
    good_until_ = std::chrono::steady_clock::time_point::max();
  }
}

void endpoint_cache::get(handler done) {
  if (!known_.empty() && std::chrono::steady_clock::now() < good_until_) {
    done({}, known_);
    return;
  }
  waiting_.push_back(std::move(done));
  if (std::exchange(resolving_, true))
    return;
  resolver_.async_resolve(
    host_, std::to_string(port_), tcp::resolver::numeric_service,
    [cache = std::weak_ptr{self_}](
      boost::system::error_code error, const tcp::resolver::results_type& results) {
      const auto self = cache.lock();
      if (!self)
        return;
      endpoints found;
      for (const auto& entry : results)
        found.push_back(entry.endpoint());
      self->resolved(error, std::move(found));
    });
}

void endpoint_cache::invalidate() {
  if (good_until_ != std::chrono::steady_clock::time_point::max())
    known_.clear();
}

void endpoint_cache::resolved(boost::system::error_code error, endpoints found) {
  resolving_ = false;
  known_ = std::move(found);
  good_until_ = std::chrono::steady_clock::now() + keep_for;
  // By value: a handler may ask again or invalidate.
  const auto answer = known_;
  for (auto& done : std::exchange(waiting_, {}))
    done(error, answer);
}

} // namespace herald
