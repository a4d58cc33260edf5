// Any JSON value made compact, against another library.

#include <cstddef>
#include <string>

#include <nlohmann/json.hpp>

#include "messages/json/json_text.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

namespace {

/// Neither the deepest nesting nor numbers past a double are everybody's, and nlohmann takes a NUL
/// for the end.
bool disputed(std::string_view text) {
  std::size_t brackets = 0;
  std::size_t digits = 0;
  for (const char c : text) {
    brackets += c == '[' || c == '{' ? 1 : 0;
    digits += (c >= '0' && c <= '9') || c == 'e' || c == 'E' ? 1 : 0;
  }
  return brackets >= max_json_depth || digits > 3 || text.find('\0') != std::string_view::npos;
}

} // namespace

HERALD_FUZZ_TARGET(json_text, input) {
  const auto compact = compact_json(input);
  if (!disputed(input))
    require(compact.engaged() == nlohmann::json::accept(input), "two libraries disagree");
  if (compact) {
    require(compact->find_first_of("\r\n") == std::string::npos, "compact JSON has a line break");
    const auto again = compact_json(*compact);
    require(again.engaged() && *again == *compact, "compact JSON is not compact");
    if (!disputed(input))
      require(
        nlohmann::json::parse(input) == nlohmann::json::parse(*compact), "the value has changed");
  }
  const auto quoted = json_string(input);
  const auto back = nlohmann::json::parse(quoted, nullptr, false);
  require(back.is_string(), "a JSON string is none");
  // nlohmann's own way to write text that may not be UTF-8 tells whether it was.
  const nlohmann::json plain = std::string{input};
  try {
    (void)plain.dump();
    require(back.get<std::string>() == input, "a JSON string has changed the text");
  } catch (const nlohmann::json::type_error&) {
    require(back.get<std::string>().find("\xef\xbf\xbd") != std::string::npos, "nothing replaced");
  }
}

} // namespace herald::fuzz
