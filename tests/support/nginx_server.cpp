#include "tests/support/nginx_server.hpp"

#include <filesystem>
#include <stdexcept>
#include <vector>

#include <unistd.h>

#include "tests/support/eventually.hpp"
#include "tests/support/free_port.hpp"

namespace herald::testing {

nginx_server::nginx_server(const std::string& http) {
  std::string text = "daemon off;\nworker_processes 1;\nerror_log stderr;\n";
  // Its workers would lose the rights to the folder of the test.
  if (::geteuid() == 0)
    text += "user root;\n";
  text += "pid " + (files_ / "pid").string() + ";\nevents {}\nhttp {\naccess_log off;\n";
  for (const std::string kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
    text += kind + "_temp_path " + (files_ / kind).string() + ";\n";
  const auto file = files_.write("nginx.conf", text + http + "\n}\n");
  program_.emplace(
    std::vector<std::string>{"nginx", "-e", "stderr", "-p", files_.path().string(), "-c", file});
  // Written when its ports are open.
  const auto started = [this] {
    return std::filesystem::exists(files_ / "pid") || !program_->running();
  };
  if (!eventually(started) || !program_->running())
    throw std::runtime_error{"nginx has not started: " + program_->standard_error()};
}

std::pair<std::unique_ptr<nginx_server>, std::uint16_t>
nginx_on_a_free_port(const std::function<std::string(const std::string& port)>& http) {
  for (int attempt = 0;; ++attempt) {
    const auto port = free_port();
    try {
      return {std::make_unique<nginx_server>(http(std::to_string(port))), port};
    } catch (const std::runtime_error&) {
      if (attempt == 3)
        throw;
    }
  }
}

} // namespace herald::testing
