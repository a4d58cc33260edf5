#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

namespace fs = std::filesystem;

/// "libherald_http.a(router.cpp.o)" for each object of a library.
using objects = std::multiset<std::string>;

/// What the linker took into herald, as its map tells.
objects linked() {
  static const std::regex member{R"(^\S*/?(libherald_\w+\.a\([^)]+\.o\))(\s.*)?$)"};
  objects result;
  std::ifstream map{HERALD_MAP};
  std::smatch match;
  // Members of libraries come first; behind them is where all of it lies.
  for (std::string line; std::getline(map, line) && !line.starts_with("Memory Configuration");)
    if (std::regex_match(line, match, member))
      result.insert(match[1]);
  return result;
}

/// What the sources of the product are compiled to.
objects compiled() {
  objects result;
  for (const auto* folder : {"messages", "actors", "http"})
    for (const auto& entry : fs::recursive_directory_iterator{fs::path{HERALD_SOURCE_DIR} / folder})
      if (const auto& path = entry.path(); path.extension() == ".cpp" && path.stem() != "main")
        result.insert(
          std::string{"libherald_"} + folder + ".a(" + path.filename().string() + ".o)");
  return result;
}

TEST(LinkedObjects, AreAllThatTheProductIsMadeOf) {
  const auto in_herald = linked();
  ASSERT_FALSE(in_herald.empty()) << HERALD_MAP;
  std::vector<std::string> left_out;
  const auto all = compiled();
  std::set_difference(
    all.begin(), all.end(), in_herald.begin(), in_herald.end(), std::back_inserter(left_out));
  EXPECT_EQ(left_out, std::vector<std::string>{}) << "nothing in herald uses these";
}

} // namespace
} // namespace herald
