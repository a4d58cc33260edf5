#include "http/protocol/request_head.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "http/protocol/field_value.hpp"
#include "messages/text/ascii.hpp"

namespace herald {

namespace {

/// More digits than any body has bytes, and few enough for 64 bits.
constexpr std::size_t max_length_digits = 18;

/// Interprets one header after the other; the first thing that is wrong wins.
class interpreter {
public:
  explicit interpreter(request_head& head) : head_(head) {}

  std::optional<failure> run() {
    for (const auto& [name, value] : head_.headers)
      if (!fault_)
        header(name, value);
    if (has_length_ && head_.chunked)
      refuse("both Content-Length and Transfer-Encoding");
    if (head_.chunked && head_.version < 11)
      refuse("Transfer-Encoding in HTTP/1.0");
    if (hosts_ == 0 && head_.version >= 11)
      refuse("no Host");
    head_.expects_continue = head_.expects_continue && head_.version >= 11;
    return std::move(fault_);
  }

private:
  void header(std::string_view name, std::string_view value) {
    const auto is = [name](std::string_view other) {
      return same_ignoring_case(name, other);
    };
    if (is("Host") && ++hosts_ > 1)
      refuse("more than one Host");
    else if (is("Content-Length"))
      content_length(value);
    else if (is("Transfer-Encoding"))
      transfer_encoding(value);
    else if (is("Content-Encoding"))
      head_.encoded = head_.encoded || !(value.empty() || same_ignoring_case(value, "identity"));
    else if (is("Content-Type"))
      head_.content_type = ascii_lower(trimmed(value.substr(0, value.find(';'))));
    else if (is("Expect"))
      expect(value);
  }

  void content_length(std::string_view value) {
    if (std::exchange(has_length_, true))
      return refuse("more than one Content-Length");
    const auto* const end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, head_.content_length);
    if (error != std::errc{} || stop != end || value.size() > max_length_digits)
      refuse("Content-Length is not a sensible number");
  }

  void transfer_encoding(std::string_view value) {
    const auto lower = ascii_lower(value);
    const auto codings = list_elements(lower);
    if (
      head_.chunked || codings.back() != "chunked"
      || std::count(codings.begin(), codings.end(), "chunked") > 1)
      return refuse("Transfer-Encoding is not just chunked");
    if (codings.size() > 1)
      return refuse(ec::unsupported_coding, "the only coding of a body may be chunked");
    head_.chunked = true;
  }

  void expect(std::string_view value) {
    if (!same_ignoring_case(value, "100-continue"))
      return refuse(ec::unsupported_expectation, "Expect is not 100-continue");
    head_.expects_continue = true;
  }

  void refuse(const char* why) { refuse(ec::malformed_request, why); }

  void refuse(ec code, const char* why) {
    if (!fault_)
      fault_ = {code, why, {}};
  }

  request_head& head_;
  std::optional<failure> fault_;
  std::size_t hosts_ = 0;
  bool has_length_ = false;
};

} // namespace

std::optional<std::string_view> request_head::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [name](const auto& h) {
    return same_ignoring_case(h.first, name);
  });
  if (found == headers.end())
    return std::nullopt;
  return found->second;
}

bool request_head::accepts(std::string_view media_type) const {
  return std::any_of(headers.begin(), headers.end(), [media_type](const auto& h) {
    return same_ignoring_case(h.first, "Accept")
           && ascii_lower(h.second).find(media_type) != std::string::npos;
  });
}

std::optional<failure> interpret_headers(request_head& head) {
  return interpreter{head}.run();
}

bool is_request_target(std::string_view method, std::string_view target) {
  return target.starts_with('/') || target.find("://") != std::string_view::npos
         || (method == "OPTIONS" && target == "*");
}

std::string render_request_head(const request_head& head) {
  std::string bytes = head.method;
  bytes.append(1, ' ').append(head.target).append(head.version < 11 ? " HTTP/1.0" : " HTTP/1.1");
  for (const auto& [name, value] : head.headers)
    bytes.append("\r\n").append(name).append(": ").append(value);
  return bytes += "\r\n\r\n";
}

} // namespace herald
