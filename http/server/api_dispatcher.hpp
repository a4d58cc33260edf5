#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "actors/telemetry/metrics.hpp"
#include "http/protocol/request_head.hpp"
#include "http/server/router.hpp"

namespace herald {

/// Answers a complete API request: finds its route, runs the handler, counts. Unknown paths (404),
/// wrong methods (405), broken escapes and unknown parameters (400), bodies of another type (415),
/// OPTIONS and handlers that throw (500) are answered here. Safe from many threads at once.
class api_dispatcher {
public:
  /// All routes must be there by now, and stay.
  api_dispatcher(const router& routes, metrics& numbers);
  ~api_dispatcher();

  /// Whether a route with `reserved` answers it.
  [[nodiscard]] bool is_reserved(const request_head& head) const;

  [[nodiscard]] api_reply answer(const request_head& head, std::string body);

private:
  struct route_numbers;

  const router& routes_;
  metrics& metrics_;
  std::unordered_map<const router::route*, std::unique_ptr<route_numbers>> numbers_;
};

} // namespace herald
