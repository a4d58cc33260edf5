#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <prometheus/counter.h>

#include "actors/telemetry/metrics.hpp"
#include "http/admission/replay_budget.hpp"
#include "http/auth/client_rates.hpp"
#include "http/auth/limit_settings.hpp"
#include "http/sockets/host_address.hpp"
#include "messages/history.hpp"

namespace herald {

/// What each client of the stream port may do within a time, over all loops: open streams, fail to,
/// be sent again what it has missed. By address, and by the subject of its credential. Every table
/// is bounded; a metric says which of them had to forget somebody. Safe from any thread.
class client_limits {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `replays_of_address` bytes in a minute (`stream.replay_per_minute_bytes`).
  client_limits(std::size_t replays_of_address, const limit_settings& each, metrics& numbers);

  /// Other limits from now on.
  void change(const limit_settings& each);

  // How long who asks has to wait; zero: not at all, and it counts. Nothing for a client that is
  // counted to no address.

  [[nodiscard]] std::chrono::milliseconds
  open_from(const std::optional<client_address>& client, time_point now);
  /// For a subject as it is counted (`counted_as_subject`).
  [[nodiscard]] std::chrono::milliseconds open_as(const client_address& subject, time_point now);

  /// How long a client has to wait before a credential of its is looked at; zero: not at all.
  [[nodiscard]] std::chrono::milliseconds
  wait_after_failures(const std::optional<client_address>& client, time_point now);
  /// A credential of the client was not good.
  void note_failure(const std::optional<client_address>& client, time_point now);

  /// Who is sent something again: by its address, or its page where that is not counted, and by its
  /// subject.
  struct replayed {
    client_address client{};
    std::optional<client_address> subject = std::nullopt;
  };
  enum class limit : std::uint8_t { none, of_address, of_subject };
  /// Which limit keeps a client from being sent all of this; none: it is, and it counts.
  [[nodiscard]] limit replay(const replayed& who, const missed_events& all, time_point now);

private:
  enum class table : std::uint8_t { opens, subject_opens, replays, subject_replays };
  static constexpr std::size_t tables = 4;

  void count_forgotten(table where, bool forgot);
  [[nodiscard]] bool spend(
    replay_budget& budget, table which, const client_address& who, std::size_t bytes,
    time_point now);

  const std::size_t replays_of_address_;
  client_rates failures_;
  client_rates opens_;
  client_rates subject_opens_;
  replay_budget replays_;
  replay_budget subject_replays_;
  prometheus::Counter& failures_forgotten_;
  std::array<prometheus::Counter*, tables> forgotten_{};
};

} // namespace herald
