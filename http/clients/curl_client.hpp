#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/clients/http_exchange.hpp"
#include "http/protocol/http_url.hpp"

namespace herald {

struct curl_client_options {
  /// Of the authorities that servers' certificates are checked by, as PEM; empty: the system's.
  std::string ca_file;
  std::size_t max_connections = 256;
  /// A connection that was idle for longer is not used again.
  std::chrono::seconds idle_time{4};
  /// Of one POST.
  std::size_t max_redirects = 5;
};

/// How a POST of `curl_client` has ended.
struct curl_outcome {
  post_outcome::kind what = post_outcome::kind::unreachable;
  unsigned status = 0;
  /// For the log: what went wrong.
  std::string why;
  /// Connections that were opened for it.
  std::size_t opened = 0;
};

/// POSTs of JSON that the connections of herald's own cannot make: over TLS, and after a redirect.
/// By libcurl, on a thread of its own, over connections that are kept.
///
/// Redirects are followed as `fetch` does it (301, 302 and 303 make a GET of a POST), but only
/// within the host that the POST was for (`redirect_within_host`); another is an answer like any
/// other. The outcome is told as soon as the head of the answer is here. Of its body no more than
/// 64 KiB are read. Proxies of the environment are not used.
///
/// Destroying it ends its thread; POSTs that have no outcome by then never get one.
class curl_client {
public:
  using clock = std::chrono::steady_clock;
  using handler = std::function<void(const curl_outcome&)>;

  struct order {
    http_url url;
    std::string body;
    clock::time_point deadline;
    /// A redirect has made a GET of it already.
    bool get = false;
    /// Called once, on the client's thread: it must not wait.
    handler done;
    /// Of a POST, beside its type: "name: value".
    std::vector<std::string> headers{};
  };

  explicit curl_client(curl_client_options options);
  ~curl_client();
  curl_client(const curl_client&) = delete;
  curl_client& operator=(const curl_client&) = delete;

  /// Safe from any thread.
  void post(order what);

private:
  class engine;

  std::unique_ptr<engine> engine_;
};

} // namespace herald
