#include "tests/support/tls_backend.hpp"

#include <sstream>
#include <stdexcept>

#include "tests/support/eventually.hpp"

namespace herald::testing {

tls_backend::tls_backend() {
  const auto key = (files_ / "key.pem").string();
  const auto made = run_program(
    {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
     "-nodes", "-days", "1", "-subj", "/CN=herald test", "-addext", "subjectAltName=IP:127.0.0.1",
     "-keyout", key, "-out", ca_file()});
  if (!(made.status == exited(0)))
    throw std::runtime_error{"openssl: " + made.standard_error};
  program_.emplace(std::vector<std::string>{
    "python3", HERALD_SOURCE_DIR "/tests/support/tls_backend.py", ca_file(), key});
  if (!eventually([this] { return !told().empty() || !program_->running(); }) || told().empty())
    throw std::runtime_error{"the backend has not started: " + program_->standard_error()};
  port_ = told()[0].at("port");
}

std::vector<nlohmann::json> tls_backend::told() const {
  std::vector<nlohmann::json> lines;
  std::istringstream output{program_->standard_output()};
  for (std::string line; std::getline(output, line);)
    if (auto one = nlohmann::json::parse(line, nullptr, false); one.is_object())
      lines.push_back(std::move(one));
  return lines;
}

std::vector<nlohmann::json> tls_backend::requests() const {
  auto lines = told();
  lines.erase(lines.begin());
  return lines;
}

} // namespace herald::testing
