#include "http/config/command_line.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <unistd.h>

#include <gtest/gtest.h>

#include "http/config/config_file.hpp"
#include "http/config/settings.hpp"
#include "tests/support/gateway_facts.hpp"

namespace herald {
namespace {

using texts = std::vector<std::string_view>;

/// A file for the time of a test.
class temporary_file {
public:
  explicit temporary_file(std::string_view text) : name_(::testing::TempDir() + "herald-XXXXXX") {
    const int fd = mkstemp(name_.data());
    if (fd < 0 || write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      std::abort();
    close(fd);
  }
  ~temporary_file() { std::remove(name_.c_str()); }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

private:
  std::string name_;
};

run_options run(const texts& arguments, const texts& environment = {}) {
  auto result = load_config(arguments, environment);
  if (const auto* end = std::get_if<early_exit>(&result)) {
    ADD_FAILURE() << end->text;
    return {};
  }
  return std::get<run_options>(std::move(result));
}

early_exit end_of(const texts& arguments, const texts& environment = {}) {
  auto result = load_config(arguments, environment);
  const auto* end = std::get_if<early_exit>(&result);
  return end != nullptr ? *end : early_exit{-1, "it runs"};
}

/// The line of a run with bad settings, without "herald: " and line break.
std::string complaint_of(const texts& arguments, const texts& environment = {}) {
  const auto end = end_of(arguments, environment);
  EXPECT_EQ(end.exit_code, 2) << end.text;
  EXPECT_TRUE(end.to_stderr);
  EXPECT_TRUE(end.text.starts_with("herald: ") && end.text.find('\n') == end.text.size() - 1)
    << end.text;
  return end.text.size() < 9 ? end.text : end.text.substr(8, end.text.size() - 9);
}

TEST(CommandLine, RunsWithDefaults) {
  const auto options = run({});
  EXPECT_EQ(print_config(options.settings), print_config({}));
  EXPECT_TRUE(options.warnings.empty());
  EXPECT_TRUE(options.print_ports_file.empty());
}

TEST(CommandLine, TakesBothFormsOfAFlag) {
  EXPECT_EQ(run({"--stream-port", "1"}).settings.stream.port, 1);
  EXPECT_EQ(run({"--stream-port=2"}).settings.stream.port, 2);
  EXPECT_EQ(run({"--stream-port=2", "--stream-port", "3"}).settings.stream.port, 3);
  EXPECT_EQ(run({"--callback-secret=a=b"}).settings.callback.secret, "a=b");
  EXPECT_EQ(run({"--callback-secret=--a"}).settings.callback.secret, "--a");
  EXPECT_EQ(run({"--callback-secret", "-a"}).settings.callback.secret, "-a");
  EXPECT_EQ(run({"--callback-secret="}).settings.callback.secret, "");
  EXPECT_TRUE(run({"--testing-enabled"}).settings.testing.enabled);
  EXPECT_TRUE(run({"--testing-enabled=true"}).settings.testing.enabled);
  EXPECT_FALSE(run({"--testing-enabled", "--testing-enabled=false"}).settings.testing.enabled);
  EXPECT_EQ(run({"--print-ports", "/p"}).print_ports_file, "/p");
}

/// One setting of each type, in three places.
TEST(CommandLine, LetsTheFlagBeatTheVariableBeatTheFile) {
  const temporary_file file{R"({
    "stream": {"port": 1, "max_streams": 11, "heartbeat_s": 21, "cors_origins": ["http://file"]},
    "gateway": {"timeout_ms": 31}, "api": {"host": "10.0.0.1", "open": true}, "testing": {"enabled": true},
    "log": {"level": "debug", "format": "json"}})"};
  const texts variables = {
    "HERALD_STREAM_PORT=2",         "HERALD_STREAM_MAX_STREAMS=12",
    "HERALD_STREAM_HEARTBEAT_S=22", "HERALD_STREAM_CORS_ORIGINS=http://variable,*",
    "HERALD_GATEWAY_TIMEOUT_MS=32", "HERALD_API_HOST=10.0.0.2",
    "HERALD_TESTING_ENABLED=false", "HERALD_LOG_LEVEL=warning",
    "HERALD_LOG_FORMAT=text"};
  texts flags = {"--stream-port=3",         "--stream-max-streams=13",
                 "--stream-heartbeat-s=23", "--stream-cors-origins=http://flag",
                 "--gateway-timeout-ms=33", "--api-host=10.0.0.3",
                 "--testing-enabled",       "--log-level=error",
                 "--log-format=json"};

  const auto of_file = run({"--config", file.name()}).settings;
  const auto of_variables = run({"--config", file.name()}, variables).settings;
  flags.emplace_back("--config");
  flags.emplace_back(file.name());
  const auto of_flags = run(flags, variables).settings;

  const auto number = [](std::int64_t n) {
    return setting_value{n};
  };
  const auto text = [](const char* t) {
    return setting_value{std::string{t}};
  };
  const auto list = [](std::vector<std::string> l) {
    return setting_value{std::move(l)};
  };
  const auto check = [&](
                       const char* key, const setting_value& in_file,
                       const setting_value& in_variable, const setting_value& in_flag) {
    const auto* s = find_setting(key);
    ASSERT_NE(s, nullptr) << key;
    EXPECT_EQ(value_of(of_file, *s), in_file) << key << " of the file";
    EXPECT_EQ(value_of(of_variables, *s), in_variable) << key << " of the variable";
    EXPECT_EQ(value_of(of_flags, *s), in_flag) << key << " of the flag";
  };
  check("stream.port", number(1), number(2), number(3));
  check("stream.max_streams", number(11), number(12), number(13));
  check("stream.heartbeat_s", number(21), number(22), number(23));
  check("gateway.timeout_ms", number(31), number(32), number(33));
  check("api.host", text("10.0.0.1"), text("10.0.0.2"), text("10.0.0.3"));
  check("testing.enabled", true, false, true);
  check("log.level", text("debug"), text("warning"), text("error"));
  check("log.format", text("json"), text("text"), text("json"));
  check(
    "stream.cors_origins", list({"http://file"}), list({"http://variable", "*"}),
    list({"http://flag"}));
}

TEST(CommandLine, LetsTheLaterOfTwoFilesBeatTheEarlier) {
  const temporary_file first{R"({"stream": {"port": 1, "max_streams": 11}})"};
  const temporary_file second{R"({"stream": {"port": 2}, "supervision": {"intensity": 7}})"};
  const auto made = run({"--config", first.name(), "--config", second.name()}).settings;
  EXPECT_EQ(made.stream.port, 2);
  EXPECT_EQ(made.stream.max_streams, 11u);
  EXPECT_EQ(made.supervision.intensity, 7u);
}

TEST(CommandLine, SaysWhatIsWrongWithAFlag) {
  const auto port_rule = std::string{"a whole number from 0 to 65535"};
  EXPECT_EQ(
    complaint_of({"--stream-prot", "1"}),
    "--stream-prot: no such flag; the nearest is --stream-port");
  EXPECT_EQ(
    complaint_of({"--check-confg"}), "--check-confg: no such flag; the nearest is --check-config");
  EXPECT_EQ(
    complaint_of({"--stream_port=1"}), "--stream_port: no such flag; the nearest is --stream-port");
  EXPECT_EQ(
    complaint_of({"--stream-port", "70000"}),
    "--stream-port: stream.port must be " + port_rule + ", not \"70000\"");
  EXPECT_EQ(
    complaint_of({"--stream-port="}),
    "--stream-port: stream.port must be " + port_rule + ", not \"\"");
  EXPECT_EQ(complaint_of({"--stream-port"}), "--stream-port: needs a value: " + port_rule);
  EXPECT_EQ(
    complaint_of({"--stream-port", "--api-port"}),
    "--stream-port: needs a value: " + port_rule
      + "; one that starts with -- is written --stream-port=VALUE");
  EXPECT_EQ(
    complaint_of({"--testing-enabled", "no"}),
    "\"no\": not a flag; flags are --SECTION-NAME VALUE, see --help");
  EXPECT_EQ(
    complaint_of({"--testing-enabled=no"}),
    "--testing-enabled: testing.enabled must be true or false, not \"no\"");
  EXPECT_EQ(
    complaint_of({"--tasks-commands", "{}"}),
    "--tasks-commands: tasks.commands can be set in the config file only");
  EXPECT_EQ(complaint_of({"--check-config=yes"}), "--check-config: takes no value");
  EXPECT_EQ(complaint_of({"--help=3"}), "--help: takes no value");
  EXPECT_EQ(complaint_of({"--config="}), "--config: must be a file, not \"\"");
  EXPECT_EQ(complaint_of({"--config"}), "--config: needs a value: a file");
  EXPECT_EQ(complaint_of({"-x"}), "\"-x\": not a flag; flags are --SECTION-NAME VALUE, see --help");
}

TEST(CommandLine, SaysWhatIsWrongWithAVariable) {
  EXPECT_EQ(
    complaint_of({}, {"HERALD_STREAM_HEARTBEAT_S=0"}),
    "HERALD_STREAM_HEARTBEAT_S: stream.heartbeat_s must be a whole number from 1 to 86400, not "
    "\"0\"");
  EXPECT_EQ(
    complaint_of({}, {"HERALD_TASKS_COMMANDS={}"}),
    "HERALD_TASKS_COMMANDS: tasks.commands can be set in the config file only");
  EXPECT_EQ(
    complaint_of({}, {"HERALD_GATEWAY_URL=https://gateway"}),
    "HERALD_GATEWAY_URL: gateway.url must be empty, or http://HOST[:PORT][/PATH] (https is not "
    "supported between herald and a gateway), not \"https://gateway\"");
}

TEST(CommandLine, SaysWhatIsWrongWithAFile) {
  const temporary_file unknown{R"({"stream": {"prot": 1}})"};
  EXPECT_EQ(
    complaint_of({"--config", unknown.name()}),
    unknown.name() + ": stream.prot is not a setting; the nearest is stream.port");
  EXPECT_EQ(
    complaint_of({"--config", "/no/such/file"}),
    "--config: /no/such/file cannot be read: No such file or directory");
  EXPECT_EQ(complaint_of({"--config", "/"}), "--config: / cannot be read: Is a directory");
  const temporary_file endless{std::string(std::size_t{5} * 1024 * 1024, ' ')};
  EXPECT_EQ(
    complaint_of({"--config", endless.name()}),
    "--config: " + endless.name() + " must not be longer than 4 MiB");
}

TEST(CommandLine, NamesTheFlagThatBreaksARuleBetweenSettings) {
  EXPECT_EQ(
    complaint_of({"--stream-port=80", "--api-port=80"}),
    "--stream-port: stream.port and api.port must differ");
  EXPECT_EQ(
    complaint_of({"--api-port=80"}, {"HERALD_STREAM_PORT=80"}),
    "HERALD_STREAM_PORT: stream.port and api.port must differ");
  EXPECT_EQ(complaint_of({"--api-port=8081"}), "stream.port and api.port must differ");
}

TEST(CommandLine, TellsNoSecret) {
  EXPECT_EQ(
    complaint_of({"--callback-secret=hunter2\n"}),
    "--callback-secret: callback.secret must be a text without control characters");
  EXPECT_EQ(
    complaint_of({}, {"HERALD_CALLBACK_URL=ftp://a/b?secret=hunter2"}).find("hunter2"),
    std::string::npos);
  EXPECT_EQ(
    complaint_of({"--callback-secrte=hunter2"}),
    "--callback-secrte: no such flag; the nearest is --callback-secret");
}

TEST(CommandLine, ComplainsInOneLineWhateverIsWritten) {
  EXPECT_EQ(
    complaint_of({"--stream-port=1\n2"}),
    "--stream-port: stream.port must be a whole number from 0 to 65535, not \"1?2\"");
  const std::string flag = "--" + std::string(100'000, 'x');
  EXPECT_LT(complaint_of({"--stream-port", flag.substr(2)}).size(), 200u);
  complaint_of({"--a\nb"});
}

TEST(CommandLine, TakesSecretsFromFiles) {
  const temporary_file secret{"s3cret\n"};
  const temporary_file url{"http://b.example/c?key=hush\r\nmore"};
  const auto settings = run({"--callback-secret-file", secret.name(), "--callback-secret=other",
                             "--callback-url-file", url.name()})
                          .settings;
  EXPECT_EQ(settings.callback.secret, "s3cret");
  EXPECT_EQ(settings.callback.url, "http://b.example/c?key=hush");
  const auto printed = end_of({"--print-config", "--callback-secret-file", secret.name()}).text;
  EXPECT_EQ(printed.find("s3cret"), std::string::npos);
  const temporary_file masked{printed};
  EXPECT_EQ(run({"--config", masked.name()}).settings.callback.secret, "s3cret");
}

TEST(CommandLine, SaysWhatIsWrongWithTheFileOfASecret) {
  EXPECT_EQ(
    complaint_of({"--version-url-file", "/no/such/file"}),
    "version.url_file: /no/such/file cannot be read: No such file or directory");
  const temporary_file empty{"\n"};
  EXPECT_EQ(
    complaint_of({"--callback-secret-file", empty.name()}),
    "callback.secret_file: " + empty.name() + " cannot be read: it is empty");
  const temporary_file bad{"ftp://hush"};
  const auto complaint = complaint_of({"--version-url-file", bad.name()});
  EXPECT_EQ(complaint.find("version.url_file: version.url must be empty, or http://"), 0u);
  EXPECT_EQ(complaint.find("hush"), std::string::npos);
}

TEST(CommandLine, TakesTheKeysOfWebhooksFromAFile) {
  const std::string one = "whsec_" + std::string(32, 'A');
  const std::string other = "whsec_" + std::string(32, 'B');
  const auto keys_in = [](const std::string& text) {
    const temporary_file file{text};
    return run({"--webhook-secret-file", file.name()}).settings.webhook.keys;
  };
  EXPECT_EQ(keys_in(one), std::vector<std::string>{std::string(24, '\0')});
  EXPECT_EQ(keys_in(other + "\r\n\n" + one + "\n").size(), 2u);
  const auto complaint_about = [](const std::string& text) {
    const temporary_file file{text};
    const auto complaint = complaint_of({"--webhook-secret-file", file.name()});
    EXPECT_EQ(complaint.find("webhook.secret_file: " + file.name() + ' '), 0u) << complaint;
    return complaint;
  };
  for (const auto& bad : {one + "\n" + other + "\n" + one, std::string{"whsec_hush"}, one + "x"}) {
    const auto complaint = complaint_about(bad);
    EXPECT_NE(
      complaint.find("one or two lines, each whsec_ and the base64 of 24 to 64 bytes"),
      std::string::npos);
    EXPECT_EQ(complaint.find("hush"), std::string::npos);
  }
  EXPECT_TRUE(complaint_about("\n").ends_with("is empty"));
  EXPECT_EQ(
    complaint_of({"--webhook-secret-file", "/no/such/file"}),
    "webhook.secret_file: /no/such/file cannot be read: No such file or directory");
}

/// Each setting that is a secret can come from a file.
TEST(CommandLine, HasAFileForEachSecret) {
  for (const auto& s : settings()) {
    if (s.hide == secrecy::open)
      continue;
    EXPECT_TRUE(std::any_of(
      secret_files.begin(), secret_files.end(),
      [&](const secret_file& one) {
        return one.secret == s.key && find_setting(one.file) != nullptr;
      }))
      << s.key;
  }
}

TEST(CommandLine, WarnsOfVariablesThatItDoesNotKnow) {
  const auto options =
    run({}, {"HERALD_STREAM_PROT=1", "PATH=/bin", "HERALD=1", "HERALD_SERVICE_HOST", "herald_x=1"});
  EXPECT_EQ(
    options.warnings,
    (std::vector<std::string>{
      "HERALD_STREAM_PROT is not a setting; ignored; the nearest is HERALD_STREAM_PORT",
      "HERALD_SERVICE_HOST is not a setting; ignored; the nearest is HERALD_STREAM_HOST"}));
}

TEST(CommandLine, TakesNoServiceLinkForAPort) {
  const auto options = run({}, {"HERALD_STREAM_PORT=tcp://10.0.0.1:8081"});
  EXPECT_EQ(options.settings.stream.port, 8081);
  EXPECT_EQ(
    options.warnings, (std::vector<std::string>{
                        "HERALD_STREAM_PORT is a service link of the orchestrator; ignored"}));
}

TEST(CommandLine, EndsEarlyOnRequest) {
  const auto version = end_of({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.text, "herald " HERALD_VERSION "\n");
  EXPECT_FALSE(version.to_stderr);
  for (const auto& arguments :
       std::vector<texts>{{"--help"}, {"-h"}, {"--stream-port=1", "--help"}}) {
    const auto help = end_of(arguments);
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_FALSE(help.to_stderr);
    EXPECT_TRUE(help.text.starts_with("Usage: herald")) << help.text;
  }
  EXPECT_TRUE(run({"--check-config"}).only_check);
  EXPECT_FALSE(run({}).only_check);
  complaint_of({"--check-config", "--stream-port=x"});
  complaint_of({"--print-config", "--stream-port=x"});
  const auto printed = end_of({"--print-config"}, {"HERALD_STREAM_PORT=9000"});
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_FALSE(printed.to_stderr);
  const temporary_file file{printed.text};
  EXPECT_EQ(run({"--config", file.name()}).settings.stream.port, 9000);
}

TEST(CommandLine, TakesWhatMainHas) {
  const char* const arguments[] = {"herald", "--api-port=1", nullptr};
  const char* const environment[] = {"HERALD_STREAM_PORT=2", nullptr};
  const auto result = load_config(2, arguments, environment);
  ASSERT_TRUE(std::holds_alternative<run_options>(result));
  EXPECT_EQ(std::get<run_options>(result).settings.api.port, 1);
  EXPECT_EQ(std::get<run_options>(result).settings.stream.port, 2);
  EXPECT_TRUE(std::holds_alternative<run_options>(load_config(0, nullptr, nullptr)));
}

TEST(CommandLine, TakesATruthValueInTheNextArgument) {
  EXPECT_FALSE(run({"--stream-io-uring", "false"}).settings.stream.io_uring);
  EXPECT_TRUE(run({"--testing-enabled", "true"}).settings.testing.enabled);
  const auto options = run({"--testing-enabled", "--stream-port", "5"});
  EXPECT_TRUE(options.settings.testing.enabled);
  EXPECT_EQ(options.settings.stream.port, 5);
}

TEST(CommandLine, WarnsOfVariablesThatMeanNothing) {
  EXPECT_EQ(
    run({}, {"HERALD_STREAM_PROT=1"}).warnings,
    std::vector<std::string>{
      "HERALD_STREAM_PROT is not a setting; ignored; the nearest is HERALD_STREAM_PORT"});
}

TEST(CommandLine, IsAGatewayThatIsToldSoAsTheGatewayIs) {
  const auto c =
    run(
      texts{"gateway"},
      texts{"PORT=4000", "CALLBACK_URL=http://b/c?secret=s", "HEARTBEAT_INTERVAL_SECONDS=7"})
      .settings;
  EXPECT_TRUE(c.gateway.one_port);
  EXPECT_EQ(c.gateway.format, gateway_format::mid);
  EXPECT_EQ(c.stream.port, 4000);
  EXPECT_TRUE(c.stream.host == "::" || c.stream.host == "0.0.0.0") << c.stream.host;
  EXPECT_EQ(c.stream.heartbeat_s, std::chrono::seconds{7});
  EXPECT_EQ(c.callback.url, "http://b/c?secret=s");
  EXPECT_TRUE(run(texts{"gateway"}, texts{"CALLBACK_URL="}).settings.callback.url.empty());
}

TEST(CommandLine, IsAGatewayWithTheTimesOfTheGateway) {
  const auto c = run(texts{"gateway"}).settings;
  const auto& facts = testing::gateway_facts();
  EXPECT_EQ(c.stream.heartbeat_s.count(), facts.at("page").at("heartbeat_ms"));
  EXPECT_EQ(c.callback.timeout_ms.count(), facts.at("callback").at("timeout_ms"));
}

TEST(CommandLine, LetsFlagsOfTheGatewayBeatItsVariables) {
  const auto c = run(
                   texts{"gateway", "--port", "5000", "--callback-url=http://flag/"},
                   texts{"PORT=4000", "CALLBACK_URL=http://variable/"})
                   .settings;
  EXPECT_EQ(c.stream.port, 5000);
  EXPECT_EQ(c.callback.url, "http://flag/");
}

TEST(CommandLine, ReadsVariablesOfTheGatewayWhereItIsOneAlone) {
  EXPECT_EQ(run(texts{}, texts{"PORT=4000"}).settings.stream.port, config{}.stream.port);
}

} // namespace
} // namespace herald
