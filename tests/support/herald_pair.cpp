#include "tests/support/herald_pair.hpp"

#include <utility>

#include "tests/support/free_port.hpp"

namespace herald::testing {

namespace {

std::vector<std::string>
joined(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

} // namespace

herald_pair::herald_pair(
  std::vector<std::string> backend_arguments, std::vector<std::string> gateway_arguments)
  : backend_arguments_(std::move(backend_arguments)),
    gateway_arguments_(std::move(gateway_arguments)),
    backend_port_(free_port()),
    gateway_port_(free_port()),
    stream_port_(free_port()) {
  start_gateway();
  start_backend();
}

void herald_pair::start_backend() {
  backend_.emplace(joined(
    {"--api-port", std::to_string(backend_port_), "--gateway-url",
     "http://127.0.0.1:" + std::to_string(gateway_port_), "--callback-secret", secret},
    backend_arguments_));
}

void herald_pair::start_gateway() {
  gateway_.emplace(joined(
    {"--api-port", std::to_string(gateway_port_), "--stream-port", std::to_string(stream_port_),
     "--callback-url",
     "http://127.0.0.1:" + std::to_string(backend_port_) + "/api/sse/callback?secret=" + secret},
    gateway_arguments_));
}

} // namespace herald::testing
