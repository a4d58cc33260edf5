#include <csignal>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/child_program.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/herald_process.hpp"

namespace herald {
namespace {

namespace fs = std::filesystem;
using namespace testing;

/// deploy/run in a folder like a clone's, where herald is built already: a stand-in for cmake only
/// notes how it is called.
class DeployRun : public ::testing::Test {
protected:
  DeployRun() {
    const fs::path source = HERALD_SOURCE_DIR;
    fs::create_directories(folder / "deploy");
    fs::create_directories(folder / "build/release");
    fs::create_directories(folder / "bin");
    for (const auto* file : {"deploy/run", "deploy/packages.sh"})
      fs::copy_file(source / file, folder / file);
    fs::create_symlink(HERALD_BINARY, folder / "build/release/herald");
    const auto cmake =
      folder.write("bin/cmake", "#!/bin/sh\necho \"$@\" >>" + (folder / "calls").string() + "\n");
    fs::permissions(cmake, fs::perms::owner_all);
  }

  void SetUp() override {
    const auto missing = run_program(
      {"bash", "-c",
       ". " HERALD_SOURCE_DIR "/deploy/packages.sh && herald_missing_packages build"});
    if (missing.status != exited(0) || !missing.standard_output.empty())
      GTEST_SKIP() << "a test installs nothing; missing: " << missing.standard_output;
  }

  /// The call, and what it needs to find the stand-in.
  std::vector<std::string> call(const std::vector<std::string>& arguments) {
    std::vector<std::string> result = {
      "env", "PATH=" + (folder / "bin").string() + ":" + std::getenv("PATH"),
      (folder / "deploy/run").string()};
    result.insert(result.end(), arguments.begin(), arguments.end());
    return result;
  }

  temporary_folder folder;
};

/// The commands that a text tells its reader to type.
std::vector<std::string> curl_lines(const std::string& text) {
  std::vector<std::string> commands;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);)
    if (const auto at = line.find_first_not_of(' ');
        at != std::string::npos && line.substr(at).starts_with("curl "))
      commands.push_back(line.substr(at));
  return commands;
}

TEST_F(DeployRun, StartsHeraldAndShowsAFirstEvent) {
  const auto api = std::to_string(free_port());
  const auto stream = std::to_string(free_port());
  child_program run{call({"--api-port", api, "--stream-port", stream})};
  ASSERT_TRUE(eventually(
    [&] { return run.standard_error().find("started") != std::string::npos || !run.running(); }));
  ASSERT_TRUE(run.running()) << run.standard_output() << run.standard_error();
  const auto shown = run.standard_output();
  EXPECT_NE(shown.find("API      http://127.0.0.1:" + api + "\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("streams  http://127.0.0.1:" + stream + "\n"), std::string::npos) << shown;

  const auto commands = curl_lines(shown);
  ASSERT_EQ(commands.size(), 2u) << shown;
  const child_program listening{{"bash", "-c", commands[0]}};
  const auto hears = [&](const std::string& text) {
    return eventually([&] { return listening.standard_output().find(text) != std::string::npos; });
  };
  ASSERT_TRUE(hears("retry:")) << listening.standard_error();
  const auto posted = run_program({"bash", "-c", commands[1]});
  EXPECT_EQ(posted.status, exited(0));
  EXPECT_NE(posted.standard_output.find("\"recipients\":1"), std::string::npos);
  EXPECT_TRUE(hears("event: hello\ndata: \"world\"\n"));

  run.signal(SIGTERM);
  EXPECT_EQ(run.wait(), exited(0)) << "herald has taken its place";
}

TEST_F(DeployRun, ConfiguresOnceAndBuildsEachTime) {
  EXPECT_EQ(run_program(call({"--version"})).status, exited(0));
  EXPECT_EQ(
    text_of(folder / "calls"), "--preset release\n--build --preset release --target herald\n");
  folder.write("build/release/build.ninja", "");
  folder.write("calls", "");
  EXPECT_EQ(run_program(call({"--version"})).status, exited(0));
  EXPECT_EQ(text_of(folder / "calls"), "--build --preset release --target herald\n");
}

TEST_F(DeployRun, LeavesToHeraldWhatIsItsOwn) {
  const auto help = run_program(call({"--help"}));
  EXPECT_EQ(help.status, exited(0));
  EXPECT_NE(help.standard_output.find("--stream-port"), std::string::npos);
  const auto wrong = run_program(call({"--stream-prot", "1"}));
  EXPECT_EQ(wrong.status, exited(2));
  EXPECT_NE(wrong.standard_error.find("--stream-port"), std::string::npos);
}

TEST_F(DeployRun, ShowsWhereTheStreamsOfAGatewayAre) {
  child_program run{call({"--api-port", "0", "--gateway-url", "http://127.0.0.1:3000"})};
  ASSERT_TRUE(eventually(
    [&] { return run.standard_error().find("started") != std::string::npos || !run.running(); }));
  const auto shown = run.standard_output();
  EXPECT_NE(shown.find("streams  http://127.0.0.1:3000\n"), std::string::npos) << shown;
  EXPECT_TRUE(curl_lines(shown).empty()) << "how to open a stream is the gateway's business";
}

void replace(std::string& text, std::string_view what, std::string_view with) {
  if (const auto at = text.find(what); at != std::string::npos)
    text.replace(at, what.size(), with);
}

/// The commands of the README, on ports of the test's own.
TEST(Readme, ShowsAFirstEvent) {
  herald_process herald;
  std::vector<std::string> commands;
  std::istringstream lines{text_of(fs::path{HERALD_SOURCE_DIR} / "README.md")};
  for (std::string line; std::getline(lines, line);)
    // One that needs a key is an example of it.
    if (line.starts_with("$ curl ") && line.find("$KEY") == std::string::npos) {
      replace(line, "$ ", "");
      replace(line, " &", "");
      replace(line, ":8080", ":" + std::to_string(herald.api_port()));
      replace(line, ":8081", ":" + std::to_string(herald.stream_port()));
      commands.push_back(line);
    }
  ASSERT_EQ(commands.size(), 3u);
  const child_program listening{{"bash", "-c", commands[0]}};
  const auto hears = [&](const std::string& text) {
    return eventually([&] { return listening.standard_output().find(text) != std::string::npos; });
  };
  ASSERT_TRUE(hears("retry:")) << listening.standard_error();
  EXPECT_EQ(run_program({"bash", "-c", commands[1]}).status, exited(0));
  EXPECT_TRUE(hears("event: greeting\ndata: {\"text\":\"hello\"}\n"))
    << listening.standard_output();
  const auto first = run_program({"bash", "-c", commands[2]});
  const auto again = run_program({"bash", "-c", commands[2]});
  EXPECT_NE(first.standard_output.find(R"("id":)"), std::string::npos) << first.standard_output;
  EXPECT_EQ(again.standard_output, first.standard_output) << "the same key";
}

} // namespace
} // namespace herald
