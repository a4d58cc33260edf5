#pragma once

#include <string>
#include <vector>

#include "http/config/command_line.hpp"

namespace herald {

/// What herald was started with: its arguments and its environment. They are kept for when the
/// settings are read again; where other processes can see them (/proc/PID/environ, cmdline),
/// secrets are wiped.
class start_words {
public:
  start_words(int argc, char** argv, char** environment);

  /// The settings that they give, with the files that they name as those are now.
  [[nodiscard]] parse_result load() const;

  /// Wipes the values of secret settings from the memory that main was given.
  static void hide_secrets(int argc, char** argv, char** environment);

private:
  std::vector<std::string> arguments_;
  std::vector<std::string> environment_;
};

} // namespace herald
