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
#include "tests/support/temporary_folder.hpp"

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

void replace(std::string& text, std::string_view what, std::string_view with) {
  if (const auto at = text.find(what); at != std::string::npos)
    text.replace(at, what.size(), with);
}

bool has_shown(const child_program& program, const std::string& text) {
  return eventually([&] { return program.standard_output().find(text) != std::string::npos; });
}

/// The ticket in what a command prints.
std::string ticket_given_by(const std::string& command) {
  const auto given = run_program({"bash", "-c", command}).standard_output;
  const auto begin = given.find("herald-ticket-");
  EXPECT_NE(begin, std::string::npos) << given;
  return begin == std::string::npos ? "" : given.substr(begin, given.find('"', begin) - begin);
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
  ASSERT_TRUE(has_shown(listening, "retry:")) << listening.standard_error();
  const auto posted = run_program({"bash", "-c", commands[1]});
  EXPECT_EQ(posted.status, exited(0));
  EXPECT_NE(posted.standard_output.find("\"recipients\":1"), std::string::npos);
  EXPECT_TRUE(has_shown(listening, "event: hello\ndata: \"world\"\n"));

  run.signal(SIGTERM);
  EXPECT_EQ(run.wait(), exited(0)) << "herald has taken its place";
}

TEST_F(DeployRun, ShowsHowToGetATicketWhereOneIsNeeded) {
  const auto api = std::to_string(free_port());
  const auto stream = std::to_string(free_port());
  child_program run{call({"--api-port", api, "--stream-port", stream, "--auth-mode", "required"})};
  ASSERT_TRUE(eventually(
    [&] { return run.standard_error().find("started") != std::string::npos || !run.running(); }));
  auto commands = curl_lines(run.standard_output());
  ASSERT_EQ(commands.size(), 3u) << run.standard_output() << run.standard_error();
  replace(commands[1], "TICKET", ticket_given_by(commands[0]));
  const child_program listening{{"bash", "-c", commands[1]}};
  ASSERT_TRUE(has_shown(listening, "retry:")) << listening.standard_output();
  EXPECT_EQ(run_program({"bash", "-c", commands[2]}).status, exited(0));
  EXPECT_TRUE(has_shown(listening, "event: hello\ndata: \"world\"\n"));
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

/// The commands that the README shows under a heading, on ports of the test's own.
std::vector<std::string> commands_under(const std::string& heading, const herald_process& herald) {
  std::vector<std::string> commands;
  bool here = false;
  std::istringstream lines{text_of(fs::path{HERALD_SOURCE_DIR} / "README.md")};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#"))
      here = line.ends_with("# " + heading);
    if (!here || !line.starts_with("$ "))
      continue;
    replace(line, "$ ", "");
    replace(line, " &", "");
    replace(line, ":8080", ":" + std::to_string(herald.api_port()));
    replace(line, ":8081", ":" + std::to_string(herald.stream_port()));
    commands.push_back(line);
  }
  return commands;
}

TEST(Readme, ShowsAFirstEvent) {
  herald_process herald;
  const auto commands = commands_under("A first event", herald);
  ASSERT_EQ(commands.size(), 2u);
  const child_program listening{{"bash", "-c", commands[0]}};
  ASSERT_TRUE(has_shown(listening, "retry:")) << listening.standard_error();
  EXPECT_EQ(run_program({"bash", "-c", commands[1]}).status, exited(0));
  EXPECT_TRUE(has_shown(listening, "event: greeting\ndata: {\"text\":\"hello\"}\n"))
    << listening.standard_output();
}

TEST(Readme, ShowsARequestThatCanBeRetried) {
  herald_process herald;
  const auto commands = commands_under("Publishing that can be retried", herald);
  ASSERT_EQ(commands.size(), 1u);
  const auto first = run_program({"bash", "-c", commands[0]});
  const auto again = run_program({"bash", "-c", commands[0]});
  EXPECT_NE(first.standard_output.find(R"("id":)"), std::string::npos) << first.standard_output;
  EXPECT_EQ(again.standard_output, first.standard_output) << "the same key";
}

TEST(Readme, ShowsAFirstTicket) {
  herald_process herald{{"--auth-mode", "required"}};
  auto commands = commands_under("Who may hear", herald);
  ASSERT_EQ(commands.size(), 4u);
  EXPECT_EQ(commands[0], "deploy/run --auth-mode required");
  replace(commands[2], "herald-ticket-gzVE..", ticket_given_by(commands[1]));
  const child_program listening{{"bash", "-c", commands[2]}};
  ASSERT_TRUE(has_shown(listening, "retry:")) << listening.standard_output();
  EXPECT_EQ(run_program({"bash", "-c", commands[3]}).status, exited(0));
  EXPECT_TRUE(has_shown(listening, "event: mail\ndata: \"for her alone\"\n"));
}

TEST(Readme, ShowsATokenOfOnesOwn) {
  const temporary_folder folder;
  herald_process herald{
    {"--auth-mode", "required", "--auth-secret-file", folder.write("secret", std::string(44, 's')),
     "--auth-issuer", "https://app.example", "--auth-audience", "herald"}};
  const auto commands = commands_under("Tokens", herald);
  ASSERT_GT(commands.size(), 3u);
  EXPECT_EQ(commands[0], "openssl rand -base64 32 > secret");
  EXPECT_EQ(
    commands[1],
    "deploy/run --auth-mode required --auth-secret-file secret --auth-issuer https://app.example "
    "--auth-audience herald");
  auto script = "cd " + folder.path().string() + "\n";
  for (auto line = commands.begin() + 2; line != commands.end(); ++line)
    script += *line + "\n";
  const child_program listening{{"bash", "-c", script}};
  EXPECT_TRUE(has_shown(listening, "retry:")) << listening.standard_output();
}

} // namespace
} // namespace herald
