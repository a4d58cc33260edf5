#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"

namespace herald {
namespace {

using namespace testing;

using names = std::set<std::string>;

std::string readme() {
  std::ifstream in{std::filesystem::path{HERALD_SOURCE_DIR} / "README.md"};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// `name{b,a}` with its labels in their order: `name{a,b}`.
std::string ordered(const std::string& series) {
  const auto brace = series.find('{');
  if (brace == std::string::npos)
    return series;
  names labels;
  std::istringstream list{series.substr(brace + 1, series.size() - brace - 2)};
  for (std::string label; std::getline(list, label, ',');)
    labels.insert(label);
  std::string joined;
  for (const auto& label : labels)
    joined += (joined.empty() ? "" : ",") + label;
  return series.substr(0, brace) + "{" + joined + "}";
}

/// The metrics in the README's table, each with its labels: `name{a,b}`.
names described() {
  const auto text = readme();
  const auto begin = text.find("<!-- metrics -->");
  const auto end = text.find("<!-- /metrics -->");
  EXPECT_LT(begin, end);
  std::stringstream table{text.substr(begin, end - begin)};
  names found;
  // Every second piece between back-ticks is code.
  bool code = false;
  for (std::string piece; std::getline(table, piece, '`'); code = !code)
    if (code && piece.find('_') != std::string::npos)
      found.insert(ordered(piece));
  return found;
}

/// A sample's line as the README writes it: without suffixes of a histogram and without values.
std::string series_of(std::string_view line) {
  const auto brace = std::min(line.find('{'), line.find(' '));
  std::string name{line.substr(0, brace)};
  for (const std::string_view suffix : {"_bucket", "_sum", "_count"})
    if (name.find("_seconds_") != std::string::npos && name.ends_with(suffix))
      name.resize(name.size() - suffix.size());
  std::string labels;
  for (auto at = line.find("=\""); at != std::string_view::npos; at = line.find("=\"", at + 1)) {
    const auto start = line.find_last_of("{,", at) + 1;
    const std::string label{line.substr(start, at - start)};
    if (label != "le")
      labels += (labels.empty() ? "" : ",") + label;
  }
  return labels.empty() ? name : ordered(name + "{" + labels + "}");
}

/// What a herald with these arguments serves, once it has had a request.
void serve(names& all, std::vector<std::string> arguments) {
  herald_process herald{std::move(arguments)};
  http_client api{herald.api_port()};
  EXPECT_EQ(api.get("/nothing-here").status, 404);
  // A body that is too long: a reason to be rejected before it is routed.
  http_client rejected{herald.api_port()};
  rejected.post("/api/events", std::string(2000, ' '));
  // The front of a stand-in makes its metrics before it answers.
  EXPECT_EQ(api.post("/internal/send", R"({"token":"unknown","close":true})").status, 404);
  std::istringstream lines{api.get("/metrics").body};
  for (std::string line; std::getline(lines, line);)
    if (!line.empty() && line.front() != '#')
      all.insert(series_of(line));
}

names less(const names& all, const names& those) {
  names left;
  std::set_difference(
    all.begin(), all.end(), those.begin(), those.end(), std::inserter(left, left.end()));
  return left;
}

TEST(Readme, HasEveryMetricWithItsLabels) {
  temporary_folder folder;
  const std::string short_bodies = "--api-max-body-bytes=1024";
  names served;
  serve(
    served, {short_bodies, "--api-max-event-bytes=512", "--journal-path",
             (folder.path() / "journal").string()});
  serve(served, {short_bodies, "--api-max-event-bytes=512", "--gateway-url", "http://127.0.0.1:1"});
  serve(
    served, {short_bodies, "--api-max-event-bytes=512", "--callback-url", "http://127.0.0.1:1/c"});
  EXPECT_EQ(less(served, described()), names{}) << "served, and not described";
  EXPECT_EQ(less(described(), served), names{}) << "described, and not served";
}

} // namespace
} // namespace herald
