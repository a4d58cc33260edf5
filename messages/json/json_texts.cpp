#include "messages/json/json_texts.hpp"

#include <utility>

#include "messages/json/json_reader.hpp"
#include "messages/json/json_scan.hpp"

namespace herald {

namespace {

using json_scan::error_code;
using json_scan::part;

/// Keeps the strings of an array, and refuses everything else.
struct text_cutter : json_scan::compact_writer<text_cutter> {
  explicit text_cutter(std::size_t max_texts) : most(max_texts) {}

  bool on_array_begin(error_code& error) {
    if (inside)
      return refuse_kind(error, json_kind::array);
    inside = true;
    return true;
  }
  bool on_array_end(std::size_t, error_code& error) {
    return !texts.empty() || refuse(error, "must not be empty");
  }

  bool on_string_part(part text, std::size_t, error_code& error) { return append(text, error); }
  bool on_string(part text, std::size_t, error_code& error) {
    if (!append(text, error))
      return false;
    texts.push_back(std::exchange(current, {}));
    return true;
  }

  bool on_object_begin(error_code& error) { return refuse_kind(error, json_kind::object); }
  bool on_number_part(part, error_code& error) { return refuse_kind(error, json_kind::number); }
  bool on_number(part, error_code& error) { return refuse_kind(error, json_kind::number); }
  bool on_literal(std::string_view text, error_code& error) {
    return refuse_kind(error, text == "null" ? json_kind::null : json_kind::boolean);
  }

  bool append(part text, error_code& error) {
    if (!inside)
      return refuse_kind(error, json_kind::string);
    if (texts.size() == most)
      return refuse(error, "must have at most " + std::to_string(most) + " items");
    current.append(text.data(), text.size());
    return true;
  }

  bool refuse_kind(error_code& error, json_kind kind) {
    const auto wanted = inside ? json_kind::string : json_kind::array;
    return refuse(
      error, "must be " + std::string(to_string(wanted)) + ", not " + std::string(to_string(kind)),
      inside ? "[" + std::to_string(texts.size()) + "]" : std::string{});
  }

  /// Stops the parser.
  bool refuse(error_code& error, std::string why, std::string where = {}) {
    refused = fail(ec::invalid_field, std::move(why), std::move(where));
    error = boost::json::error::exception;
    return false;
  }

  std::size_t most;
  bool inside = false;
  std::string current;
  std::vector<std::string> texts;
};

} // namespace

caf::expected<std::vector<std::string>> read_texts(std::string_view array, std::size_t most) {
  boost::json::basic_parser<text_cutter> parser{json_scan::options(), most};
  if (auto error = json_scan::run(parser, array))
    return error;
  return std::move(parser.handler().texts);
}

} // namespace herald
