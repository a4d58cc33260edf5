#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "actors/telemetry/metrics.hpp"
#include "http/auth/access_findings.hpp"
#include "http/fanout/stream_table.hpp"
#include "http/fanout/stream_tally.hpp"
#include "messages/events.hpp"

namespace herald {

/// The numbers of a loop: shared by all loops of the endpoint, except where a loop is named.
class stream_metrics : public access_findings {
public:
  enum class refusal : std::uint8_t {
    too_many,
    too_many_per_address,
    too_many_openings,
    malformed,
    head_too_large,
    head_timed_out,
    head_crowded_out,
    origin,
    host,
    not_found,
    method,
    invalid,
    by_owner,
    unanswered,
    shutting_down,
    kept_away,
    unauthorized,
    forbidden,
    key_unknown,
    too_many_per_subject,
    opens_per_address,
    opens_per_subject,
    failed_auth,
    application_away,
    too_many_questions,
  };

  stream_metrics(metrics& numbers, unsigned loop);

  prometheus::Counter& refused(refusal why) const {
    return *refused_.at(static_cast<std::size_t>(why));
  }
  prometheus::Counter& failed(service_type s) const {
    return *failed_.at(static_cast<std::size_t>(s));
  }
  prometheus::Histogram& duration(service_type s) const {
    return *duration_.at(static_cast<std::size_t>(s));
  }

  /// Counts what the loop's table has done since the last call.
  void count(const stream_tally& now);
  /// Shows how the loop stands: its streams, and the orders that wait.
  void show(const stream_table& streams, std::size_t orders) const;

  prometheus::Counter& accepted;
  prometheus::Counter& gathered;
  prometheus::Counter& accept_errors;
  prometheus::Counter& lagged;
  prometheus::Counter& unreachable;
  prometheus::Counter& overflowed;
  prometheus::Counter& bytes;
  prometheus::Counter& replayed;
  prometheus::Counter& replays_refused;
  prometheus::Counter& subject_replays_refused;
  /// Of one loop.
  prometheus::Gauge& open;
  prometheus::Gauge& blocked;
  prometheus::Gauge& log_bytes;
  prometheus::Gauge& private_bytes;
  prometheus::Gauge& backlog;

private:
  static constexpr std::size_t refusals = 25;

  std::array<prometheus::Counter*, refusals> refused_{};
  stream_tally counted_;
  std::array<prometheus::Counter*, service_type_count> sent_{};
  std::array<prometheus::Counter*, service_type_count> failed_{};
  std::array<prometheus::Histogram*, service_type_count> duration_{};
};

} // namespace herald
