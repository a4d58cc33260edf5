#include "actors/system/random_source.hpp"

#include <random>

namespace herald {

random_source make_random_source() {
  return [engine = std::mt19937_64{std::random_device{}()}]() mutable {
    return std::uniform_real_distribution<double>{0.0, 1.0}(engine);
  };
}

} // namespace herald
