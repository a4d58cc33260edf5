#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "actors/telemetry/metrics.hpp"
#include "http/keys/api_access.hpp"
#include "http/protocol/request_head.hpp"
#include "http/server/router.hpp"

namespace herald {

/// Answers a complete API request: asks whether it may be made, finds its route, runs the handler,
/// counts. Unknown paths (404), wrong methods (405), broken escapes and unknown parameters (400),
/// bodies of another type (415), OPTIONS and handlers that throw (500) are answered here. Safe from
/// many threads at once.
class api_dispatcher {
public:
  /// All routes must be there by now, and stay. `access` outlives it; null: everything may be
  /// asked.
  api_dispatcher(const router& routes, metrics& numbers, api_access* access = nullptr);
  ~api_dispatcher();

  /// Whether a route with `reserved` answers it.
  [[nodiscard]] bool is_reserved(const request_head& head) const;

  /// What is answered to a request that may not be made, before its body is there; the same is
  /// found by `answer`. Counts it.
  [[nodiscard]] std::optional<api_reply>
  refusal(const request_head& head, const client_address& from);

  [[nodiscard]] api_reply
  answer(const request_head& head, std::string body, const client_address& from = {});

private:
  struct route_numbers;

  [[nodiscard]] router::match match_of(const request_head& head) const;
  [[nodiscard]] api_reply
  carry_out(const request_head& head, std::string body, router::match& match, api_caller_ptr by);
  void count(const request_head& head, const router::match& match, int status);

  const router& routes_;
  metrics& metrics_;
  api_access* const access_;
  std::unordered_map<const router::route*, std::unique_ptr<route_numbers>> numbers_;
};

} // namespace herald
