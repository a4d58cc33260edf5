#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/architecture/source_tree.hpp"

namespace herald {
namespace {

using namespace herald::testing;
using names = std::set<std::string>;

/// Lines of the log by "error journal write_failed"; their fields, in order.
using events = std::map<std::string, std::string>;

std::string joined(const source& file) {
  std::string text;
  for (const auto& line : file.lines)
    text.append(line).append("\n");
  return text;
}

/// The text of a call from behind its opening parenthesis to its end.
std::string arguments_at(const std::string& text, std::size_t at) {
  auto end = at;
  for (int depth = 1; depth != 0 && end < text.size(); ++end)
    depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
  return text.substr(at, end - at);
}

std::string first_match(const std::string& text, const std::regex& what) {
  std::smatch found;
  return std::regex_search(text, found, what) ? found[1].str() : "";
}

/// The fields of a call: `a,b`.
std::string fields_of(const std::string& call) {
  static const std::regex field{R"re(\{\s*"([a-z_]+)"\s*,)re"};
  std::string all;
  for (std::sregex_iterator it{call.begin(), call.end(), field}, end; it != end; ++it)
    all.append(all.empty() ? "" : ",").append((*it)[1]);
  return all;
}

/// Who says it: a literal, the constant `component` of the file, or `*` for the name of an actor or
/// a thread.
std::string component_of(const std::string& call, const std::string& text) {
  static const std::regex constant{R"re(component = "([a-z-]+)")re"};
  if (const auto literal = first_match(call, std::regex{R"re(^\s*"([a-z-]+)")re"});
      !literal.empty())
    return literal;
  const auto named = first_match(text, constant);
  return call.find_first_not_of(" \n") == call.find("component") && !named.empty() ? named : "*";
}

/// Of calls whose event is a variable.
names events_of(const std::string& call, const std::string& text) {
  static const std::regex literal{R"re(^[^,]*,\s*"([a-z_]+)")re"};
  if (const auto event = first_match(call, literal); !event.empty())
    return {event};
  static const std::regex passed{R"re(give_up\(\*\w+, ([^;]*)\);)re"};
  static const std::regex text_in{R"re("([a-z_]+)")re"};
  names found;
  for (std::sregex_iterator it{text.begin(), text.end(), passed}, end; it != end; ++it) {
    const auto given = (*it)[1].str();
    for (std::sregex_iterator one{given.begin(), given.end(), text_in}; one != end; ++one)
      found.insert((*one)[1]);
  }
  return found;
}

/// What the product warns of.
events said() {
  static const std::regex begin{
    R"(log::(warning|error)\(|render\(line_format, level::(warning), now, )"};
  events all;
  for (const auto& file : product()) {
    const auto text = joined(file);
    for (std::sregex_iterator it{text.begin(), text.end(), begin}, end; it != end; ++it) {
      const auto level = (*it)[1].matched ? (*it)[1].str() : (*it)[2].str();
      const auto call = arguments_at(text, static_cast<std::size_t>(it->position() + it->length()));
      const auto found = events_of(call, text);
      EXPECT_FALSE(found.empty()) << file.path << ": which event? " << call;
      for (const auto& event : found)
        all[level + " " + component_of(call, text) + " " + event] = fields_of(call);
    }
  }
  return all;
}

/// A cell of a row, without the marks of code.
std::string cell(std::string text) {
  std::erase(text, '`');
  std::erase(text, ' ');
  return text;
}

/// What the page has.
events described() {
  const auto page = text_of("deploy/LOG.md");
  const auto from = page.find("<!-- events -->");
  std::istringstream rows{page.substr(from, page.find("<!-- /events -->") - from)};
  events all;
  for (std::string line; std::getline(rows, line);) {
    if (!line.starts_with("| error") && !line.starts_with("| warning"))
      continue;
    std::istringstream in{line};
    std::vector<std::string> cells;
    for (std::string one; std::getline(in, one, '|');)
      cells.push_back(one);
    if (cells.size() < 6) {
      ADD_FAILURE() << line;
      continue;
    }
    const auto key = cell(cells[1]) + " " + cell(cells[2]) + " " + cell(cells[3]);
    EXPECT_TRUE(all.emplace(key, cell(cells[4])).second) << key << " is there twice";
  }
  return all;
}

TEST(LogEvents, OfWarningsAndErrorsAreThoseOfThePage) {
  EXPECT_EQ(said(), described()) << "deploy/LOG.md";
}

/// "component event" of lines that no test provokes, each with the reason.
std::map<std::string, std::string> unprovoked() {
  std::map<std::string, std::string> all;
  std::istringstream in{text_of("tests/architecture/unprovoked.txt")};
  for (std::string line; std::getline(in, line);)
    if (const auto colon = line.find(": "); !line.starts_with('#') && colon != std::string::npos)
      all[line.substr(0, colon)] = line.substr(colon + 2);
  return all;
}

TEST(LogEvents, AreAssertedWhereTheyArise) {
  std::string tests;
  for (const auto& file : sources({"tests"}))
    if (file.is_test() && file.path.find("architecture") == std::string::npos)
      tests += joined(file);
  const auto without = unprovoked();
  names unused;
  for (const auto& [key, reason] : without)
    unused.insert(key);
  for (const auto& [key, fields] : said()) {
    // An actor's name, or a thread's, stands for the star.
    auto pattern = key;
    if (const auto star = pattern.find('*'); star != std::string::npos)
      pattern.replace(star, 1, "[a-z0-9-]+");
    const bool asserted = std::regex_search(tests, std::regex{pattern + "\\b"});
    const auto name = key.substr(key.find(' ') + 1);
    unused.erase(asserted ? "" : name);
    EXPECT_NE(asserted, without.contains(name))
      << "\"" << key << "\" is in no test, or in one and in unprovoked.txt";
  }
  EXPECT_EQ(unused, names{}) << "unprovoked.txt";
}

} // namespace
} // namespace herald
