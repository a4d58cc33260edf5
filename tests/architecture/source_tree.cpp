#include "tests/architecture/source_tree.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

namespace herald::testing {

namespace {

namespace fs = std::filesystem;

const fs::path root = HERALD_SOURCE_DIR;

source read(const fs::path& file) {
  static const std::regex comment{R"((^|\s)//.*)"};
  source result{fs::relative(file, root).generic_string(), {}};
  std::ifstream in{file};
  for (std::string line; std::getline(in, line);)
    result.lines.push_back(std::regex_replace(line, comment, ""));
  return result;
}

} // namespace

std::vector<std::string> source::includes() const {
  static const std::regex directive{R"(^\s*#\s*include\s*([<"][^>"]+[>"]).*)"};
  std::vector<std::string> result;
  std::smatch match;
  for (const auto& line : lines)
    if (std::regex_match(line, match, directive))
      result.push_back(match[1]);
  return result;
}

std::vector<std::string> source::own_includes() const {
  std::vector<std::string> result;
  for (const auto& include : includes())
    if (include.front() == '"')
      result.push_back(include.substr(1, include.size() - 2));
  return result;
}

bool in_tree(const std::string& path) {
  return fs::exists(root / path);
}

std::string text_of(const std::string& path) {
  std::ifstream in{root / path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<source> sources(std::initializer_list<const char*> folders) {
  std::vector<source> result;
  for (const auto* folder : folders)
    for (const auto& entry : fs::recursive_directory_iterator{root / folder})
      if (entry.path().extension() == ".hpp" || entry.path().extension() == ".cpp")
        result.push_back(read(entry.path()));
  std::sort(
    result.begin(), result.end(), [](const source& a, const source& b) { return a.path < b.path; });
  return result;
}

} // namespace herald::testing
