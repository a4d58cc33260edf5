#pragma once

#include <csignal>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/child_program.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/gateway_facts.hpp"

namespace herald::testing {

/// An SSE Gateway in Node that shares nothing with herald but the protocol.
class node_gateway {
public:
  node_gateway(const std::string& generation, std::uint16_t port, const std::string& callback_url)
    : program_(
      {"node", HERALD_SOURCE_DIR "/tests/support/sse_gateway.mjs", generation, std::to_string(port),
       callback_url}) {
    if (
      !eventually([&] { return !told("port").empty() || !program_.running(); })
      || !program_.running())
      throw std::runtime_error{"the gateway has not started: " + program_.standard_error()};
  }

  /// What it has written that has this field.
  [[nodiscard]] std::vector<nlohmann::json> told(const std::string& field) const {
    std::vector<nlohmann::json> found;
    std::istringstream lines{program_.standard_output()};
    for (std::string line; std::getline(lines, line);)
      if (auto one = nlohmann::json::parse(line, nullptr, false); one.contains(field))
        found.push_back(std::move(one));
    return found;
  }

  void kill() {
    program_.signal(SIGKILL);
    program_.wait();
  }

private:
  child_program program_;
};

/// The names of those that there are.
inline std::vector<std::string> generations() {
  std::vector<std::string> names;
  for (const auto& [name, ways] : gateway_facts().at("generations").items())
    names.push_back(name);
  return names;
}

} // namespace herald::testing
