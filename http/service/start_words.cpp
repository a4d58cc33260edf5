#include "http/service/start_words.hpp"

#include <algorithm>
#include <string_view>

#include "http/config/settings.hpp"

namespace herald {

namespace {

void wipe(char* text) {
  std::fill_n(text, std::string_view{text}.size(), '*');
}

/// Wipes a value behind `name=`.
void wipe_value(char* text, const std::string& name) {
  if (const std::string_view all{text}; all.starts_with(name + "="))
    wipe(text + name.size() + 1);
}

std::vector<std::string_view> views_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

} // namespace

start_words::start_words(int argc, char** argv, char** environment)
  : arguments_(argv + (argc > 0 ? 1 : 0), argv + argc) {
  for (; environment != nullptr && *environment != nullptr; ++environment)
    environment_.emplace_back(*environment);
}

parse_result start_words::load() const {
  return load_config(views_of(arguments_), views_of(environment_));
}

void start_words::hide_secrets(int argc, char** argv, char** environment) {
  for (const auto& s : settings()) {
    if (s.hide == secrecy::open)
      continue;
    for (auto* const* variable = environment; variable != nullptr && *variable != nullptr;
         ++variable)
      wipe_value(*variable, s.variable());
    for (int i = 1; i < argc; ++i) {
      wipe_value(argv[i], s.flag());
      if (argv[i] == s.flag() && i + 1 < argc)
        wipe(argv[i + 1]);
    }
  }
}

} // namespace herald
