#include "http/clients/gateway_client.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "http/clients/http_connection.hpp"
#include "http/protocol/http_url.hpp"
#include "http/sockets/endpoint_cache.hpp"

namespace herald {

namespace {

using kind = post_outcome::kind;

/// A connection that is found closed after less than this was in use when the gateway went away.
/// After more, a proxy has closed it; some do so sooner than Node.
constexpr std::chrono::seconds in_use{1};

http_url send_url(http_url base) {
  base.target.resize(std::min(base.target.find('?'), base.target.size()));
  while (base.target.ends_with('/'))
    base.target.pop_back();
  base.target += "/internal/send";
  return base;
}

send_outcome meaning_of(unsigned status, std::string_view body) {
  if (status / 100 == 2)
    return {send_result::delivered, {}};
  auto why = "HTTP " + std::to_string(status);
  if (status == 404)
    return {send_result::gone, std::move(why)};
  if (status == 500 && body.find("WRITE_FAILED") != std::string_view::npos)
    return {send_result::gone, "WRITE_FAILED"};
  if (status / 100 == 4)
    return {send_result::refused, std::move(why)};
  return {send_result::failing, std::move(why)};
}

send_outcome meaning_of(const post_outcome& how) {
  if (how.what == kind::answered)
    return meaning_of(how.status, how.body);
  return {
    how.what == kind::timed_out ? send_result::timed_out : send_result::unreachable,
    std::string{how.why}};
}

class gateway_client final : public gateway_link {
public:
  gateway_client(
    socket_loop& loop, const gateway_options& options, const http_url& url, handler done)
    : timeout_(options.timeout_ms),
      done_(std::move(done)),
      endpoints_(loop.io(), url.host, url.port),
      connection_(loop, endpoints_, url, options.longest_quiet, [this](const post_outcome& how) {
        done_(meaning_of(how));
      }) {}

  // A send is never made again silently, not even where the gateway cannot have seen it: who
  // restarts has forgotten its streams, and the queue looks after them when it sees the gateway go
  // and come back.
  void post(std::string_view body) override {
    if (!connection_.hung_up_within(in_use)) {
      connection_.post(body, http_connection::clock::now() + timeout_);
      return;
    }
    connection_.close();
    done_({send_result::unreachable, "connection closed by the gateway"});
  }

private:
  const std::chrono::milliseconds timeout_;
  const handler done_;
  endpoint_cache endpoints_;
  http_connection connection_;
};

/// The link to a gateway that cannot be connected to.
class no_client final : public gateway_link {
public:
  explicit no_client(handler done) : done_(std::move(done)) {}

  void post(std::string_view /*body*/) override {
    done_({send_result::unreachable, "not a plain HTTP URL"});
  }

private:
  handler done_;
};

} // namespace

std::unique_ptr<gateway_link>
connect_gateway(socket_loop& loop, const gateway_options& options, gateway_link::handler done) {
  const auto url = parse_http_url(options.url);
  if (!url || url->tls)
    return std::make_unique<no_client>(std::move(done));
  return std::make_unique<gateway_client>(loop, options, send_url(*url), std::move(done));
}

} // namespace herald
