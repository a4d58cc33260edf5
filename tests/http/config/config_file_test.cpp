#include "http/config/config_file.hpp"

#include <gtest/gtest.h>

#include "http/config/settings.hpp"

namespace herald {
namespace {

/// What is wrong with a file; empty if nothing is.
std::string wrong_with(std::string_view text) {
  config c;
  return apply_config_file(c, text).value_or("");
}

TEST(ConfigFile, SetsWhatItNames) {
  config c;
  ASSERT_EQ(
    apply_config_file(c, R"({
      // comments of both kinds
      "stream": {"port": 9000, "heartbeat_s": 5, "cors_origins": ["https://a", "https://b"]},
      /* and
         this */
      "callback": {"secret": "s"},
      "log": {"level": "warning"},
      "testing": {"enabled": true},
      "api": {}
    })"),
    std::nullopt);
  EXPECT_EQ(c.stream.port, 9000);
  EXPECT_EQ(c.stream.heartbeat_s, std::chrono::seconds{5});
  EXPECT_EQ(c.stream.cors_origins, (std::vector<std::string>{"https://a", "https://b"}));
  EXPECT_EQ(c.callback.secret, "s");
  EXPECT_EQ(c.log.level, log::level::warning);
  EXPECT_TRUE(c.testing.enabled);
  EXPECT_EQ(c.api.port, config{}.api.port) << "the rest keeps its default";
}

TEST(ConfigFile, ReadsCommands) {
  config c;
  ASSERT_EQ(
    apply_config_file(c, R"({"tasks": {"commands": {
      "report": {"argv": ["/usr/bin/report", "-v"], "cwd": "/srv", "env": {"A": "1"}, "timeout_s": 9},
      "sweep.up-2": {"argv": ["sweep", ""]}}}})"),
    std::nullopt);
  const command_type report = {
    {"/usr/bin/report", "-v"}, "/srv", {{"A", "1"}}, std::chrono::seconds{9}};
  const command_type sweep = {{"sweep", ""}, "", {}, std::nullopt};
  EXPECT_EQ(c.tasks.commands, (command_map{{"report", report}, {"sweep.up-2", sweep}}));
}

TEST(ConfigFile, SaysWhatIsWrong) {
  struct bad {
    const char* text;
    const char* complaint;
  };
  const std::string port_rule = "stream.port must be a whole number from 0 to 65535, not ";
  for (
    const auto& [text, complaint] : std::vector<bad>{
      {R"({"stream": {"prot": 1}})", "stream.prot is not a setting; the nearest is stream.port"},
      {R"({"strem": {"port": 1}})", "strem.port is not a setting; the nearest is stream.port"},
      {R"({"heartbeat_s": 1})", "heartbeat_s is not a setting; the nearest is stream.heartbeat_s"},
      {R"({"testing.enabeld": {}})",
       "testing.enabeld is not a setting; the nearest is testing.enabled"},
      {R"({"stream": {"p\nort": 1}})",
       R"(stream.p\nort is not a setting; the nearest is stream.port)"},
      {R"({"stream.port": 1})", R"(stream.port must be nested: {"stream": {"port": ...}})"},
      {R"({"stream": 8081})", "stream must be an object of settings, not 8081"},
      {R"({"stream": {"port": "80"}})",
       R"(stream.port must be a whole number from 0 to 65535, not "80")"},
      {R"({"stream": {"port": 80.0}})",
       "stream.port must be a whole number from 0 to 65535, not 80.0"},
      {R"({"stream": {"port": null}})",
       "stream.port must be a whole number from 0 to 65535, not null"},
      {R"({"stream": {"port": {"a": 1}}})",
       R"(stream.port must be a whole number from 0 to 65535, not {"a":1})"},
      {R"({"stream": {"port": -1}})", "stream.port must be a whole number from 0 to 65535, not -1"},
      {R"({"stream": {"port": 18446744073709551615}})",
       "stream.port must be a whole number from 0 to 65535, not 18446744073709551615"},
      {R"({"testing": {"enabled": "true"}})",
       R"(testing.enabled must be true or false, not "true")"},
      {R"({"log": {"format": "xml"}})", R"(log.format must be one of json, text, not "xml")"},
      {R"({"api": {"host": 1}})", "api.host must be an IP address or a host name, not 1"},
      {R"({"stream": {"cors_origins": "*"}})",
       R"(stream.cors_origins must be a list of origins such as https://example.org, or *, not "*")"},
      {R"({"stream": {"cors_origins": [1]}})",
       "stream.cors_origins must be a list of origins such as https://example.org, or *, not [1]"},
      {R"({"callback": {"secret": 12345}})",
       "callback.secret must be a text without control characters"},
      {R"({"stream": {"port": 1, "host": "a", "port": 2}})", "stream.port is given twice"},
      {R"({"stream": {"port": 1}, "stream": {}})", "stream is given twice"},
      {R"({"tasks": {"commands": {"a": {"env": {"X": "1", "X": "2"}}}}})",
       "tasks.commands.a.env.X is given twice"},
      {R"([])", R"(must be a JSON object of sections, such as {"stream": {"port": 8081}})"},
      {R"(8081)", R"(must be a JSON object of sections, such as {"stream": {"port": 8081}})"}})
    EXPECT_EQ(wrong_with(text), complaint) << text;
}

TEST(ConfigFile, SaysWhatIsWrongWithACommand) {
  struct bad {
    const char* commands;
    const char* complaint;
  };
  for (
    const auto& [commands, complaint] : std::vector<bad>{
      {R"([])", "tasks.commands must be an object of commands, not []"},
      {R"({"a": []})", "tasks.commands.a must be an object with argv, not []"},
      {R"({"a": {}})", "tasks.commands.a.argv must be given: a list of strings, the program first"},
      {R"({"a": {"argv": []}})",
       "tasks.commands.a.argv must be a list of strings, the program first, not []"},
      {R"({"a": {"argv": [""]}})",
       R"(tasks.commands.a.argv must be a list of strings, the program first, not [""])"},
      {R"({"a": {"argv": "ls"}})",
       R"(tasks.commands.a.argv must be a list of strings, the program first, not "ls")"},
      {R"({"a": {"argv": ["ls", 1]}})",
       R"(tasks.commands.a.argv must be a list of strings, the program first, not ["ls",1])"},
      {R"({"a": {"argv": ["a\u0000b"]}})",
       R"(tasks.commands.a.argv must be a list of strings, the program first, not ["a\u0000b"])"},
      {R"({"a": {"agrv": ["ls"]}})",
       "tasks.commands.a.agrv is not a field of a command; the nearest is argv"},
      {R"({"a": {"argv": ["ls"], "cwd": 1}})", "tasks.commands.a.cwd must be a string, not 1"},
      {R"({"a": {"argv": ["ls"], "env": []}})",
       "tasks.commands.a.env must be an object of strings"},
      {R"({"a": {"argv": ["ls"], "env": {"X": 1}}})",
       R"(tasks.commands.a.env must be an object of strings: see "X")"},
      {R"({"a": {"argv": ["ls"], "env": {"X=Y": ""}}})",
       R"(tasks.commands.a.env must be an object of strings: see "X=Y")"},
      {R"({"a": {"argv": ["ls"], "timeout_s": -1}})",
       "tasks.commands.a.timeout_s must be a whole number from 0 to 2592000, not -1"},
      {R"({"a": {"argv": ["ls"], "timeout_s": "1"}})",
       R"(tasks.commands.a.timeout_s must be a whole number from 0 to 2592000, not "1")"},
      {R"({"a b": {"argv": ["ls"]}})",
       "tasks.commands.a b must have a name of 1 to 64 letters, digits, '-', '_' or '.'"},
      {R"({"": {"argv": ["ls"]}})",
       "tasks.commands. must have a name of 1 to 64 letters, digits, '-', '_' or '.'"}})
    EXPECT_EQ(wrong_with(std::string{R"({"tasks": {"commands": )"} + commands + "}}"), complaint)
      << commands;
}

TEST(ConfigFile, SaysWhereItIsNotJson) {
  EXPECT_EQ(
    wrong_with("{\"stream\":\n {\"port\": }}").substr(0, 44),
    "not JSON: parse error at line 2, column 11: ");
  for (const auto* text :
       {"", "{", "{\"a\" 1}", "{} {}", "{'a': 1}", "{\"a\": \"\xff\"}", "// only"})
    EXPECT_EQ(wrong_with(text).substr(0, 9), "not JSON:") << text;
  EXPECT_EQ(wrong_with("{\"a\": 1e999}").substr(0, 9), "not JSON:");
  EXPECT_EQ(wrong_with({"{}\0{}", 5}).substr(0, 9), "not JSON:");
}

TEST(ConfigFile, TellsNoSecretThatItStumblesOver) {
  EXPECT_EQ(
    wrong_with("{\"callback\": {\"secret\": \"hunter2\n\"}}").find("hunter2"), std::string::npos);
}

TEST(ConfigFile, PrintsWhatItReads) {
  config c;
  c.stream.port = 9000;
  c.stream.cors_origins = {};
  c.gateway.url = "http://gateway:3000";
  c.log.format = log::format::json;
  c.tasks.retention_s = std::chrono::seconds{0};
  c.testing.enabled = true;
  c.tasks.commands["report"] = {{"report", "a b"}, "/srv", {}, std::chrono::seconds{9}};
  c.tasks.commands["sweep"] = {{"sweep"}, "", {}, std::nullopt};

  config again;
  ASSERT_EQ(apply_config_file(again, print_config(c)), std::nullopt);
  for (const auto& s : settings())
    EXPECT_EQ(value_of(again, s), value_of(c, s)) << s.key;
  EXPECT_EQ(again.tasks.commands, c.tasks.commands);
  EXPECT_EQ(print_config(again), print_config(c));
}

TEST(ConfigFile, PrintsEverySetting) {
  const auto text = print_config({});
  for (const auto& s : settings())
    EXPECT_NE(
      text.find("\"" + std::string{s.key.substr(s.key.find('.') + 1)} + "\":"), std::string::npos)
      << s.key;
}

TEST(ConfigFile, PrintsNoSecret) {
  config c;
  c.callback.secret = "hunter2";
  c.callback.url = "http://backend/callback?secret=hunter2";
  c.version.url = "http://backend/version?key=hunter2";
  c.webhook.url = "http://backend/hooks?key=hunter2";
  c.webhook.keys = {"hunter2"};
  c.tasks.commands["a"] = {{"a"}, "", {{"KEY", "hunter2"}}, std::nullopt};
  const auto text = print_config(c);
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
  config again;
  EXPECT_EQ(apply_config_file(again, text), std::nullopt) << "masked, it is still a config file";
}

TEST(ConfigFile, PrintsEvenWhatIsNotUtf8) {
  config c;
  c.tasks.commands["a"].argv = {"\xff"};
  config again;
  EXPECT_EQ(apply_config_file(again, print_config(c)), std::nullopt);
}

} // namespace
} // namespace herald
