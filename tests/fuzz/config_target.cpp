// Config files, and the values of flags and variables.

#include <string>

#include "http/config/config_file.hpp"
#include "http/config/settings.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

HERALD_FUZZ_TARGET(config, input) {
  config settings;
  if (const auto complaint = apply_config_file(settings, input)) {
    require(complaint->find('\n') == std::string::npos, "a complaint of more than one line");
    require(!complaint->empty(), "a complaint without words");
  } else {
    // What is printed says the same, secrets aside, which are masked.
    settings.callback.secret.clear();
    const auto printed = print_config(settings);
    config again;
    require(!apply_config_file(again, printed), "what is printed is not a good file");
    require(print_config(again) == printed, "what is printed says something else");
    (void)validate(settings);
  }

  input_reader in{input};
  const auto all = herald::settings();
  const auto& setting = all[in.byte() % all.size()];
  if (setting.file_only())
    return;
  config one;
  if (const auto complaint = assign_text(one, setting, in.rest())) {
    require(complaint->find('\n') == std::string::npos, "a complaint of more than one line");
    return;
  }
  config two;
  require(!assign(two, setting, value_of(one, setting)), "a value that was taken is refused");
  require(value_of(one, setting) == value_of(two, setting), "a value has changed");
}

} // namespace herald::fuzz
