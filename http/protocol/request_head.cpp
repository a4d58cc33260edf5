#include "http/protocol/request_head.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "http/protocol/request_line.hpp"
#include "messages/errors.hpp"
#include "messages/text/ascii.hpp"

namespace herald {

namespace {

constexpr std::string_view line_end = "\r\n";

bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z')
         || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Whether a comma-separated list of tokens holds one; both in lower case.
bool list_holds(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (trimmed(list.substr(0, comma)) == wanted)
      return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

/// Collects a head line by line; the first thing that is wrong wins.
class head_parser {
public:
  void request_line(std::string_view line) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last)
      return refuse("the request line is not METHOD TARGET VERSION");
    const auto method = line.substr(0, first);
    const auto target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    if (!is_token(method))
      return refuse("the method is not a token");
    if (target.empty() || target.find(' ') != std::string_view::npos)
      return refuse("the request target is empty or holds a space");
    if (!is_http_version(version))
      return refuse("the request line does not end with a version of HTTP");
    if (version != "HTTP/1.1" && version != "HTTP/1.0")
      return refuse(ec::unsupported_version, other_version);
    if (!is_request_target(method, target))
      return refuse(no_target);
    head_.method = method;
    head_.target = target;
    old_version_ = version == "HTTP/1.0";
  }

  void field(std::string_view line) {
    if (++fields_ > max_header_fields)
      return refuse(
        ec::head_too_large, "more than " + std::to_string(max_header_fields) + " header fields");
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
      return refuse("a header field has no proper name");
    const auto name = ascii_lower(line.substr(0, colon));
    const auto value = trimmed(line.substr(colon + 1));
    if (name == "content-length")
      content_length(value);
    else if (name == "transfer-encoding")
      transfer_encoding(value);
    else if (name == "content-encoding")
      head_.encoded = head_.encoded || (!value.empty() && ascii_lower(value) != "identity");
    else if (name == "content-type")
      head_.content_type = ascii_lower(trimmed(value.substr(0, value.find(';'))));
    else if (name == "connection")
      connection_ += ascii_lower(value) + ",";
    else if (name == "expect")
      expect(value);
    else if (name == "host" && ++hosts_ > 1)
      refuse("more than one Host");
  }

  void line(std::string_view text, bool first) {
    if (text.size() > max_head_line_bytes)
      return first ? refuse(ec::target_too_long, line_too_long)
                   : refuse(ec::head_too_large, "a line of the head is too long");
    // A tab is white space in a field; in the request line some would take it for a separator.
    const auto forbidden = [first](char c) {
      return is_control(c) && (c != '\t' || first);
    };
    if (std::any_of(text.begin(), text.end(), forbidden))
      return refuse("a control character in the head");
    if (first)
      request_line(text);
    else
      field(text);
  }

  caf::expected<request_head> finish() {
    if (has_length_ && head_.chunked)
      refuse("both Content-Length and Transfer-Encoding");
    if (head_.chunked && old_version_)
      refuse("Transfer-Encoding in HTTP/1.0");
    if (hosts_ == 0 && !old_version_)
      refuse("no Host");
    head_.keep_alive = !old_version_ && !list_holds(connection_, "close");
    head_.expects_continue = head_.expects_continue && !old_version_;
    if (refusal_)
      return fail(refusal_->code, std::move(refusal_->detail));
    return std::move(head_);
  }

private:
  void refuse(std::string why) { refuse(ec::malformed_request, std::move(why)); }

  void refuse(ec code, std::string why) {
    if (!refusal_)
      refusal_ = {code, std::move(why), {}};
  }

  void content_length(std::string_view value) {
    if (std::exchange(has_length_, true))
      return refuse("more than one Content-Length");
    const auto* end = value.data() + value.size();
    const bool digits =
      std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (value.empty() || !digits || value.size() > 18)
      return refuse("Content-Length is not a sensible number");
    std::from_chars(value.data(), end, head_.content_length);
  }

  void transfer_encoding(std::string_view value) {
    const auto codings = ascii_lower(value);
    const auto last = codings.rfind(',') + 1;
    if (
      head_.chunked || trimmed(std::string_view{codings}.substr(last)) != "chunked"
      || list_holds(std::string_view{codings}.substr(0, last), "chunked"))
      return refuse("Transfer-Encoding is not just chunked");
    if (last != 0)
      return refuse(ec::unsupported_coding, "the only coding of a body may be chunked");
    head_.chunked = true;
  }

  void expect(std::string_view value) {
    if (ascii_lower(value) != "100-continue")
      return refuse(ec::unsupported_expectation, "Expect is not 100-continue");
    head_.expects_continue = true;
  }

  request_head head_;
  std::optional<failure> refusal_;
  std::string connection_;
  std::size_t fields_ = 0;
  std::size_t hosts_ = 0;
  bool has_length_ = false;
  bool old_version_ = false;
};

} // namespace

caf::expected<request_head> parse_request_head(std::string_view head) {
  head_parser parser;
  bool first = true;
  while (true) {
    const auto end = head.find(line_end);
    if (end == std::string_view::npos)
      return fail(ec::malformed_request, "the head does not end with an empty line");
    const auto line = head.substr(0, end);
    if (line.empty())
      break;
    parser.line(line, std::exchange(first, false));
    head.remove_prefix(end + line_end.size());
  }
  if (first)
    return fail(ec::malformed_request, "no request line");
  return parser.finish();
}

} // namespace herald
