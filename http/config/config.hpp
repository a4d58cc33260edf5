#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/journal/journal_options.hpp"
#include "actors/supervision/supervision_options.hpp"
#include "actors/telemetry/log.hpp"

namespace herald {

/// Everything that can be set, with its default. `config.stream.port` is the setting `stream.port`;
/// the table in settings_table.cpp gives each its rule and its help. A setting is added here, and
/// by a row there; flag, variable, `--help` and the documentation follow from the row.
struct config {
  static constexpr std::size_t kib = 1024;
  static constexpr std::size_t mib = 1024 * kib;

  struct api_config {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8080;
    std::size_t max_connections = 1024;
    std::size_t max_waiting_connections = 4096;
    std::size_t max_body_bytes = 8 * mib;
    std::size_t max_event_bytes = 256 * kib;
  } api;

  struct stream_config {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8081;
    /// 0: one per core.
    std::size_t threads = 0;
    std::chrono::seconds heartbeat_s{15};
    /// 0: when the kernel does, after a quarter of an hour.
    std::chrono::seconds unreachable_s{30};
    std::chrono::milliseconds retry_ms{3000};
    /// Empty: no CORS headers. "*": everybody.
    std::vector<std::string> cors_origins = {"*"};
    std::size_t max_streams = 200'000;
    /// 0: no limit. Behind a reverse proxy all streams come from one address.
    std::size_t max_streams_per_address = 0;
    std::size_t max_head_bytes = 8 * kib;
    std::chrono::milliseconds head_timeout_ms{10'000};
    std::size_t max_heads = 4096;
    std::size_t max_openings = 4096;
    bool io_uring = true;
    std::size_t log_bytes = 8 * mib;
    std::size_t private_queue_bytes = mib;
  } stream;

  struct gateway_config {
    /// Base URL of an external SSE Gateway; empty: herald's own endpoint.
    std::string url;
    std::chrono::milliseconds timeout_ms{5000};
    std::size_t senders = 8;
    std::chrono::milliseconds retry_ms{5000};
    std::size_t max_queue_events = 250'000;
    std::size_t max_queue_bytes = 64 * mib;
    std::size_t max_stream_events = 10'000;
    std::size_t max_stream_bytes = 8 * mib;
    /// 0: never.
    std::chrono::seconds probe_interval_s{60};
  } gateway;

  struct callback_config {
    std::string secret;
    /// Whole URL of a backend's callback; set, it makes herald stand in for an SSE Gateway.
    std::string url;
    std::chrono::milliseconds timeout_ms{5000};
    std::size_t max_in_flight = 256;
    std::size_t max_queued = 50'000;
  } callback;

  struct history_config {
    /// 0: nothing is kept.
    std::size_t max_events = 10'000;
    std::size_t max_bytes = 16 * mib;
    std::chrono::seconds max_age_s{300};
  } history;

  struct journal_config {
    /// Empty: nothing outlives the process.
    std::string path;
    journal_sync sync = journal_sync::full;
    std::size_t max_queue_events = 200'000;
    std::size_t max_queue_bytes = 64 * mib;
  } journal;

  struct version_config {
    std::string url;
    std::size_t max_pending = 100'000;
  } version;

  /// A task type whose work is done by a program.
  struct command {
    std::vector<std::string> argv;
    /// Empty: where herald runs.
    std::string cwd;
    /// Added to the few variables that every command gets; herald's own are not handed down.
    std::map<std::string, std::string> env;
    /// Nothing: `tasks.timeout_s`. 0: no limit.
    std::optional<std::chrono::seconds> timeout_s;

    friend bool operator==(const command&, const command&) = default;
  };
  using command_map = std::map<std::string, command>;

  struct tasks_config {
    std::size_t workers = 4;
    /// 0: no limit.
    std::chrono::seconds timeout_s{300};
    std::chrono::seconds retention_s{600};
    std::chrono::milliseconds kill_after_ms{2000};
    std::size_t max_pending = 1000;
    std::size_t max_external = 1000;
    std::size_t max_ended = 10'000;
    /// 0: no limit.
    std::chrono::seconds external_timeout_s{3600};
    command_map commands;
  } tasks;

  /// How many there are of a child is another setting: `gateway.senders`, for one.
  struct supervision_config {
    supervision_strategy strategy = supervision_strategy::one_for_one;
    std::size_t intensity = 10;
    std::chrono::milliseconds period_ms{60'000};
    child_options_map children = default_children();
  } supervision;

  struct shutdown_config {
    std::chrono::seconds grace_s{10};
    std::chrono::milliseconds retry_window_ms{10'000};
  } shutdown;

  struct log_config {
    herald::log::level level = herald::log::level::info;
    herald::log::format format = herald::log::format::text;
  } log;

  struct testing_config {
    bool enabled = false;
  } testing;
};

/// What `--print-config` shows instead of a secret. Not accepted as one.
inline constexpr const char* masked_secret = "***";

/// A rule that settings break together.
struct violation {
  /// The setting to change, e.g. "gateway.url".
  std::string key;
  /// The rule in words, naming every setting that it speaks of.
  std::string rule;
};

/// The first rule between settings that is broken, or nothing. Rules of one setting alone are
/// checked where it is read.
[[nodiscard]] std::optional<violation> validate(const config& c);

} // namespace herald
