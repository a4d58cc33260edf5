#include "http/clients/gateway_answer.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace herald {

namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using outcome_state = gateway_answer::state;

/// An answer is a line of JSON. More is not kept.
constexpr std::uint32_t max_head_bytes = 8192;
constexpr std::size_t max_body_bytes = 65'536;

send_outcome outcome_of(unsigned status, std::string_view body) {
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

} // namespace

class gateway_answer::reader {
public:
  void begin() {
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(max_head_bytes);
    parser_->body_limit(max_body_bytes);
    rest_.clear();
    reusable_ = false;
  }

  outcome_state feed(std::string_view bytes) {
    // Beast wants whole lines in one piece: what it leaves over is kept. Mostly nothing is.
    rest_.append(bytes);
    for (;;) {
      error_code error;
      const auto used = parser_->put(boost::asio::buffer(rest_), error);
      rest_.erase(0, used);
      if (!error && parser_->is_done() && is_interim()) {
        auto kept = std::move(rest_);
        begin();
        rest_ = std::move(kept);
        if (!rest_.empty())
          continue;
        return outcome_state::more;
      }
      return state_after(error);
    }
  }

  outcome_state end() {
    error_code error;
    if (parser_->got_some())
      parser_->put_eof(error);
    if (parser_->is_header_done() && !is_interim())
      return outcome_state::complete;
    return outcome_state::malformed;
  }

  [[nodiscard]] send_outcome outcome() const {
    return outcome_of(parser_->get().result_int(), parser_->get().body());
  }
  [[nodiscard]] bool reusable() const { return reusable_; }

private:
  [[nodiscard]] bool is_interim() const { return parser_->get().result_int() < 200; }

  outcome_state state_after(error_code error) {
    if (parser_->is_done()) {
      reusable_ = parser_->keep_alive() && rest_.empty();
      return outcome_state::complete;
    }
    if (!error || error == http::error::need_more)
      return rest_.size() < max_head_bytes ? outcome_state::more : outcome_state::malformed;
    return parser_->is_header_done() && !is_interim() ? outcome_state::complete
                                                      : outcome_state::malformed;
  }

  std::optional<http::response_parser<http::string_body>> parser_;
  std::string rest_;
  bool reusable_ = false;
};

gateway_answer::gateway_answer() : reader_(std::make_unique<reader>()) {
  begin();
}

gateway_answer::gateway_answer(gateway_answer&&) noexcept = default;

gateway_answer::~gateway_answer() = default;

void gateway_answer::begin() {
  reader_->begin();
}

gateway_answer::state gateway_answer::feed(std::string_view bytes) {
  return reader_->feed(bytes);
}

gateway_answer::state gateway_answer::end() {
  return reader_->end();
}

send_outcome gateway_answer::outcome() const {
  return reader_->outcome();
}

bool gateway_answer::reusable() const {
  return reader_->reusable();
}

} // namespace herald
