#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace herald {

/// To every part that takes work: refuse new work from outside, finish what is under way. The
/// answer comes when nothing is under way any more.
struct begin_shutdown {};

/// To a part that queues: answered when everything queued before has gone out or has failed.
struct flush {};

/// From a supervised actor: a handler threw. The inside is gone, the mailbox is kept.
struct child_failed {
  std::string name;
  /// Counts the insides of this child, from 1.
  std::uint64_t generation = 0;
  std::string what;
};

/// From a supervised actor: its inside is built anew, the mailbox is being handled again.
struct child_restarted {
  std::string name;
};

/// To a supervised actor: build the inside anew. An order for another generation than the failed
/// one is stale and ignored.
struct restart_inside {
  std::uint64_t generation = 0;
};

/// To a supervised actor, or to the supervisor for all of them.
struct get_actor_status {};

enum class actor_state : std::uint8_t { running, restarting, stopped };

[[nodiscard]] std::string_view to_string(actor_state state);

struct actor_status {
  std::string name;
  actor_state state = actor_state::running;
  std::size_t restarts = 0;
  std::string last_error;
};

struct actor_tree {
  std::vector<actor_status> children;
};

} // namespace herald
