#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <sys/wait.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http/config/command_line.hpp"
#include "http/config/config_file.hpp"
#include "http/config/settings.hpp"
#include "http/config/usage.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sanitizer.hpp"

namespace herald {
namespace {

namespace fs = std::filesystem;

const fs::path root = HERALD_SOURCE_DIR;

std::string text_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

struct outcome {
  int status = -1;
  /// Both standard output and standard error.
  std::string output;
};

outcome shell(const std::string& command) {
  outcome result;
  auto* const pipe = popen(("exec 2>&1; " + command).c_str(), "r");
  if (pipe == nullptr)
    return result;
  std::array<char, 4096> buffer{};
  while (const auto length = fread(buffer.data(), 1, buffer.size(), pipe))
    result.output.append(buffer.data(), length);
  const int status = pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

bool has(const std::string& program) {
  return shell("command -v " + program).status == 0;
}

/// A folder for the time of a test.
class Deploy : public ::testing::Test {
protected:
  Deploy() : folder(::testing::TempDir() + "herald-deploy-XXXXXX") {
    if (mkdtemp(folder.data()) == nullptr)
      std::abort();
  }
  ~Deploy() override { fs::remove_all(folder); }

  std::string write(const std::string& name, const std::string& text) {
    auto file = folder + "/" + name;
    std::ofstream{file, std::ios::binary} << text;
    return file;
  }

  std::string folder;
};

#ifdef HERALD_IS_HARDENED // as what is shipped is
TEST_F(Deploy, TheBinaryIsHardened) {
  const auto header = shell("readelf -hW " HERALD_BINARY).output;
  EXPECT_NE(header.find("DYN (Position-Independent Executable file)"), std::string::npos) << header;
  const auto dynamic = shell("readelf -dW " HERALD_BINARY).output;
  EXPECT_NE(dynamic.find("NOW PIE"), std::string::npos) << dynamic;
  const auto segments = shell("readelf -lW " HERALD_BINARY).output;
  EXPECT_NE(segments.find("GNU_RELRO"), std::string::npos) << segments;
  EXPECT_EQ(segments.find(" RWE "), std::string::npos) << segments;
  const auto symbols = shell("readelf --dyn-syms -W " HERALD_BINARY).output;
  for (const auto* name : {"__stack_chk_fail", "__fprintf_chk"})
    EXPECT_NE(symbols.find(name), std::string::npos) << name;
}
#endif

/// The packages that the image installs for herald to run.
std::set<std::string> packages_of_the_image() {
  const auto text = text_of(root / "deploy/container/Dockerfile");
  const auto begin = text.find("--no-install-recommends", text.rfind("FROM debian:"));
  std::istringstream words{text.substr(begin, text.find("&& rm", begin) - begin)};
  std::set<std::string> found;
  for (std::string word; words >> word;)
    if (word != "\\" && !word.starts_with("-"))
      found.insert(word);
  return found;
}

TEST_F(Deploy, TheImageHasThePackageOfEachLibraryThatHeraldIsLinkedTo) {
  // What the libraries themselves need comes with their packages; these are in Debian's own image.
  std::set<std::string> base = {"libc6", "libgcc-s1", "libstdc++6"};
  // No image is made of a build with assertions.
  if (testing::built_with != testing::sanitizer::none)
    base.insert({"libasan8", "libubsan1", "libtsan2", "libabsl20220623", "libfmt9"});
  // Those that tests/tsan_libraries has built are called as links of the packages for compilers
  // are.
  if (testing::built_with == testing::sanitizer::thread)
    base.insert({"libcaf-dev", "libcpp-httplib-dev"});
  const auto in_image = packages_of_the_image();
  const auto needed = shell("objdump -p " HERALD_BINARY " | sed -n 's/^ *NEEDED *//p'").output;
  std::istringstream libraries{needed};
  std::size_t compared = 0;
  for (std::string library; libraries >> library;) {
    const auto owner =
      shell("dpkg -S '*-linux-gnu/" + library + "' | head -1 | cut -d: -f1").output;
    const auto package = owner.substr(0, owner.find('\n'));
    EXPECT_TRUE(base.contains(package) || in_image.contains(package))
      << library << " is in " << package << ", which deploy/container/Dockerfile does not install";
    ++compared;
  }
  EXPECT_GT(compared, 5u) << needed;
}

TEST_F(Deploy, TheImageIsBuiltFromAPointReleaseOfDebian) {
  const auto text = text_of(root / "deploy/container/Dockerfile");
  static const std::regex from{R"((^|\n)FROM debian:(\S*))"};
  std::size_t stages = 0;
  for (auto at = std::sregex_iterator{text.begin(), text.end(), from}; at != std::sregex_iterator{};
       ++at, ++stages)
    EXPECT_TRUE(std::regex_match((*at)[2].str(), std::regex{R"(12\.\d+(-slim)?)"})) << (*at)[2];
  EXPECT_EQ(stages, 2u);
}

TEST_F(Deploy, TheJournalIsOnAVolumeWhereverHeraldRuns) {
  const std::map<std::string, std::vector<std::string>> wanted = {
    {"container/Dockerfile", {"HERALD_JOURNAL_PATH=/var/lib/herald/", "VOLUME /var/lib/herald\n"}},
    {"compose/compose.yaml", {"- journal:/var/lib/herald\n", "\nvolumes:\n  journal:\n"}},
    {"systemd/herald.service", {"HERALD_JOURNAL_PATH=/var/lib/herald/", "StateDirectory=herald\n"}},
    {"kubernetes/herald.yaml",
     {"\"path\": \"/var/lib/herald/", "mountPath: /var/lib/herald\n",
      "kind: PersistentVolumeClaim\n"}}};
  for (const auto& [file, parts] : wanted) {
    const auto text = text_of(root / "deploy" / file);
    for (const auto& part : parts)
      EXPECT_NE(text.find(part), std::string::npos) << file << ": " << part;
  }
}

TEST_F(Deploy, MemoryIsLimitedWhereverHeraldRuns) {
  for (const auto& [file, limit] : std::map<std::string, std::string>{
         {"compose/compose.yaml", "mem_limit: "},
         {"systemd/herald.service", "MemoryMax="},
         {"kubernetes/herald.yaml", "limits: {memory: "}})
    EXPECT_NE(text_of(root / "deploy" / file).find(limit), std::string::npos) << file;
}

TEST_F(Deploy, KubernetesLooksAtTheStreamPortAndKeepsOthersFromTheApi) {
  const auto text = text_of(root / "deploy/kubernetes/herald.yaml");
  EXPECT_NE(
    text.find("livenessProbe:\n            httpGet: {path: /healthz, port: stream}"),
    std::string::npos);
  EXPECT_NE(text.find("kind: NetworkPolicy\n"), std::string::npos);
}

TEST_F(Deploy, TheImageKnowsWhetherHeraldAnswers) {
  EXPECT_NE(
    text_of(root / "deploy/container/Dockerfile").find("\nHEALTHCHECK "), std::string::npos);
  const auto check = (root / "deploy/container/healthcheck").string();
  const auto status = [&](int stream_port, int api_port) {
    return shell(
             "HERALD_STREAM_PORT=" + std::to_string(stream_port)
             + " HERALD_API_PORT=" + std::to_string(api_port) + " " + check)
      .status;
  };
  const testing::herald_process herald;
  EXPECT_EQ(status(herald.stream_port(), 1), 0);
  EXPECT_EQ(status(1, herald.api_port()), 0) << "a gateway has the streams";
  EXPECT_EQ(status(1, 2), 1) << "nobody is there";
}

TEST_F(Deploy, ExampleConfigSaysWhatIsTheDefaultAnyway) {
  const auto example = root / "deploy/herald.example.json";
  const std::string name = example.string();
  const std::array<std::string_view, 2> arguments = {"--config", name};
  const auto result = load_config(arguments, {});
  if (const auto* end = std::get_if<early_exit>(&result))
    FAIL() << end->text;
  EXPECT_EQ(print_config(std::get<run_options>(result).settings), print_config({}));
}

/// The text of a profile, and what is in force with it.
std::string with_profile(const std::string& name, const char* action) {
  const auto file = (root / "deploy/supervision" / (name + ".json")).string();
  const std::array<std::string_view, 3> arguments = {"--config", file, action};
  const auto result = load_config(arguments, {});
  return std::get<early_exit>(result).text;
}

TEST_F(Deploy, HeraldTakesEachProfileOfSupervision) {
  std::size_t profiles = 0;
  for (const auto& file : fs::directory_iterator{root / "deploy/supervision"}) {
    const auto checked = shell(
      HERALD_BINARY " --check-config --api-port=0 --stream-port=0 --config "
      + file.path().string());
    EXPECT_EQ(checked.status, 0) << checked.output;
    ++profiles;
  }
  EXPECT_EQ(profiles, 3u);
}

TEST_F(Deploy, ProfilesSayAllOfSupervisionAndNothingElse) {
  for (const auto* name : {"small", "default", "large"}) {
    const auto document = nlohmann::json::parse(
      text_of(root / "deploy/supervision" / (std::string{name} + ".json")), nullptr, true, true);
    EXPECT_EQ(document.size(), 1u);
    const auto& said = document.at("supervision");
    const auto in_force = nlohmann::json::parse(with_profile(name, "--print-config"));
    EXPECT_EQ(said, in_force.at("supervision")) << name;
  }
}

TEST_F(Deploy, DefaultProfileOfSupervisionIsTheDefault) {
  EXPECT_EQ(with_profile("default", "--print-config"), print_config({}));
}

TEST_F(Deploy, ExampleConfigNamesEverySetting) {
  const auto document = nlohmann::json::parse(
    text_of(root / "deploy/herald.example.json"), nullptr, true, /*ignore_comments=*/true);
  for (const auto& s : settings()) {
    const std::string section{s.section()};
    const std::string name{s.key.substr(section.size() + 1)};
    EXPECT_TRUE(document.contains(section) && document[section].contains(name)) << s.key;
  }
}

TEST_F(Deploy, ExampleConfigExplainsSettingsAsTheHelpDoes) {
  const auto text = text_of(root / "deploy/herald.example.json");
  for (const auto& s : settings()) {
    if (s.file_only())
      continue;
    const auto comment = "// " + std::string{s.help} + "\n    \""
                         + std::string{s.key.substr(s.section().size() + 1)} + "\":";
    EXPECT_NE(text.find(comment), std::string::npos) << comment;
  }
}

/// Between these marks the README has the table as it is printed here.
TEST_F(Deploy, ReadmeHasTheTableOfSettings) {
  const std::string begin = "<!-- settings -->\n";
  const std::string end = "<!-- /settings -->";
  const auto readme = text_of(root / "README.md");
  const auto from = readme.find(begin);
  const auto to = readme.find(end);
  if (from == std::string::npos || to == std::string::npos)
    GTEST_SKIP() << "README.md has no " << begin;
  const auto start = from + begin.size();
  EXPECT_EQ(readme.substr(start, to - start), settings_markdown());
}

TEST_F(Deploy, JsonAndYamlFilesParse) {
  EXPECT_TRUE(nlohmann::json::parse(text_of(root / "deploy/grafana/herald.json")).is_object());
  if (shell("/usr/bin/python3 -c 'import yaml'").status != 0)
    GTEST_SKIP() << "python3-yaml is not installed";
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator{root / "deploy"}) {
    const auto extension = entry.path().extension();
    if (extension != ".yaml" && extension != ".yml")
      continue;
    ++files;
    const auto parsed = shell(
      "/usr/bin/python3 -c 'import sys, yaml; [d or sys.exit(1) for d in "
      "yaml.safe_load_all(open(sys.argv[1]))]' "
      + entry.path().string());
    EXPECT_EQ(parsed.status, 0) << entry.path() << ": " << parsed.output;
  }
  EXPECT_GE(files, 4u);
}

/// What a secret has for those who may use the API.
std::string file_with_a_key() {
  return R"({"api":{"keys":[{"name":"shop","sha256":")" + std::string(64, 'a')
         + R"(","scopes":["events:publish"]}]}})";
}

/// The settings inside the manifest are not seen by any YAML parser.
TEST_F(Deploy, KubernetesConfigIsGood) {
  const auto manifest = text_of(root / "deploy/kubernetes/herald.yaml");
  const std::string begin = "  herald.json: |\n";
  const auto from = manifest.find(begin);
  ASSERT_NE(from, std::string::npos);
  const auto start = from + begin.size();
  config c;
  EXPECT_EQ(
    apply_config_file(c, manifest.substr(start, manifest.find("\n---", start) - start)),
    std::nullopt);
  // The keys come from the secret that the manifest mounts.
  ASSERT_TRUE(validate(c).has_value());
  EXPECT_EQ(validate(c)->key, "api.host");
  EXPECT_EQ(apply_config_file(c, file_with_a_key()), std::nullopt);
  EXPECT_EQ(validate(c).has_value(), false);
}

TEST_F(Deploy, WhereOthersReachTheApiKeysComeFromASecret) {
  for (const auto& [file, parts] : std::map<std::string, std::vector<std::string>>{
         {"compose/compose.yaml",
          {"command: [\"--config\", \"/run/secrets/herald_keys\"]\n", "- herald_keys\n",
           "\nsecrets:\n  herald_keys:\n    file: "}},
         {"kubernetes/herald.yaml",
          {"\"--config\", \"/etc/herald-keys/keys.json\"]", "mountPath: /etc/herald-keys\n",
           "secretName: herald-keys\n"}}}) {
    const auto text = text_of(root / "deploy" / file);
    for (const auto& part : parts)
      EXPECT_NE(text.find(part), std::string::npos) << file << ": " << part;
  }
  // As the image has it.
  const std::string image =
    "HERALD_API_HOST=0.0.0.0 HERALD_STREAM_HOST=0.0.0.0 HERALD_API_PORT=0 HERALD_STREAM_PORT=0 "
    "HERALD_AUTH_MODE=none ";
  EXPECT_NE(
    text_of(root / "deploy/container/Dockerfile").find("HERALD_API_HOST=0.0.0.0"),
    std::string::npos);
  const auto without = shell(image + HERALD_BINARY " --check-config");
  EXPECT_EQ(without.status, 2) << without.output;
  EXPECT_NE(without.output.find("api.keys must be set"), std::string::npos) << without.output;
  const auto with = shell(
    image + HERALD_BINARY " --check-config --config " + write("keys.json", file_with_a_key()));
  EXPECT_EQ(with.status, 0) << with.output;
}

TEST_F(Deploy, EnvironmentOfContainersIsKnown) {
  const auto all = settings();
  std::size_t found = 0;
  for (const auto* file :
       {"deploy/container/Dockerfile", "deploy/compose/compose.yaml",
        "deploy/systemd/herald.service", "deploy/kubernetes/herald.yaml"}) {
    const auto text = text_of(root / file);
    for (auto at = text.find("HERALD_"); at != std::string::npos;
         at = text.find("HERALD_", at + 1)) {
      const auto end = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", at);
      const auto name = text.substr(at, end - at);
      if (name == "HERALD_TESTS")
        continue; // an option of the build
      ++found;
      EXPECT_TRUE(
        std::any_of(all.begin(), all.end(), [&](const setting& s) { return s.variable() == name; }))
        << file << ": " << name;
    }
  }
  EXPECT_GT(found, 0u);
}

/// The variables that a file sets, in their order: `NAME=VALUE` in lines that begin so, or
/// `NAME: VALUE`.
std::vector<std::string> variables_in(const std::string& file, const std::string& line_start) {
  std::vector<std::string> found;
  std::istringstream lines{text_of(root / "deploy" / file)};
  static const std::regex variable{R"((HERALD_[A-Z_]+)(=|: )(\S+))"};
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(line_start))
      for (auto at = std::sregex_iterator{line.begin(), line.end(), variable};
           at != std::sregex_iterator{}; ++at) {
        auto value = (*at)[3].str();
        std::erase(value, '"');
        found.push_back((*at)[1].str() + "=" + value);
      }
  return found;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

TEST_F(Deploy, HeraldStartsWithTheSettingsOfEachDeploymentAndAsksWhoMayHear) {
  const std::string secret(48, 's');
  for (const auto* name : {"token_secret", "token.secret", "secret"})
    write(name, secret);
  /// Folders of the machine that it is made for.
  const auto here = [this](std::string text) {
    for (const auto* there : {"/var/lib/herald", "/run/secrets", "/etc/herald-tokens", "%d"})
      text = replaced(std::move(text), there, folder);
    return text;
  };
  const auto environment = [&](std::vector<std::string> variables) {
    for (auto& one : variables)
      one = here(one);
    return variables;
  };
  const auto image = variables_in("container/Dockerfile", "ENV ");
  auto compose = variables_in("compose/compose.yaml", "      HERALD_");
  compose.insert(compose.begin(), image.begin(), image.end());
  const auto manifest = text_of(root / "deploy/kubernetes/herald.yaml");
  const auto start = manifest.find("  herald.json: |\n") + 17;
  // In place of the keys of the API, which no file has.
  const std::vector<std::string> open{"--api-open"};
  const std::map<std::string, testing::herald_options> deployments = {
    {"container", {open, environment(image), {}}},
    {"compose", {open, environment(compose), {}}},
    {"systemd",
     {open, environment(variables_in("systemd/herald.service", "Environment=")),
      text_of(root / "deploy/herald.example.json")}},
    {"kubernetes",
     {open, {}, here(manifest.substr(start, manifest.find("\n---", start) - start))}}};
  for (const auto& [name, options] : deployments) {
    testing::herald_process herald{options};
    testing::http_client api{herald.api_port()};
    testing::http_client streams{herald.stream_port()};
    EXPECT_EQ(streams.get("/api/sse/stream?request_id=p").status, 401) << name;
    EXPECT_EQ(testing::metric(api, "herald_stream_exposed"), 0) << name;
    herald.terminate();
  }
}

TEST_F(Deploy, SystemdTakesTheUnit) {
  if (!has("systemd-analyze"))
    GTEST_SKIP() << "systemd-analyze is not installed";
  auto unit = text_of(root / "deploy/systemd/herald.service");
  const std::string installed = "/usr/local/bin/herald ";
  const auto at = unit.find("ExecStart=" + installed);
  ASSERT_NE(at, std::string::npos);
  unit.replace(at + 10, installed.size() - 1, HERALD_BINARY);
  const auto verified = shell("systemd-analyze verify --man=no " + write("herald.service", unit));
  // It tells of other units of the machine, too.
  std::istringstream lines{verified.output};
  for (std::string line; std::getline(lines, line);)
    EXPECT_EQ(line.find("herald.service"), std::string::npos) << line;
}

TEST_F(Deploy, ScriptsAreShell) {
  for (const auto* script : {"deploy/run", "deploy/packages.sh", "deploy/container/healthcheck"}) {
    const auto parsed = shell("bash -n " + (root / script).string());
    EXPECT_EQ(parsed.status, 0) << parsed.output;
  }
}

TEST_F(Deploy, PackagesAreListedForEachUse) {
  const auto source = ". " + (root / "deploy/packages.sh").string() + " && ";
  const auto build = shell("bash -c '" + source + "herald_packages build'").output;
  const auto test = shell("bash -c '" + source + "herald_packages test'").output;
  EXPECT_NE(build.find("libcaf-dev\n"), std::string::npos);
  EXPECT_EQ(test.substr(0, build.size()), build) << "the suite needs what the build needs";
  EXPECT_NE(shell("bash -c '" + source + "herald_packages nonsense'").status, 0);
}

} // namespace
} // namespace herald
