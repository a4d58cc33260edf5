#include "http/keys/scope_table.hpp"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace herald {
namespace {

namespace fs = std::filesystem;

using route_names = std::set<std::pair<std::string, std::string>>;

/// Every method and pattern that stands beside each other in a source of the product, which is how
/// routes are added.
route_names routes_in_sources() {
  const std::regex route{R"re("(GET|POST|PUT|PATCH|DELETE)",\s*"(/[^"]*)")re"};
  route_names found;
  for (const auto* room : {"http/api", "http/service"})
    for (const auto& entry : fs::directory_iterator{fs::path{HERALD_SOURCE_DIR} / room}) {
      std::ifstream in{entry.path()};
      std::stringstream text;
      text << in.rdbuf();
      const auto source = text.str();
      for (std::sregex_iterator at{source.begin(), source.end(), route}, end; at != end; ++at)
        found.emplace((*at)[1], (*at)[2]);
    }
  return found;
}

route_names routes_in_table() {
  route_names named;
  for (const auto& row : scope_table())
    EXPECT_TRUE(named.emplace(row.method, row.pattern).second) << row.pattern;
  return named;
}

TEST(ScopeTable, HasEveryRoute) {
  const auto named = routes_in_table();
  const auto added = routes_in_sources();
  EXPECT_GE(added.size(), 29u);
  for (const auto& [method, pattern] : added)
    EXPECT_TRUE(named.contains({method, pattern})) << method << " " << pattern;
}

TEST(ScopeTable, OpensNothingButTheChecksOfHealth) {
  route_names open;
  for (const auto& row : scope_table())
    if (row.by == pass::open)
      open.emplace(row.method, row.pattern);
  EXPECT_EQ(open, (route_names{{"GET", "/healthz"}, {"GET", "/readyz"}}));
}

TEST(ScopeTable, AuditsWhateverChangesSomethingButPublishing) {
  for (const auto& row : scope_table()) {
    if (row.by != pass::key || row.method == "GET")
      continue;
    const bool publishes = row.needs == scope::events_publish || row.needs == scope::versions_write;
    EXPECT_EQ(row.audited, !publishes) << row.method << " " << row.pattern;
  }
}

TEST(ScopeTable, AsksForAdminWhereARouteIsNotInIt) {
  const auto row = scope_of("GET", "/api/made/up");
  EXPECT_EQ(row.by, pass::key);
  EXPECT_EQ(row.needs, scope::admin);
  EXPECT_TRUE(row.audited);
  EXPECT_EQ(scope_of("PUT", "/api/events").needs, scope::admin);
}

TEST(ScopeTable, LetsAnyKeyHearThatThereIsNothing) {
  EXPECT_EQ(scope_of({}, {}).by, pass::any_key);
}

/// The row of each scope in the README, from its name on; empty: there is none.
std::string readme_row(scope which) {
  std::ifstream in{fs::path{HERALD_SOURCE_DIR} / "README.md"};
  std::stringstream text;
  text << in.rdbuf();
  const auto readme = text.str();
  const auto begin = readme.find("<!-- scopes -->");
  const auto table = readme.substr(begin, readme.find("<!-- /scopes -->") - begin);
  const auto row = table.find("| `" + std::string{to_string(which)} + "` |");
  return row == std::string::npos ? "" : table.substr(row, table.find('\n', row) - row);
}

TEST(ScopeTable, HasItsScopesInTheReadme) {
  for (std::size_t i = 0; i < scope_count; ++i)
    EXPECT_NE(readme_row(static_cast<scope>(i)), "") << to_string(static_cast<scope>(i));
}

/// A path may be shortened there to its end, and a row says the method of its first one alone.
TEST(ScopeTable, HasTheRoutesOfEachScopeInTheReadme) {
  for (const auto& row : scope_table()) {
    if ((row.by != pass::key && row.by != pass::task) || row.needs == scope::admin)
      continue;
    const auto said = readme_row(row.needs);
    const std::string pattern{row.pattern};
    const auto end = pattern.substr(pattern.rfind('/'));
    EXPECT_TRUE(
      said.find(pattern + "`") != std::string::npos
      || said.find("`" + end + "`") != std::string::npos)
      << row.method << " " << pattern << ": " << said;
  }
}

TEST(ScopeTable, NeedsEveryScopeSomewhere) {
  std::set<scope> needed;
  for (const auto& row : scope_table())
    if (row.by == pass::key || row.by == pass::task)
      needed.insert(row.needs);
  EXPECT_EQ(needed.size(), scope_count);
}

} // namespace
} // namespace herald
