#include "http/config/usage.hpp"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

#include "http/config/settings.hpp"

namespace herald {
namespace {

TEST(Usage, NamesEveryFlag) {
  const auto page = usage();
  for (const auto& s : settings())
    EXPECT_NE(page.find("  " + (s.file_only() ? std::string{s.key} : s.flag())), std::string::npos)
      << s.key;
  for (const auto* flag :
       {"--config FILE", "--print-ports FILE", "--check-config", "--print-config", "--version",
        "--help"})
    EXPECT_NE(page.find(flag), std::string::npos) << flag;
}

TEST(Usage, HasATitleForEverySection) {
  const auto page = usage();
  for (const auto& s : settings())
    EXPECT_EQ(page.find("\n" + std::string{s.section()} + "\n"), std::string::npos) << s.section();
}

TEST(Usage, ShowsUnitAndDefault) {
  const auto page = usage();
  EXPECT_NE(page.find("--stream-heartbeat-s SECONDS"), std::string::npos);
  EXPECT_NE(page.find("[15]"), std::string::npos);
  EXPECT_NE(page.find("--testing-enabled [BOOL]"), std::string::npos);
}

TEST(Usage, FitsOnAScreen) {
  std::istringstream page{usage()};
  for (std::string line; std::getline(page, line);) {
    EXPECT_LE(line.size(), 100u) << line;
    EXPECT_TRUE(line.empty() || line.back() != ' ') << line;
  }
}

TEST(Usage, HasARowForEverySetting) {
  const auto table = settings_markdown();
  EXPECT_EQ(
    static_cast<std::size_t>(std::count(table.begin(), table.end(), '\n')), settings().size() + 2);
  EXPECT_NE(
    table.find("| `stream.port` | `8081` |  | Port of the streams; 0 takes a free one. |\n"),
    std::string::npos)
    << table;
}

} // namespace
} // namespace herald
