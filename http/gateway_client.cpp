#include "http/gateway_client.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/gateway_answer.hpp"
#include "http/http_url.hpp"
#include "http/tcp_client.hpp"

namespace herald {

namespace {

using status = tcp_client::status;

/// Some proxies close sooner than Node. A connection that is found closed after less than this was
/// in use when the gateway went away.
constexpr std::chrono::seconds in_use{1};

/// The text between which only length and body are put, escaped for no one: it comes from a URL
/// that holds no blanks and no control characters.
std::string head_of(const http_url& url) {
  auto path = url.target.substr(0, url.target.find('?'));
  while (path.ends_with('/'))
    path.pop_back();
  return "POST " + path + "/internal/send HTTP/1.1\r\nHost: " + url.authority()
         + "\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: ";
}

class gateway_client final : public gateway_link {
public:
  gateway_client(const gateway_options& options, std::optional<http_url> url)
    : timeout_(options.timeout),
      longest_quiet_(options.longest_quiet),
      url_(std::move(url)) {
    if (url_)
      head_ = head_of(*url_);
  }

  send_outcome post(std::string_view body) override {
    if (!url_ || url_->tls)
      return {send_result::unreachable, "not a plain HTTP URL"};
    const auto until = std::chrono::steady_clock::now() + timeout_;
    auto outcome = prepare_connection(until);
    if (outcome.result == send_result::delivered)
      outcome = exchange(body, until);
    last_used_ = std::chrono::steady_clock::now();
    return outcome;
  }

private:
  send_outcome hung_up(status how, const char* why) {
    connection_.close();
    if (how == status::timed_out)
      return {send_result::timed_out, "no answer in time"};
    return {send_result::unreachable, why};
  }

  send_outcome prepare_connection(tcp_client::deadline until) {
    if (connection_.is_open()) {
      const auto quiet = std::chrono::steady_clock::now() - last_used_;
      const bool fresh = quiet < longest_quiet_;
      if (fresh && !connection_.is_stale())
        return {};
      connection_.close();
      if (fresh && quiet < in_use)
        // Not reconnected silently: who restarts has forgotten its streams, and the queue looks
        // after them when it sees the gateway go and come back.
        return {send_result::unreachable, "connection closed by the gateway"};
    }
    if (connection_.open(url_->host, url_->port, until) == status::done)
      return {};
    connection_.close();
    return {send_result::unreachable, "cannot connect"};
  }

  send_outcome exchange(std::string_view body, tcp_client::deadline until) {
    // One buffer, one segment: a gateway that gets head and body apart wakes twice.
    request_.assign(head_);
    request_.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
    if (const auto sent = connection_.send(request_, until); sent != status::done)
      return hung_up(sent, "connection lost while sending");
    answer_.begin();
    auto state = gateway_answer::state::more;
    while (state == gateway_answer::state::more) {
      std::size_t received = 0;
      const auto how = connection_.receive(buffer_.data(), buffer_.size(), received, until);
      if (how != status::done)
        return hung_up(how, "connection lost while waiting for the answer");
      state = received == 0 ? answer_.end() : answer_.feed({buffer_.data(), received});
      if (received == 0 && state != gateway_answer::state::complete)
        return hung_up(status::failed, "connection closed instead of an answer");
    }
    if (state == gateway_answer::state::malformed)
      return hung_up(status::failed, "answer is not HTTP");
    if (!answer_.reusable())
      connection_.close();
    return answer_.outcome();
  }

  std::chrono::milliseconds timeout_;
  std::chrono::milliseconds longest_quiet_;
  std::optional<http_url> url_;
  /// Up to the value of Content-Length.
  std::string head_;
  std::string request_;
  tcp_client connection_;
  std::chrono::steady_clock::time_point last_used_;
  gateway_answer answer_;
  std::array<char, 8192> buffer_{};
};

} // namespace

std::unique_ptr<gateway_link> connect_gateway(const gateway_options& options) {
  return std::make_unique<gateway_client>(options, parse_http_url(options.url));
}

} // namespace herald
