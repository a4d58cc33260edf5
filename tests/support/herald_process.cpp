#include "tests/support/herald_process.hpp"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace herald::testing {

namespace {

constexpr std::size_t shown_log = 6000;

std::vector<std::string> call(const herald_options& options, const temporary_folder& files) {
  std::vector<std::string> arguments = {options.binary.empty() ? HERALD_BINARY : options.binary};
  auto given = options.arguments;
  // Of all words only the first can be a command.
  if (!given.empty() && given.front() == "gateway") {
    arguments.push_back(given.front());
    given.erase(given.begin());
  }
  for (const auto* port : {"--api-port", "--stream-port"})
    if (std::find(given.begin(), given.end(), port) == given.end())
      arguments.insert(arguments.end(), {port, "0"});
  arguments.insert(arguments.end(), {"--print-ports", (files / "ports.json").string()});
  if (!options.config.empty())
    arguments.insert(arguments.end(), {"--config", files.write("herald.json", options.config)});
  arguments.insert(arguments.end(), given.begin(), given.end());
  return arguments;
}

} // namespace

herald_process::herald_process(const herald_options& options)
  : program_(call(options, files_), options.environment) {
  wait_for_ports();
}

herald_process::~herald_process() {
  const auto text = log();
  if (const auto report = text.find("Sanitizer: "); report != std::string::npos)
    ADD_FAILURE() << "herald " << pid()
                  << " was found at fault: " << text.substr(text.rfind('\n', report) + 1);
  if (!::testing::Test::HasFailure())
    return;
  std::cerr << "--- the end of the log of herald " << pid() << "\n"
            << text.substr(text.size() - std::min(text.size(), shown_log)) << "---\n";
}

void herald_process::wait_for_ports() {
  const auto file = files_ / "ports.json";
  const auto known = eventually([&] { return std::filesystem::exists(file) || !running(); });
  if (!known || !running())
    throw std::runtime_error{"herald has not started: " + log()};
  const auto ports = nlohmann::json::parse(text_of(file));
  api_port_ = ports.at("api").get<std::uint16_t>();
  stream_port_ = ports.value("stream", std::uint16_t{0});
}

std::string herald_process::full_log() const {
  const auto before = log().size();
  signal(SIGUSR1);
  EXPECT_TRUE(logs("signal_ignored", before)) << "it logs nothing more";
  return log();
}

bool herald_process::logs(std::string_view piece, std::size_t from) const {
  return eventually([&] { return log().find(piece, from) != std::string::npos; });
}

bool herald_process::reload() const {
  const auto before = log().size();
  signal(SIGHUP);
  return logs("herald reloaded", before);
}

std::optional<exit_status> herald_process::terminate() {
  signal(SIGTERM);
  return wait();
}

void herald_process::kill() {
  signal(SIGKILL);
  wait();
}

finished_program
run_herald(std::vector<std::string> arguments, std::vector<std::string> environment) {
  arguments.insert(arguments.begin(), HERALD_BINARY);
  return run_program(std::move(arguments), std::move(environment));
}

} // namespace herald::testing
