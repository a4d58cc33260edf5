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

/// The handler that writes what the parser reports to the end of a string, as compact JSON. One
/// that does more derives from it and hides the functions in question; all numbers end in
/// `on_number`, all literals in `on_literal`. The parser's own limits are off.
template <class Handler>
class compact_writer {
public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  /// Starts a value at the end of `out`.
  void begin(std::string& out) {
    out_ = &out;
    start_ = out.size();
    inside_ = false;
  }

  bool on_object_begin(error_code&) { return append_first("{"), true; }
  bool on_object_end(std::size_t, error_code&) { return *out_ += '}', true; }
  bool on_array_begin(error_code&) { return append_first("["), true; }
  bool on_array_end(std::size_t, error_code&) { return *out_ += ']', true; }

  bool on_string_part(part text, std::size_t, error_code&) { return append_string(text), true; }
  bool on_string(part text, std::size_t, error_code&) {
    append_string(text);
    *out_ += '"';
    inside_ = false;
    return true;
  }
  bool on_key_part(part text, std::size_t, error_code&) { return append_string(text), true; }
  bool on_key(part text, std::size_t size, error_code& error) {
    compact_writer::on_string(text, size, error);
    return *out_ += ':', true;
  }

  bool on_number_part(part text, error_code&) {
    if (!inside_)
      separate();
    inside_ = true;
    out_->append(text.data(), text.size());
    return true;
  }
  bool on_number(part text, error_code& error) {
    compact_writer::on_number_part(text, error);
    inside_ = false;
    return true;
  }
  bool on_int64(std::int64_t, part text, error_code& e) { return handler().on_number(text, e); }
  bool on_uint64(std::uint64_t, part text, error_code& e) { return handler().on_number(text, e); }
  bool on_double(double, part text, error_code& e) { return handler().on_number(text, e); }

  bool on_literal(std::string_view text, error_code&) { return append_first(text), true; }
  bool on_bool(bool value, error_code& e) {
    return handler().on_literal(value ? "true" : "false", e);
  }
  bool on_null(error_code& e) { return handler().on_literal("null", e); }

  static bool on_document_begin(error_code&) { return true; }
  static bool on_document_end(error_code&) { return true; }
  // Comments are never allowed.
  static bool on_comment_part(part, error_code&) { return true; }
  static bool on_comment(part, error_code&) { return true; }

  /// Set by a handler that has stopped the parser: why.
  caf::error refused;

private:
  Handler& handler() { return static_cast<Handler&>(*this); }

  void append_first(std::string_view text) {
    separate();
    *out_ += text;
  }

  void append_string(part text) {
    if (!inside_)
      append_first("\"");
    inside_ = true;
    append_escaped(*out_, view(text));
  }

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
  /// A string, a key or a number has begun and not ended.
  bool inside_ = false;
};

inline boost::json::parse_options options() {
  boost::json::parse_options result;
  result.max_depth = max_json_depth;
  return result;
}

/// The `ec::invalid_json` for a text that the parser left at byte `at`.
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
