#include "http/protocol/head_reader.hpp"

#include <algorithm>
#include <string>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "http/protocol/request_line.hpp"

namespace herald {

namespace {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;
/// Beast's parser has a state of its own.
using outcome = head_reader::state;

constexpr std::string_view line_end = "\r\n";

/// What Beast does not tell apart: whether the first line, which is whole, ends with the version of
/// another HTTP or with none.
bool names_a_version(std::string_view bytes) {
  const auto line = bytes.substr(0, bytes.find(line_end));
  return std::count(line.begin(), line.end(), ' ') == 2
         && is_http_version(line.substr(line.rfind(' ') + 1));
}

} // namespace

/// Puts what Beast finds straight into the request, without its container of fields.
class head_reader::parser final : public http::basic_parser<true> {
public:
  explicit parser(std::size_t max_bytes) : max_bytes_(max_bytes) {
    header_limit(static_cast<std::uint32_t>(max_bytes));
  }

  outcome feed(std::string_view bytes) {
    // Beast wants whole lines in one piece: what it leaves over is kept. Mostly nothing is.
    const bool whole = rest_.empty();
    if (!whole)
      rest_.append(bytes);
    std::string_view input = whole ? bytes : std::string_view{rest_};
    if (in_first_line() && input.starts_with('\r') && !skip_empty_lines(input))
      return taken_ < max_bytes_ ? outcome::more : outcome::line_too_long;
    error_code error;
    const auto used = put({input.data(), input.size()}, error);
    taken_ += used;
    if (!error)
      return outcome::complete;
    if (error == http::error::bad_version && names_a_version(input))
      return outcome::unsupported_version;
    if (error != http::error::need_more && error != http::error::header_limit)
      return outcome::malformed;
    if (error == http::error::header_limit || taken_ + input.size() - used >= max_bytes_)
      return in_first_line() && input.find(line_end) >= max_bytes_ ? outcome::line_too_long
                                                                   : outcome::too_large;
    rest_ = std::string{input.substr(used)};
    return outcome::more;
  }

  stream_request request;

private:
  void on_request_impl(
    http::verb, string_view method, string_view target, int version, error_code& error) override {
    request.method = method;
    request.target = target;
    request.version = static_cast<unsigned>(version);
    error = {};
  }
  void on_field_impl(http::field, string_view name, string_view value, error_code& error) override {
    request.headers.emplace_back(name, value);
    error = {};
  }
  void on_header_impl(error_code& error) override { error = {}; }

  // Of a body nothing is read.
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code& error) override { error = {}; }

  /// Or in what Beast has not looked at yet: it may wait for the rest of the head.
  [[nodiscard]] bool in_first_line() const noexcept { return request.method.empty(); }

  /// False if that leaves nothing for Beast, which would take half an empty line for a method.
  bool skip_empty_lines(std::string_view& input) {
    for (; taken_ < max_bytes_ && input.starts_with(line_end); taken_ += line_end.size())
      input.remove_prefix(line_end.size());
    header_limit(static_cast<std::uint32_t>(max_bytes_ - std::min(taken_, max_bytes_)));
    if (taken_ < max_bytes_ && !input.empty() && input != "\r")
      return true;
    rest_ = std::string{input};
    return false;
  }

  std::size_t max_bytes_;
  std::size_t taken_ = 0;
  std::string rest_;
};

head_reader::head_reader(std::size_t max_bytes) : parser_(std::make_unique<parser>(max_bytes)) {}

head_reader::head_reader(head_reader&&) noexcept = default;

head_reader::~head_reader() = default;

head_reader::state head_reader::feed(std::string_view bytes) {
  return parser_->feed(bytes);
}

const stream_request& head_reader::request() const noexcept {
  return parser_->request;
}

} // namespace herald
