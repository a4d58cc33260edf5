#include "messages/json/json_text.hpp"

#include <cstdint>
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
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  switch (c) {
  case '"':
    out += "\\\"";
    return;
  case '\\':
    out += "\\\\";
    return;
  case '\b':
    out += "\\b";
    return;
  case '\f':
    out += "\\f";
    return;
  case '\n':
    out += "\\n";
    return;
  case '\r':
    out += "\\r";
    return;
  case '\t':
    out += "\\t";
    return;
  default:
    out += "\\u00";
    out += digits[byte >> 4];
    out += digits[byte & 0xf];
  }
}

/// Writes one JSON value again, without its white space.
struct compactor : json_scan::handler_base {
  using error_code = json_scan::error_code;
  using part = json_scan::part;

  explicit compactor(std::string& out) { writer.begin(out); }

  bool on_object_begin(error_code&) { return writer.open('{'), true; }
  bool on_object_end(std::size_t, error_code&) { return writer.close('}'), true; }
  bool on_array_begin(error_code&) { return writer.open('['), true; }
  bool on_array_end(std::size_t, error_code&) { return writer.close(']'), true; }
  bool on_key_part(part text, std::size_t, error_code&) { return writer.string_part(text), true; }
  bool on_key(part text, std::size_t, error_code&) { return writer.key_end(text), true; }
  bool on_string_part(part text, std::size_t, error_code&) {
    return writer.string_part(text), true;
  }
  bool on_string(part text, std::size_t, error_code&) { return writer.string_end(text), true; }
  bool on_number_part(part text, error_code&) { return writer.number_part(text), true; }
  bool on_int64(std::int64_t, part text, error_code&) { return writer.number_end(text), true; }
  bool on_uint64(std::uint64_t, part text, error_code&) { return writer.number_end(text), true; }
  bool on_double(double, part text, error_code&) { return writer.number_end(text), true; }
  bool on_bool(bool value, error_code&) { return writer.literal(value ? "true" : "false"), true; }
  bool on_null(error_code&) { return writer.literal("null"), true; }

  json_scan::compact_writer writer;
  caf::error refused;
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
    return fail(ec::invalid_json, "there is no JSON text");
  if (error == boost::json::error::too_deep)
    return fail(
      ec::invalid_json, "nested deeper than " + std::to_string(max_json_depth) + " levels");
  if (error == boost::json::error::incomplete)
    return fail(ec::invalid_json, "the JSON text ends too early");
  return fail(ec::invalid_json, error.message() + " at byte " + std::to_string(at));
}

} // namespace json_scan

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    std::size_t valid = 0;
    std::size_t length = 1;
    while (valid < text.size() && (length = utf8_sequence(text.substr(valid))) != 0)
      valid += length;
    json_scan::append_escaped(out, text.substr(0, valid));
    if (valid == text.size())
      break;
    out += utf8_replacement;
    text.remove_prefix(valid + 1);
  }
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
