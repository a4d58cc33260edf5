#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "tests/bench/swarm/options.hpp"
#include "tests/bench/swarm/run.hpp"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments{argv + 1, argv + argc};
  if (arguments.size() == 1 && arguments.front() == "--help") {
    std::cout << herald::bench::usage();
    return EXIT_SUCCESS;
  }
  try {
    const auto options = herald::bench::read_options(arguments);
    std::cout << herald::bench::report(options, herald::bench::run(options)) << std::endl;
    return EXIT_SUCCESS;
  } catch (const std::exception& e) {
    std::cerr << "swarm: " << e.what() << "\n";
    return EXIT_FAILURE;
  }
}
