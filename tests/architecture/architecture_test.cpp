#include <algorithm>
#include <map>
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

std::vector<source> unit_tests() {
  return sources({"tests/messages", "tests/actors", "tests/http"});
}
std::vector<source> everything() {
  return sources({"messages", "actors", "http", "tests"});
}

/// Fails for each line of code that a pattern is found in.
void expect_nowhere(const std::vector<source>& files, const std::string& pattern) {
  const std::regex wrong{pattern};
  for (const auto& file : files)
    for (std::size_t at = 0; at != file.lines.size(); ++at)
      EXPECT_FALSE(std::regex_search(file.lines[at], wrong))
        << file.path << ":" << at + 1 << ": " << file.lines[at];
}

std::vector<source> only(std::vector<source> files, bool (source::*kind)() const) {
  std::erase_if(files, [kind](const source& file) { return !(file.*kind)(); });
  return files;
}

std::vector<source> without(const std::string& path, std::vector<source> files) {
  std::erase_if(files, [&path](const source& file) { return file.path == path; });
  return files;
}

/// What a list beside this file names, each with the reason given there.
std::map<std::string, std::string> reasons_in(const std::string& list) {
  std::map<std::string, std::string> result;
  std::istringstream in{text_of("tests/architecture/" + list)};
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#'))
      continue;
    const auto colon = line.find(": ");
    EXPECT_NE(colon, std::string::npos) << line;
    EXPECT_TRUE(result.emplace(line.substr(0, colon), line.substr(colon + 2)).second) << line;
  }
  return result;
}

/// Sources that a rule does not hold for.
std::map<std::string, std::string> exceptions() {
  return reasons_in("exceptions.txt");
}

TEST(Architecture, IncludesPointFromHttpToActorsToMessages) {
  const std::map<std::string, std::set<std::string>> allowed = {
    {"messages", {"messages"}},
    {"actors", {"messages", "actors"}},
    {"http", {"messages", "actors", "http"}},
    {"tests", {"messages", "actors", "http", "tests"}}};
  for (const auto& file : everything()) {
    for (const auto& path : file.own_includes()) {
      EXPECT_TRUE(in_tree(path)) << file.path << " names no path from the root: " << path;
      EXPECT_TRUE(allowed.at(file.top()).contains(path.substr(0, path.find('/'))))
        << file.path << " includes " << path;
    }
  }
}

TEST(Architecture, EverySourceIncludesItsOwnHeaderFirst) {
  for (const auto& file : only(product(), &source::is_body)) {
    const auto header = file.stem() + ".hpp";
    if (!in_tree(header))
      continue;
    const auto includes = file.includes();
    ASSERT_FALSE(includes.empty()) << file.path;
    EXPECT_EQ(includes.front(), '"' + header + '"') << file.path;
  }
}

TEST(Architecture, HeavyHeadersStayOutOfOurs) {
  expect_nowhere(only(product(), &source::is_header), "#include <(nlohmann/json\\.hpp|httplib)");
  expect_nowhere(everything(), "#include <caf/all\\.hpp");
}

TEST(Architecture, JsonIsReadAndWrittenByMessagesJsonExceptInTheConfig) {
  auto files = product();
  std::erase_if(files, [](const source& file) { return file.path.starts_with("http/config/"); });
  expect_nowhere(files, "\\bnlohmann\\b");
  // Objects put together by hand; texts that are whole may stand as they are.
  expect_nowhere(
    without("messages/json/json_scan.hpp", files), R"re(R"\([^)]*":"?\)"|\\":"? *[+;)])re");
}

TEST(Architecture, ActorsAndMessagesKnowNoHttp) {
  expect_nowhere(sources({"messages", "actors"}), "#include <(httplib|boost/beast/)");
}

bool uses_a_lock(const source& file) {
  static const std::regex lock{
    "#include <(mutex|shared_mutex|condition_variable|semaphore|latch|barrier|semaphore\\.h)>"
    "|\\b(\\w*_)?mutex\\b|\\b(lock_guard|unique_lock|scoped_lock|shared_lock|call_once)\\b"
    "|\\bcondition_variable|\\bpthread_(mutex|rwlock|spin|cond)|\\bsem_wait\\b|\\batomic_flag\\b"};
  return std::any_of(file.lines.begin(), file.lines.end(), [](const std::string& line) {
    return std::regex_search(line, lock);
  });
}

TEST(Architecture, LocksAreUsedWhereTheirListSaysAndByNoActor) {
  std::set<std::string> listed;
  for (const auto& [stem, reason] : reasons_in("locks.txt"))
    listed.insert(stem);
  std::set<std::string> found;
  for (const auto& file : product())
    if (uses_a_lock(file))
      found.insert(file.stem());
  EXPECT_EQ(found, listed) << "see locks.txt";
  for (const auto& stem : found)
    EXPECT_TRUE(stem.starts_with("http/")) << stem << " must do without a lock";
}

TEST(Architecture, CommentsHaveNoBanners) {
  static const std::regex banner{R"(^\s*// ?-{2})"};
  for (const auto& file : everything()) {
    std::istringstream in{text_of(file.path)};
    for (std::string line; std::getline(in, line);)
      EXPECT_FALSE(std::regex_search(line, banner)) << file.path << ": " << line;
  }
}

TEST(Architecture, TheProductIsTheSameInEveryBuild) {
  // ThreadSanitizer cannot follow threads with tables of descriptors of their own.
  expect_nowhere(
    without("http/sockets/descriptor_table.cpp", product()), "^\\s*#\\s*(if|ifdef|ifndef|elif)\\b");
}

TEST(Architecture, WaitingForActorsHappensInAskOnly) {
  expect_nowhere(
    without("http/server/ask.hpp", product()),
    "\\bscoped_actor\\b|\\bfunction_view\\b|\\bmake_function_view\\b");
}

TEST(Architecture, LogLinesHaveOneStyle) {
  auto files = product();
  std::erase_if(files, [](const source& file) {
    return file.path == "actors/telemetry/log.cpp" || file.stem() == "actors/telemetry/line_queue";
  });
  expect_nowhere(files, "\\bspdlog\\b|\\bstd::(cerr|clog|cout)\\b|#include <iostream>");
  expect_nowhere(sources({"messages", "actors"}), "\\bf?(printf|puts)\\(");
}

TEST(Architecture, DescriptorsAreClosedByTheirOwners) {
  expect_nowhere(without("actors/system/owned_fd.cpp", product()), "(^|[^\\w])::close\\(");
}

TEST(Architecture, TheServiceLabelOfAMetricComesFromTheEnum) {
  expect_nowhere(product(), "\\{ *\"service\" *, *\"");
}

/// Messages that two parts alone say to each other have a block of their own: all others need not
/// be compiled anew for them.
TEST(Architecture, TypeIdsAreGivenInOnePlace) {
  const auto files = without("messages/type_ids.hpp", product());
  expect_nowhere(files, "\\bCAF_(BEGIN|END)_TYPE_ID_BLOCK\\b|\\bCAF_ADD_TYPE_ID\\b");
}

bool exists(const std::string& stem) {
  return in_tree(stem + ".cpp") || in_tree(stem + ".hpp");
}

/// tests/X/Y_test.cpp tests X/Y; tests/X/Y_more_test.cpp tests it, too.
bool has_source(const source& test) {
  const std::string_view before = "tests/";
  const std::string_view after = "_test.cpp";
  auto stem = test.path.substr(before.size(), test.path.size() - before.size() - after.size());
  while (!exists(stem)) {
    const auto word = stem.rfind('_');
    if (word == std::string::npos)
      return false;
    stem.erase(word);
  }
  return true;
}

TEST(Architecture, EveryTestIsNamedAfterItsSource) {
  const auto excepted = exceptions();
  for (const auto& test : only(unit_tests(), &source::is_test)) {
    EXPECT_TRUE(has_source(test) || excepted.contains(test.path))
      << test.path << " needs a source of its name, or a reason in exceptions.txt";
  }
}

/// Less than this is seen through at a glance.
constexpr std::size_t lines_of_substance = 60;

TEST(Architecture, EverySourceOfSubstanceHasATestOrAReason) {
  const auto excepted = exceptions();
  for (const auto& file : only(product(), &source::is_body)) {
    EXPECT_TRUE(
      in_tree("tests/" + file.stem() + "_test.cpp") || excepted.contains(file.path)
      || file.lines.size() < lines_of_substance)
      << file.path << " needs a test, or a reason in exceptions.txt";
  }
}

TEST(Architecture, ExceptionsNameFilesThatExist) {
  static const std::regex path{R"((tests|messages|actors|http)/[\w/]+\.[ch]pp)"};
  for (const auto& [file, reason] : exceptions()) {
    EXPECT_TRUE(in_tree(file)) << file;
    for (std::sregex_iterator at{reason.begin(), reason.end(), path}, end; at != end; ++at)
      EXPECT_TRUE(in_tree(at->str())) << file << ": " << at->str();
  }
}

} // namespace
} // namespace herald
