#include "http/clients/http_exchange.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/errc.hpp>

namespace herald {

namespace {

namespace errc = boost::system::errc;
namespace http = boost::beast::http;
using boost::system::error_code;
using kind = post_outcome::kind;

constexpr std::uint32_t max_head_bytes = 16 * 1024;
constexpr std::uint64_t max_body_bytes = std::uint64_t{64} * 1024;

/// Nothing is escaped: a URL holds no blanks and no control characters.
std::string head_of(const http_url& url) {
  return "POST " + url.request_target() + " HTTP/1.1\r\nHost: " + url.authority()
         + "\r\nUser-Agent: herald/" HERALD_VERSION
           "\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: ";
}

} // namespace

struct http_exchange::answer {
  void expect() {
    parser.emplace();
    parser->eager(true);
    parser->header_limit(max_head_bytes);
    parser->body_limit(max_body_bytes);
  }

  [[nodiscard]] unsigned status() const { return parser->get().result_int(); }
  [[nodiscard]] bool has_status() const { return parser->is_header_done() && status() >= 200; }

  std::optional<http::response_parser<http::string_body>> parser;
  /// Beast wants whole lines in one piece: what it leaves over. Mostly nothing.
  std::string rest;
};

http_exchange::http_exchange(const http_url& url)
  : head_(head_of(url)),
    answer_(std::make_unique<answer>()) {}

http_exchange::~http_exchange() = default;

void http_exchange::begin(std::string_view body, bool kept) {
  request_.assign(head_);
  request_.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  sent_ = 0;
  answer_->expect();
  answer_->rest.clear();
  kept_ = kept;
  begun_ = false;
  keeps_connection_ = false;
}

std::string_view http_exchange::unsent() const noexcept {
  return std::string_view{request_}.substr(sent_);
}

std::optional<post_outcome> http_exchange::received(std::string_view bytes) {
  begun_ = true;
  auto& [parser, rest] = *answer_;
  rest.append(bytes);
  for (;;) {
    error_code error;
    rest.erase(0, parser->put(boost::asio::buffer(rest), error));
    if (!parser->is_done())
      return unfinished(error && error != http::error::need_more);
    if (answer_->has_status()) {
      // A server that answers before it has the whole request does not read the rest of it.
      keeps_connection_ = parser->keep_alive() && rest.empty() && unsent().empty();
      return answered();
    }
    answer_->expect();
    if (rest.empty())
      return std::nullopt;
  }
}

std::optional<unsigned> http_exchange::status() const {
  return answer_->has_status() ? std::optional{answer_->status()} : std::nullopt;
}

std::string_view http_exchange::location() const {
  if (!answer_->has_status())
    return {};
  const auto value = answer_->parser->get()[http::field::location];
  return {value.data(), value.size()};
}

std::optional<post_outcome> http_exchange::unfinished(bool broken) const {
  if (!broken && answer_->rest.size() < max_head_bytes)
    return std::nullopt;
  if (broken && answer_->has_status())
    return answered();
  return post_outcome{kind::unreachable, 0, {}, "answer is not HTTP", {}};
}

post_outcome http_exchange::ended(error_code error) {
  if (answer_->has_status())
    return answered();
  const bool closed = !error || error == errc::connection_reset || error == errc::broken_pipe;
  const auto* const why = !error             ? "connection closed instead of an answer"
                          : unsent().empty() ? "connection lost while waiting for the answer"
                                             : "connection lost while sending";
  return {kept_ && !begun_ && closed ? kind::stale : kind::unreachable, 0, {}, why, error};
}

post_outcome http_exchange::answered() const {
  return {kind::answered, answer_->status(), answer_->parser->get().body(), {}, {}};
}

} // namespace herald
