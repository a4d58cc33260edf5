#pragma once

#include <string>

#include "messages/events.hpp"

namespace herald::bench {

/// The data of an event as the rest of the bench sends it: JSON of about 200 bytes.
inline std::string sample_data() {
  return R"({"t":123456789012345,"seq":12345,"p":")" + std::string(160, 'x') + "\"}";
}

/// The body that publishes it.
inline std::string sample_body() {
  return R"({"event":"bench","data":)" + sample_data() + "}";
}

inline event sample_event() {
  event sample;
  sample.id = {1'700'000'000'000'000};
  sample.name = "bench";
  sample.data = sample_data();
  return sample;
}

} // namespace herald::bench
