#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/config/config.hpp"

namespace herald {

/// A run of herald: its settings, and what only the command line can ask for.
struct run_options {
  config settings;
  /// Where the open ports are written; empty: nowhere.
  std::string print_ports_file;
  /// Only to tell whether herald would start.
  bool only_check = false;
  /// For the log, which is set up only now: each is a variable that was passed over, and why.
  std::vector<std::string> warnings;
};

/// A run that ends before it starts: the program prints `text` and exits.
struct early_exit {
  int exit_code = 0;
  std::string text;
  bool to_stderr = false;
};

/// The exit code of a run whose settings are wrong.
inline constexpr int exit_bad_config = 2;

using parse_result = std::variant<run_options, early_exit>;

/// Makes the settings from the defaults, the config files that the arguments name, the environment
/// ("NAME=value", of which only HERALD_* counts) and the arguments (without the program's name);
/// the later beats the earlier. Whatever is wrong ends the run with `exit_bad_config` and one line
/// for standard error that names the key as it was written. Reads the files, those of secrets too,
/// and does nothing else; `key` as the first argument makes a key of the API (see key_command.hpp).
[[nodiscard]] parse_result load_config(
  std::span<const std::string_view> arguments, std::span<const std::string_view> environment);

/// The same from what main has; `environment` is ended by a null pointer.
[[nodiscard]] parse_result
load_config(int argc, const char* const* argv, const char* const* environment);

} // namespace herald
