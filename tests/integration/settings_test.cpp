#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/loopback.hpp"

namespace herald {
namespace {

using namespace testing;
using json = nlohmann::json;

/// What is in force, as herald itself prints it.
json in_force(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
  arguments.emplace_back("--print-config");
  const auto printed = run_herald(std::move(arguments), std::move(environment));
  EXPECT_EQ(printed.status, exited(0)) << printed.standard_error;
  return json::parse(printed.standard_output, nullptr, false, /*ignore_comments=*/true);
}

/// herald does not start; gives the line that says why.
std::string
complaint(int code, std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
  const auto run = run_herald(std::move(arguments), std::move(environment));
  EXPECT_EQ(run.status, exited(code)) << run.standard_error;
  EXPECT_EQ(run.standard_output, "");
  EXPECT_EQ(std::count(run.standard_error.begin(), run.standard_error.end(), '\n'), 1)
    << run.standard_error;
  return run.standard_error;
}

/// What `--check-config` says of settings, with ports that are free.
finished_program
check(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
  arguments.insert(arguments.end(), {"--check-config", "--api-port=0", "--stream-port=0"});
  return run_herald(std::move(arguments), std::move(environment));
}

class Settings : public ::testing::Test {
protected:
  temporary_folder folder;
};

TEST_F(Settings, FlagsBeatTheEnvironmentWhichBeatsTheFile) {
  const auto file = folder.write("herald.json", R"({
      // Comments are allowed.
      "stream": {"port": 1001, "heartbeat_s": 11, "retry_ms": 2001}
    })");
  const auto settings = in_force(
    {"--config", file, "--stream-port", "1003"},
    {"HERALD_STREAM_PORT=1002", "HERALD_STREAM_HEARTBEAT_S=12"});
  EXPECT_EQ(settings["stream"]["port"], 1003);
  EXPECT_EQ(settings["stream"]["heartbeat_s"], 12);
  EXPECT_EQ(settings["stream"]["retry_ms"], 2001);
  EXPECT_EQ(settings["api"]["port"], 8080) << "the default";
}

TEST_F(Settings, AreObeyed) {
  const auto file = folder.write("herald.json", R"({"testing": {"enabled": true}})");
  herald_process herald{{"--config", file}};
  http_client api{herald.api_port()};
  EXPECT_EQ(api.post("/api/testing/deployments/version", "{}").status, 400) << "not 404";
}

TEST_F(Settings, NameWhatIsWrongInOneLine) {
  const auto bad_file = folder.write("bad.json", R"({"stream": {"prot": 1}})");
  const auto bad_type = folder.write("type.json", R"({"stream": {"port": "80"}})");
  const auto no_json = folder.write("no.json", "{");
  struct row {
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
    std::vector<std::string> told;
  };
  for (const auto& [arguments, environment, told] : std::vector<row>{
         {{"--stream-prot", "1"}, {}, {"--stream-prot", "nearest is --stream-port"}},
         {{"--config", bad_file}, {}, {"bad.json", "stream.prot", "nearest", "stream.port"}},
         {{"--config", bad_type}, {}, {"stream.port", "whole number from 0 to 65535"}},
         {{"--config", no_json}, {}, {"no.json"}},
         {{"--config", (folder / "missing.json").string()}, {}, {"missing.json", "cannot be read"}},
         {{"--stream-port", "65536"}, {}, {"stream.port", "from 0 to 65535", "65536"}},
         {{"--stream-port"}, {}, {"--stream-port", "needs a value"}},
         {{"--log-level", "loud"}, {}, {"log.level", "loud"}},
         {{"stray"}, {}, {"stray", "not a flag"}},
         {{}, {"HERALD_API_PORT=many"}, {"HERALD_API_PORT", "api.port", "whole number"}},
         {{"--gateway-url", "ftp://x"}, {}, {"gateway.url"}},
         {{"--gateway-url", "http://g", "--callback-url", "http://b/c"},
          {},
          {"exclude each other"}},
       }) {
    const auto line = complaint(2, arguments, environment);
    for (const auto& part : told)
      EXPECT_NE(line.find(part), std::string::npos) << part << " in: " << line;
  }
}

TEST_F(Settings, RefuseAGatewayWithoutSecretOnAnOpenAddress) {
  const std::vector<std::string> open = {"--api-host", "0.0.0.0", "--gateway-url", "http://g:1"};
  EXPECT_NE(complaint(2, open).find("callback.secret"), std::string::npos);
  auto with_secret = open;
  with_secret.insert(with_secret.end(), {"--callback-secret", "s3cret"});
  EXPECT_NE(complaint(2, with_secret).find("api.keys must be set"), std::string::npos);
  with_secret.emplace_back("--api-open");
  EXPECT_EQ(check(with_secret).status, exited(0));
  EXPECT_EQ(check({"--api-host", "127.0.0.1", "--gateway-url", "http://g:1"}).status, exited(0));
}

TEST_F(Settings, AreCheckedWithoutStarting) {
  EXPECT_EQ(check({}).status, exited(0));
  complaint(2, {"--check-config", "--stream-heartbeat-s", "-1"});
  const auto warned = check({}, {"HERALD_STREAM_PROT=1"});
  EXPECT_EQ(warned.status, exited(0));
  EXPECT_EQ(
    warned.standard_output,
    "warning: HERALD_STREAM_PROT is not a setting; ignored; the nearest is HERALD_STREAM_PORT\n"
    "the configuration is good\n");
  complaint(
    1,
    {"--check-config", "--api-port=0", "--stream-port=0", "--journal-path", "/no/such/folder/j"});
}

TEST_F(Settings, ArePrintedWithoutSecrets) {
  const auto file = folder.write("herald.json", R"({
    "callback": {"secret": "hush-1"},
    "version": {"url": "http://v/version.json?key=hush-2"},
    "tasks": {"commands": {"report": {"argv": ["/bin/true"], "env": {"KEY": "hush-3"}}}}
  })");
  const auto printed = run_herald({"--config", file, "--print-config"});
  EXPECT_EQ(printed.status, exited(0));
  EXPECT_EQ(printed.standard_output.find("hush"), std::string::npos) << printed.standard_output;
  EXPECT_NE(printed.standard_output.find("http://v/version.json"), std::string::npos);
}

TEST_F(Settings, ArePrintedAsAConfigurationFile) {
  const auto first = run_herald({"--stream-port", "1234", "--print-config"});
  const auto file = folder.write("printed.json", first.standard_output);
  EXPECT_EQ(
    run_herald({"--config", file, "--print-config"}).standard_output, first.standard_output);
}

TEST_F(Settings, AreExplained) {
  const auto help = run_herald({"--help"});
  EXPECT_EQ(help.status, exited(0));
  for (const auto* flag : {"--stream-port", "--gateway-url", "--print-ports", "--config"})
    EXPECT_NE(help.standard_output.find(flag), std::string::npos) << flag;
  const auto version = run_herald({"--version"});
  EXPECT_EQ(version.status, exited(0));
  EXPECT_TRUE(version.standard_output.starts_with("herald ")) << version.standard_output;
}

TEST_F(Settings, WarnOfUnknownVariablesAndStart) {
  herald_process herald{herald_options{{}, {"HERALD_STREAM_PROT=1", "HERALD_POD=x"}, {}}};
  const auto log = herald.full_log();
  EXPECT_NE(log.find("warning herald setting_ignored detail="), std::string::npos);
  EXPECT_NE(log.find("HERALD_STREAM_PROT"), std::string::npos);
  EXPECT_NE(log.find("HERALD_STREAM_PORT"), std::string::npos) << "the nearest";
  EXPECT_NE(log.find("HERALD_POD"), std::string::npos);
}

TEST_F(Settings, LogInTheFormThatIsAskedFor) {
  herald_process herald{{"--log-format", "json", "--log-level", "debug"}};
  herald.terminate();
  std::istringstream lines{herald.log()};
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    EXPECT_TRUE(json::parse(line, nullptr, false).is_object()) << line;
  EXPECT_GE(count, 2u);
}

TEST_F(Settings, PrintPortsThroughNoLinkThatSomebodyHasPlanted) {
  const auto victim = folder.write("victim", "mine");
  const auto ports = (folder / "ports").string();
  std::filesystem::create_symlink(victim, ports + ".new");
  const auto run = run_herald(
    {"--api-port=0", "--stream-host=192.0.2.1", "--auth-mode=none", "--print-ports", ports});
  EXPECT_EQ(run.status, exited(1)) << "an address of somebody else";
  EXPECT_EQ(text_of(victim), "mine");
}

TEST_F(Settings, PrintThePortsThatAreOpen) {
  herald_process embedded;
  EXPECT_NE(embedded.api_port(), 0);
  EXPECT_NE(embedded.stream_port(), 0);
  herald_process backend{{"--gateway-url", "http://127.0.0.1:1"}};
  EXPECT_EQ(backend.stream_port(), 0) << "the gateway has the streams";
  EXPECT_EQ(backend.full_log().find("stream_port"), std::string::npos) << backend.log();
}

TEST_F(Settings, NameAFileForPortsThatCanBeWritten) {
  const auto line =
    complaint(1, {"--api-port=0", "--stream-port=0", "--print-ports", "/no/such/folder/ports"});
  EXPECT_NE(line.find("/no/such/folder/ports"), std::string::npos) << line;
}

/// A port of 127.0.0.1 that somebody else listens on.
class taken_port {
public:
  explicit taken_port(bool shared) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    // As two heralds would do it among themselves.
    if (shared)
      ::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(descriptor_, generic, size), 0);
    EXPECT_EQ(::listen(descriptor_, 1), 0);
    ::getsockname(descriptor_, generic, &size);
    number_ = std::to_string(ntohs(address.sin_port));
  }
  ~taken_port() { ::close(descriptor_); }
  taken_port(const taken_port&) = delete;
  taken_port& operator=(const taken_port&) = delete;

  [[nodiscard]] const std::string& number() const { return number_; }

private:
  int descriptor_;
  std::string number_;
};

TEST(TakenPort, EndsHeraldWithALineThatNamesIt) {
  for (const bool shared : {false, true}) {
    const taken_port taken{shared};
    auto line = complaint(1, {"--api-port", taken.number(), "--stream-port", "0"});
    EXPECT_NE(line.find(taken.number()), std::string::npos) << line;
    line = complaint(1, {"--api-port", "0", "--stream-port", taken.number()});
    EXPECT_NE(line.find(taken.number()), std::string::npos) << line;
  }
}

TEST(TakenPort, IsNoticedByACheckOfTheConfiguration) {
  const taken_port taken{true};
  for (const std::string name : {"api", "stream"}) {
    const auto other = name == "api" ? "--stream-port=0" : "--api-port=0";
    const auto line =
      complaint(1, {"--check-config", other, "--" + name + "-port", taken.number()});
    EXPECT_NE(line.find(name + ".port: cannot listen"), std::string::npos) << line;
    EXPECT_NE(line.find(taken.number()), std::string::npos) << line;
  }
}

TEST(UnknownHost, EndsHeraldWithALineThatNamesItsSetting) {
  for (const std::string name : {"api", "stream"}) {
    const auto line = complaint(
      1, {"--" + name + "-host", "no.such.host.invalid", "--" + name + "-port", "0", "--api-open",
          "--auth-mode", "none"});
    EXPECT_NE(line.find(name + ".host: no.such.host.invalid cannot be resolved"), std::string::npos)
      << line;
  }
}

TEST(TakenPort, EndsAStandInForAGatewayToo) {
  const taken_port taken{false};
  const std::string backend = "http://127.0.0.1:1/callback";
  complaint(1, {"--callback-url", backend, "--api-port", taken.number(), "--stream-port", "0"});
  complaint(1, {"--callback-url", backend, "--api-port", "0", "--stream-port", taken.number()});
}

TEST(TakenPort, IsNotSharedByTwoHeralds) {
  herald_process first;
  complaint(1, {"--api-port", std::to_string(first.api_port()), "--stream-port", "0"});
  complaint(1, {"--api-port", "0", "--stream-port", std::to_string(first.stream_port())});
}

} // namespace
} // namespace herald
