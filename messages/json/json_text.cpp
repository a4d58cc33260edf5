#include "messages/json/json_text.hpp"

#include <utility>

// The part of Boost.JSON that is not a template, compiled here once.
#include <boost/json/src.hpp>

#include "messages/json/json_scan.hpp"
#include "messages/text/utf8.hpp"

namespace herald {

namespace {

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view named = "\"\\\b\f\n\r\t";
  constexpr std::string_view names = "\"\\bfnrt";
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += '\\';
  if (const auto at = named.find(c); at != std::string_view::npos)
    out += names[at];
  else
    out.append("u00").append({digits[byte >> 4], digits[byte & 0xf]});
}

/// Writes one JSON value again, without its white space.
struct compactor : json_scan::compact_writer<compactor> {
  explicit compactor(std::string& out) { begin(out); }
};

} // namespace

namespace json_scan {

void append_escaped(std::string& out, std::string_view text) {
  std::size_t clean = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!needs_escape(text[i]))
      continue;
    out.append(text.substr(clean, i - clean));
    append_escape(out, text[i]);
    clean = i + 1;
  }
  out.append(text.substr(clean));
}

caf::error syntax_failure(const error_code& error, std::string_view text, std::size_t at) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return fail(ec::invalid_json, "JSON is wanted, and there is no text");
  if (error == boost::json::error::too_deep)
    return fail(
      ec::invalid_json, "nested deeper than " + std::to_string(max_json_depth) + " levels");
  if (error == boost::json::error::incomplete)
    return fail(ec::invalid_json, "the JSON text ends too early");
  return fail(
    ec::invalid_json, "JSON is wanted: " + error.message() + " at byte " + std::to_string(at));
}

} // namespace json_scan

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  if (is_utf8(text))
    json_scan::append_escaped(out, text);
  else
    json_scan::append_escaped(out, valid_utf8(text));
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string result;
  result.reserve(text.size() + 2);
  append_json_string(result, text);
  return result;
}

caf::expected<std::string> compact_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  boost::json::basic_parser<compactor> parser{json_scan::options(), out};
  if (auto error = json_scan::run(parser, text))
    return error;
  return out;
}

} // namespace herald
