#include "http/gateway_client.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http/http_url.hpp"
#include "http/tcp_client.hpp"

namespace herald {

namespace {

namespace beast = boost::beast;
using status = tcp_client::status;

/// Some proxies close sooner than Node. A connection that is found closed after less than this was
/// in use when the gateway went away.
constexpr std::chrono::seconds in_use{1};
constexpr std::size_t max_answer_bytes = 65'536;

/// What an answer of the gateway says about the send.
send_outcome outcome_of(unsigned answer, std::string_view body) {
  if (answer / 100 == 2)
    return {send_result::delivered, {}};
  auto why = "HTTP " + std::to_string(answer);
  if (answer == 404)
    return {send_result::gone, std::move(why)};
  if (answer == 500 && body.find("WRITE_FAILED") != std::string_view::npos)
    return {send_result::gone, "WRITE_FAILED"};
  if (answer / 100 == 4)
    return {send_result::refused, std::move(why)};
  return {send_result::failing, std::move(why)};
}

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
    beast::http::response_parser<beast::http::string_body> parser;
    parser.eager(true);
    parser.body_limit(max_answer_bytes);
    std::size_t unread = 0;
    while (!parser.is_done()) {
      if (unread == buffer_.size())
        return hung_up(status::failed, "answer with too long a head");
      std::size_t received = 0;
      const auto how =
        connection_.receive(buffer_.data() + unread, buffer_.size() - unread, received, until);
      if (how != status::done)
        return hung_up(how, "connection lost while waiting for the answer");
      beast::error_code error;
      if (received == 0) {
        if (parser.got_some())
          parser.put_eof(error);
        if (error || !parser.is_done())
          return hung_up(status::failed, "connection closed instead of an answer");
        break;
      }
      unread += received;
      const auto used = parser.put(boost::asio::buffer(buffer_.data(), unread), error);
      if (error && error != beast::http::error::need_more)
        return hung_up(status::failed, "answer is not HTTP");
      unread -= used;
      std::copy_n(buffer_.data() + used, unread, buffer_.data());
    }
    if (!parser.keep_alive() || unread > 0)
      connection_.close();
    return outcome_of(parser.get().result_int(), parser.get().body());
  }

  std::chrono::milliseconds timeout_;
  std::chrono::milliseconds longest_quiet_;
  std::optional<http_url> url_;
  /// Up to the value of Content-Length.
  std::string head_;
  std::string request_;
  tcp_client connection_;
  std::chrono::steady_clock::time_point last_used_;
  std::array<char, 8192> buffer_{};
};

} // namespace

std::unique_ptr<gateway_link> connect_gateway(const gateway_options& options) {
  return std::make_unique<gateway_client>(options, parse_http_url(options.url));
}

} // namespace herald
