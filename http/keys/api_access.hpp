#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/counter.h>

#include "actors/system/shared_value.hpp"
#include "actors/telemetry/metrics.hpp"
#include "http/auth/client_rates.hpp"
#include "http/keys/access_settings.hpp"
#include "http/keys/api_caller.hpp"
#include "http/keys/api_key_set.hpp"
#include "http/keys/scope_table.hpp"
#include "http/keys/task_seal.hpp"
#include "http/protocol/api_message.hpp"
#include "http/protocol/request_head.hpp"

namespace herald {

/// Who may speak, as the settings say it.
struct access_rules {
  std::vector<api_key> keys;
  limit_settings limits;
  std::string internal_secret;
  std::string callback_secret;
};

/// A request, as far as it matters who may make it.
struct access_question {
  const request_head& head;
  /// Of the route that takes it; empty: none does.
  std::string_view method;
  std::string_view pattern;
  const std::vector<std::string>& path_arguments;
  client_address from{};
};

/// Says of each request to the API whether it may be made, and logs and counts who asks. Without
/// keys everybody may do everything, but where a secret is set. Safe from many threads at once.
///
/// The log has a line for each act that the table of scopes calls audited, and for what is refused
/// (of one address so many a minute as may fail): who, which route, which target, why. Never a key,
/// a token or a secret, nor what comes in their place.
class api_access {
public:
  using time_point = std::chrono::steady_clock::time_point;

  struct verdict {
    /// Set where the request may not be made.
    std::optional<api_reply> refusal;
    /// Null where nobody is asked who they are.
    api_caller_ptr caller = nullptr;
  };

  api_access(access_rules rules, const task_seal& seal, metrics& numbers);

  /// From now on others hold. Keys whose rate stays have what is left of it.
  void replace(access_rules rules);

  /// Whether there is anything to ask. Costs nothing.
  [[nodiscard]] bool active() const noexcept { return active_; }
  /// Whether nothing is open.
  [[nodiscard]] bool has_keys() const;

  /// May be asked more than once of a request that may be made; a refusal is final and counted.
  [[nodiscard]] verdict check(const access_question& question, time_point now);

  /// What came of a request that could be made.
  void
  note(const access_question& question, const api_caller_ptr& caller, int status, time_point now);

private:
  enum class result : std::uint8_t {
    ok,
    missing,
    invalid,
    insufficient_scope,
    two_ways,
    limited,
    over_rate,
  };
  static constexpr std::size_t result_count = 7;

  struct state {
    access_rules rules;
    api_key_set keys;
  };

  void put(access_rules rules);
  [[nodiscard]] verdict check_key(
    const state& now_known, const access_question& question, const route_scope& row,
    time_point now);
  [[nodiscard]] verdict check_secret(
    const state& now_known, const access_question& question, const route_scope& row,
    time_point now);
  [[nodiscard]] verdict refuse(
    const access_question& question, result why, time_point now, std::string_view who,
    api_reply reply);
  [[nodiscard]] verdict
  refuse_wrong(const access_question& question, const route_scope& row, time_point now);
  [[nodiscard]] std::optional<verdict>
  refuse_early(const access_question& question, std::size_t ways, time_point now);
  void
  log_refusal(const access_question& question, result why, time_point now, std::string_view who);
  static std::string_view name_of(result which);

  const task_seal seal_;
  shared_value<state> state_;
  std::atomic<bool> active_{false};
  client_rates failed_;
  /// Lines of the log about refusals; counted as what has failed, so that nobody fills the log.
  client_rates told_;
  prometheus::Counter& forgotten_;
  std::array<prometheus::Counter*, result_count> counters_{};
};

/// 403 (RFC 6750 section 3.1), where what is asked for takes more than the key has.
[[nodiscard]] api_reply insufficient_scope(std::string_view detail, scope needs);

} // namespace herald
