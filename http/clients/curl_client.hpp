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
  /// Of one request.
  std::size_t max_redirects = 5;
  /// Of its thread; up to 15 characters.
  const char* name = "callback-curl";
};

/// How a request of `curl_client` has ended.
struct curl_outcome {
  post_outcome::kind what = post_outcome::kind::unreachable;
  /// Where the body is wanted: also where that has not come to its end in time, or is too large.
  unsigned status = 0;
  /// For the log: what went wrong.
  std::string why;
  /// Connections that were opened for it.
  std::size_t opened = 0;
  /// Where the body is wanted: the body, and the first `WWW-Authenticate`.
  std::string body{};
  std::string challenge{};
};

/// Requests that the connections of herald's own cannot make: POSTs of JSON over TLS and after a
/// redirect, and GETs. By libcurl, on a thread of its own, over connections that are kept.
///
/// Redirects are followed as `fetch` does it (301, 302 and 303 make a GET of a POST), but only
/// within the host that the request was for (`redirect_within_host`); another is an answer like any
/// other. The outcome is told as soon as the head of the answer is here, unless its body is wanted.
/// Of a body that is not no more than 64 KiB are read. Proxies of the environment are not used.
///
/// Destroying it ends its thread; requests that have no outcome by then never get one.
class curl_client {
public:
  using clock = std::chrono::steady_clock;
  using handler = std::function<void(const curl_outcome&)>;

  struct order {
    http_url url;
    std::string body;
    clock::time_point deadline;
    /// A GET, or a POST that a redirect has made one of already.
    bool get = false;
    /// Called once, on the client's thread: it must not wait. One that throws, for want of memory,
    /// was not called: it is told of that at the end, and there again, every 100 ms, until it takes
    /// it.
    handler done;
    /// Of the first request, of a POST beside its type: "name: value", or "name;" without a value.
    std::vector<std::string> headers{};
    /// The answer's body is wanted, and may be as long as this. With a longer one, or a head of
    /// more than 64 KiB, there is no answer.
    std::size_t max_body_bytes = 0;
    /// Over a connection that nothing else is sent over, before or after.
    bool alone = false;
    /// Called behind `done`, once, with the body of a 2xx, where all of it has come; again where it
    /// throws. May be empty.
    std::function<void(std::string body)> read{};
  };

  explicit curl_client(curl_client_options options);
  ~curl_client();
  curl_client(const curl_client&) = delete;
  curl_client& operator=(const curl_client&) = delete;

  /// Safe from any thread. Throws `std::bad_alloc`: nothing is posted then.
  void post(order what);

private:
  class engine;

  std::unique_ptr<engine> engine_;
};

} // namespace herald
