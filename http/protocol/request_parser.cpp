#include "http/protocol/request_parser.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace herald {

namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;
/// Beast's parser has a state of its own.
using outcome = request_parser::state;

constexpr std::string_view line_end = "\r\n";
/// Of the extensions of all chunks, and of the trailers: enough for any honest use.
constexpr std::size_t max_dropped_bytes = std::size_t{8} * 1024;
/// "0" and two line ends. Beast 1.81 asserts that much of a body without chunks of which it has
/// seen the first line before.
constexpr std::size_t empty_body_bytes = 5;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

/// "HTTP/1.1", and any other version of HTTP.
bool is_http_version(std::string_view text) {
  const auto is_digit = [](char c) {
    return c >= '0' && c <= '9';
  };
  return text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.'
         && is_digit(text[7]);
}

/// The fault of a request line that Beast does not take.
failure line_fault(std::string_view line, const error_code& error) {
  const auto spaces = std::count(line.begin(), line.end(), ' ');
  if (spaces < 2)
    return {ec::malformed_request, "the request line is not METHOD TARGET VERSION", {}};
  if (error == http::error::bad_method)
    return {ec::malformed_request, "the method is not a token", {}};
  if (error == http::error::bad_target || spaces > 2)
    return {ec::malformed_request, "the request target is empty or holds a space", {}};
  if (is_http_version(line.substr(line.rfind(' ') + 1)))
    return {ec::unsupported_version, "the version is neither HTTP/1.1 nor HTTP/1.0", {}};
  return {ec::malformed_request, "the request line does not end with a version of HTTP", {}};
}

/// The fault of the header that Beast does not take, after those that it has taken.
const char* header_fault(const request_head& head, const error_code& error) {
  const bool has_length = head.header("Content-Length").has_value();
  const bool has_coding = head.header("Transfer-Encoding").has_value();
  switch (static_cast<http::error>(error.value())) {
  case http::error::bad_field:
    return "a header field has no proper name";
  case http::error::bad_value:
    return "Connection is not a list of tokens";
  case http::error::multiple_content_length:
    return "more than one Content-Length";
  case http::error::bad_content_length:
    if (has_length)
      return "more than one Content-Length";
    return has_coding ? "both Content-Length and Transfer-Encoding"
                      : "Content-Length is not a sensible number";
  case http::error::bad_transfer_encoding:
    return has_length ? "both Content-Length and Transfer-Encoding"
                      : "Transfer-Encoding is not just chunked";
  default:
    return "this is not the head of an HTTP request";
  }
}

} // namespace

/// Beast's parser, which puts what it finds straight into head and body. It gets the request line
/// and the headers each as a whole: what it makes of a part of them does not matter.
class request_parser::beast final : public http::basic_parser<true> {
public:
  explicit beast(const request_limits& limits) : limits_(limits) {
    // The limits are ours: Beast says less, and counts a chunk again where its extension is cut.
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(boost::none);
  }

  std::size_t read_head(std::string_view bytes) {
    std::size_t used = 0;
    while (const auto line = next_line(bytes)) {
      if (lines_ == 0 && line->empty()) {
        // Some clients end a body with a line end too many.
        bytes.remove_prefix(line_end.size());
        used += line_end.size();
        before_ += line_end.size();
        next_ = seen_ = 0;
        continue;
      }
      read_line(*line, bytes);
      if (now != outcome::head)
        return used + next_;
    }
    return used;
  }

  void allow(std::size_t max_bytes) {
    max_body_ = max_bytes;
    eager(true);
    if (head.content_length > max_bytes)
      refuse_body();
  }

  std::size_t read_body(std::string_view bytes) {
    const bool allowed = eager();
    const bool may_be_empty = head.chunked && body.empty() && bytes.starts_with('0');
    if (!allowed || (may_be_empty && bytes.size() < empty_body_bytes))
      return 0;
    error_code error;
    const auto used = put({bytes.data(), bytes.size()}, error);
    if (!error && is_done())
      now = outcome::complete;
    else if (error == http::error::body_limit)
      refuse_body();
    else if (
      (error && error != http::error::need_more)
      || (head.chunked && bytes.size() - used > max_dropped_bytes))
      refuse("the chunks of the body are broken");
    return used;
  }

  outcome now = outcome::head;
  request_head head;
  std::string body;
  failure refusal;

private:
  /// The next line of the head, without its end, once that is there. Looks at each byte once.
  std::optional<std::string_view> next_line(std::string_view bytes) {
    // A tab is white space in a header; in the request line some would take it for a separator.
    const bool first = lines_ == 0;
    const auto* const stop = std::find_if(bytes.begin() + seen_, bytes.end(), [first](char c) {
      return is_control(c) && (c != '\t' || first);
    });
    seen_ = static_cast<std::size_t>(stop - bytes.begin());
    const auto rest = bytes.substr(seen_);
    const bool ends = rest.starts_with(line_end);
    if (before_ + seen_ + (ends ? 1U : 0U) >= limits_.head_bytes)
      refuse_length(
        "the head of a request may have at most " + std::to_string(limits_.head_bytes) + " bytes");
    else if (seen_ - next_ > limits_.line_bytes)
      refuse_length("a line of the head is too long");
    else if (!ends && !line_end.starts_with(rest))
      refuse(rest.front() == '\n' ? "a bare LF in the head" : "a control character in the head");
    if (!ends || now == outcome::refused)
      return std::nullopt;
    const auto line = bytes.substr(next_, seen_ - next_);
    next_ = seen_ += line_end.size();
    return line;
  }

  void read_line(std::string_view line, std::string_view bytes) {
    if (lines_ == 0)
      read_request_line(line);
    else if (line.empty())
      read_headers(bytes.substr(headers_, next_ - headers_));
    else if (lines_ > max_header_fields)
      refuse(
        ec::head_too_large, "more than " + std::to_string(max_header_fields) + " header fields");
    else if (line.front() == ' ' || line.front() == '\t')
      // Beast would unfold it.
      refuse("a header field has no proper name");
    ++lines_;
  }

  void read_request_line(std::string_view line) {
    error_code error;
    // Wants more, namely headers, if all is well.
    put({line.data(), line.size() + line_end.size()}, error);
    if (head.method.empty())
      refuse(line_fault(line, error));
    else if (!is_request_target(head.method, head.target))
      refuse("the request target is neither a path nor a URL");
    headers_ = next_;
  }

  void read_headers(std::string_view block) {
    head.headers.reserve(lines_ - 1);
    error_code error;
    put({block.data(), block.size()}, error);
    if (error)
      return refuse(header_fault(head, error));
    if (auto fault = interpret_headers(head))
      return refuse(std::move(*fault));
    head.keep_alive = head.version >= 11 && keep_alive();
    now = is_done() ? outcome::complete : outcome::body;
  }

  void refuse(failure why) {
    now = outcome::refused;
    refusal = std::move(why);
  }
  void refuse(ec code, std::string why) { refuse({code, std::move(why), {}}); }
  void refuse(const char* why) { refuse(ec::malformed_request, why); }
  void refuse_length(std::string why) {
    if (lines_ == 0)
      refuse(ec::target_too_long, "the request line is too long");
    else
      refuse(ec::head_too_large, std::move(why));
  }
  void refuse_body() {
    refuse(ec::body_too_large, "a body may have at most " + std::to_string(max_body_) + " bytes");
  }

  void on_request_impl(
    http::verb, string_view method, string_view target, int version, error_code&) override {
    head.method = method;
    head.target = target;
    head.version = static_cast<unsigned>(version);
  }
  void on_field_impl(http::field, string_view name, string_view value, error_code& error) override {
    if (now == outcome::head)
      head.headers.emplace_back(name, value);
    else if ((dropped_ += name.size() + value.size()) > max_dropped_bytes)
      error = http::error::bad_chunk;
  }
  std::size_t on_body_impl(string_view part, error_code&) override {
    body.append(part.data(), part.size());
    return part.size();
  }
  void
  on_chunk_header_impl(std::uint64_t size, string_view extensions, error_code& error) override {
    dropped_ += extensions.size();
    // In a quoted string Beast takes any byte for text.
    const bool broken = std::any_of(
      extensions.begin(), extensions.end(), [](char c) { return is_control(c) && c != '\t'; });
    if (broken || dropped_ > max_dropped_bytes)
      error = http::error::bad_chunk_extension;
    else if (size > max_body_ - body.size())
      error = http::error::body_limit;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view part, error_code&) override {
    body.append(part.data(), part.size());
    return part.size();
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  void on_finish_impl(error_code&) override {}
  void on_response_impl(int, string_view, int, error_code&) override {}

  request_limits limits_;
  /// Bytes of empty lines before the head.
  std::size_t before_ = 0;
  /// Places in the head: the first byte not looked at, the next line, the headers.
  std::size_t seen_ = 0;
  std::size_t next_ = 0;
  std::size_t headers_ = 0;
  std::size_t lines_ = 0;
  std::size_t max_body_ = 0;
  std::size_t dropped_ = 0;
};

request_parser::request_parser(const request_limits& limits)
  : beast_(std::make_unique<beast>(limits)) {}

request_parser::request_parser(request_parser&&) noexcept = default;
request_parser& request_parser::operator=(request_parser&&) noexcept = default;
request_parser::~request_parser() = default;

std::size_t request_parser::read(std::string_view bytes) {
  switch (beast_->now) {
  case state::head:
    return beast_->read_head(bytes);
  case state::body:
    return beast_->read_body(bytes);
  default:
    return 0;
  }
}

void request_parser::allow_body(std::size_t max_bytes) {
  beast_->allow(max_bytes);
}

request_parser::state request_parser::now() const noexcept {
  return beast_->now;
}

const request_head& request_parser::head() const noexcept {
  return beast_->head;
}

std::string& request_parser::body() noexcept {
  return beast_->body;
}

const failure& request_parser::refusal() const noexcept {
  return beast_->refusal;
}

failure head_timed_out(std::chrono::milliseconds limit) {
  return {
    ec::request_timed_out,
    "the head of a request must be here after " + std::to_string(limit.count()) + " ms",
    {}};
}

} // namespace herald
