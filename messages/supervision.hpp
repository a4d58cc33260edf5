#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace herald {

/// To every part that takes work: refuse new work from outside, finish what is under way. The
/// answer comes when nothing is under way any more.
struct begin_shutdown {};

/// To a part that queues: answered when everything queued before has gone out or has failed.
struct flush {};

/// What becomes of a child that ends: the terms of Erlang/OTP.
enum class restart_type : std::uint8_t {
  permanent, ///< always restarted; herald is nothing without it
  transient, ///< restarted after a failure; it may end by itself
  temporary, ///< never restarted; herald goes on without it
};

[[nodiscard]] std::string_view to_string(restart_type type);

/// How many messages wait for an actor; counted by many threads, shown to all.
using mailbox_depth = std::atomic<std::int64_t>;

/// From a supervised actor: a handler threw. The inside is gone, the mailbox is kept.
struct child_failed {
  std::string name;
  /// Counts the insides of this child, from 1.
  std::uint64_t generation = 0;
  std::string what;
  /// What outlives the inside is damaged: another inside would fail likewise.
  bool damaged = false;
};

/// From a supervised actor: its inside is built anew, the mailbox is being handled again.
struct child_restarted {
  std::string name;
};

/// To a supervised actor that has failed. An order for another generation than the failed one is
/// stale and ignored.
struct inside_order {
  enum class kind : std::uint8_t {
    restart, ///< build the inside anew
    stop,    ///< stay without one, and answer whoever asks with an error
  };
  kind what = kind::restart;
  std::uint64_t generation = 0;
};

/// To the supervisor: end all children, dependents before what they depend on. Answered with a
/// `stop_report` once each has ended or has had its time.
struct stop_children {};

/// From the supervisor to itself: those who should have ended in a step of the stop had their time.
struct stop_overdue {
  std::size_t step = 0;
};

struct stop_report {
  /// Children that did not end in time.
  std::vector<std::string> left_behind;
};

/// To the supervisor: how are all children?
struct get_actor_status {};

enum class actor_state : std::uint8_t { running, restarting, stopped };

[[nodiscard]] std::string_view to_string(actor_state state);

struct actor_status {
  std::string name;
  actor_state state = actor_state::running;
  std::size_t restarts = 0;
  std::string last_error;
  /// What it is one of, e.g. "gateway-sender" for "gateway-sender-3".
  std::string kind;
  restart_type restart = restart_type::permanent;
  std::size_t mailbox_depth = 0;
  /// 0: without a limit.
  std::size_t max_mailbox = 0;
};

/// The supervisor and its children, in the order of their start.
struct actor_tree {
  std::vector<actor_status> children;
  /// At most this many restarts of all children together ...
  std::size_t intensity = 0;
  /// ... within this time.
  std::chrono::milliseconds period{0};
};

/// Whether herald misses this actor: it is not running, and should be.
[[nodiscard]] bool is_missed(const actor_status& actor);

} // namespace herald
