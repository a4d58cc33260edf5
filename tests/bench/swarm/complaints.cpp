#include "tests/bench/swarm/complaints.hpp"

#include <atomic>
#include <iostream>
#include <string>

namespace herald::bench {

void complain(std::string_view what) {
  constexpr int worth_reading = 5;
  static std::atomic<int> written = 0;
  if (written.fetch_add(1) < worth_reading)
    std::cerr << "swarm: " + std::string{what} + "\n";
}

} // namespace herald::bench
