// herald_floor LOOPS: a floor under what a server of streams can cost. Prints its port.

#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sched.h>

#include "http/sockets/descriptor_table.hpp"
#include "http/sockets/listeners.hpp"
#include "tests/bench/floor/floor_loop.hpp"

namespace {

using herald::bench::floor_loop;

void run(std::size_t count) {
  herald::raise_descriptor_limit();
  auto doors = herald::listen_on("127.0.0.1", 0, count);
  std::vector<std::unique_ptr<floor_loop>> loops;
  for (auto& door : doors.sets)
    loops.push_back(std::make_unique<floor_loop>(door.front().release()));
  for (const auto& loop : loops) {
    std::vector<floor_loop*> others;
    for (const auto& other : loops)
      if (other != loop)
        others.push_back(other.get());
    loop->join(others);
  }
  std::cout << doors.port << std::endl;

  // Alone in its process a loop has the descriptors for itself.
  if (count == 1)
    loops.front()->run();
  std::vector<std::thread> threads;
  for (const auto& loop : loops)
    threads.emplace_back([&loop] {
      // Several can serve more streams than a table has descriptors.
      ::unshare(CLONE_FILES);
      loop->run();
    });
  for (auto& thread : threads)
    thread.join();
}

} // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? std::stoul(argv[1]) : 1);
  } catch (const std::exception& e) {
    std::cerr << "floor: " << e.what() << "\n";
    return EXIT_FAILURE;
  }
}
