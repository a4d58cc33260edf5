#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/basic_parser_impl.hpp>

#include "messages/errors.hpp"
#include "messages/json/json_text.hpp"

/// Reading JSON in one pass, without a tree: Boost.JSON's parser calls a handler for each part and
/// hands over numbers as they were written. Include it in sources only; it is slow to compile.
namespace herald::json_scan {

using boost::json::error_code;
using part = boost::json::string_view;

inline std::string_view view(part text) {
  return {text.data(), text.size()};
}

/// Appends valid UTF-8 to the inside of a JSON string.
void append_escaped(std::string& out, std::string_view text);

/// Writes what the parser reports as compact JSON to the end of a string. Anything that is not part
/// of a value (document begin and end) is the handler's own business.
class compact_writer {
public:
  /// Starts a new value at the end of `out`.
  void begin(std::string& out) {
    out_ = &out;
    start_ = out.size();
    inside_ = false;
  }

  void open(char bracket) {
    separate();
    *out_ += bracket;
  }
  void close(char bracket) { *out_ += bracket; }

  void string_part(part text) {
    if (!inside_) {
      separate();
      *out_ += '"';
      inside_ = true;
    }
    append_escaped(*out_, view(text));
  }
  void string_end(part text) {
    string_part(text);
    *out_ += '"';
    inside_ = false;
  }
  void key_end(part text) {
    string_end(text);
    *out_ += ':';
  }

  void number_part(part text) {
    if (!inside_) {
      separate();
      inside_ = true;
    }
    out_->append(text.data(), text.size());
  }
  void number_end(part text) {
    number_part(text);
    inside_ = false;
  }

  void literal(std::string_view text) {
    separate();
    *out_ += text;
  }

private:
  /// The last character tells whether something stands before that needs a comma.
  void separate() {
    if (out_->size() == start_)
      return;
    const char last = out_->back();
    if (last != '[' && last != '{' && last != ':')
      *out_ += ',';
  }

  std::string* out_ = nullptr;
  std::size_t start_ = 0;
  bool inside_ = false;
};

/// Base of handlers: no limits of the parser's own, and comments, which are never allowed.
struct handler_base {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  static bool on_document_begin(error_code&) { return true; }
  static bool on_document_end(error_code&) { return true; }
  static bool on_comment_part(part, error_code&) { return true; }
  static bool on_comment(part, error_code&) { return true; }
};

/// Stops the parser where a handler has found what it does not like.
inline bool stop(error_code& error) {
  error = boost::json::error::exception;
  return false;
}

inline boost::json::parse_options options() {
  boost::json::parse_options result;
  result.max_depth = max_json_depth;
  return result;
}

/// What is wrong with a text that the parser left at byte `at`, as `ec::invalid_json`.
[[nodiscard]] caf::error
syntax_failure(const error_code& error, std::string_view text, std::size_t at);

/// Runs one whole JSON text through a parser. `ec::invalid_json`, or the error that the handler has
/// kept as `refused` when it stopped the parser.
template <class Handler>
caf::error run(boost::json::basic_parser<Handler>& parser, std::string_view text) {
  parser.reset();
  error_code error;
  const auto read = parser.write_some(false, text.data(), text.size(), error);
  if (parser.handler().refused)
    return parser.handler().refused;
  if (!error && read < text.size())
    error = boost::json::error::extra_data;
  if (error)
    return syntax_failure(error, text, read);
  return {};
}

} // namespace herald::json_scan
