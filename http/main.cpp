#include <cstdio>
#include <variant>

#include <unistd.h>

#include "http/command_line.hpp"

int main(int argc, char** argv) {
  const auto parsed = herald::load_config(argc, argv, environ);
  if (const auto* end = std::get_if<herald::early_exit>(&parsed)) {
    std::fputs(end->text.c_str(), end->to_stderr ? stderr : stdout);
    return end->exit_code;
  }
  return 0;
}
