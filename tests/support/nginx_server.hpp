#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/support/child_program.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald::testing {

/// A real nginx with a configuration of its own.
class nginx_server {
public:
  /// Starts it with these lines inside of `http`. Throws if it ends instead.
  explicit nginx_server(const std::string& http);

private:
  temporary_folder files_;
  std::optional<child_program> program_;
};

/// The same, on a port that `http` gets. Somebody may take a free port before nginx does.
[[nodiscard]] std::pair<std::unique_ptr<nginx_server>, std::uint16_t>
nginx_on_a_free_port(const std::function<std::string(const std::string& port)>& http);

} // namespace herald::testing
