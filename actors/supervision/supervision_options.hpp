#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "messages/supervision.hpp"

namespace herald {

/// Which children are restarted when one has failed: that one alone.
enum class supervision_strategy : std::uint8_t { one_for_one };

/// Which command from outside is refused while too many messages wait for an actor.
enum class when_full : std::uint8_t {
  reject,      ///< the new one is refused
  drop_oldest, ///< the one that has waited longest is
};

struct mailbox_limit {
  /// Messages that may wait; with more, commands from outside are refused. 0: no limit.
  std::size_t max = 100'000;
  when_full action = when_full::reject;
};

/// How one kind of child is supervised (`supervision.children.NAME`).
struct child_options {
  restart_type restart = restart_type::permanent;
  /// A child that does not end within this time is left behind.
  std::chrono::milliseconds shutdown_ms{2000};
  /// Before the first restart in a row; doubles with each further one ...
  std::chrono::milliseconds min_backoff_ms{10};
  /// ... up to this. A child that has run for this long without a failure starts anew.
  std::chrono::milliseconds max_backoff_ms{5000};
  /// Each backoff is longer by a random part of up to this, so that restarts do not coincide.
  double random_factor = 0.2;
  mailbox_limit mailbox;
};

/// By kind of child.
using child_options_map = std::map<std::string, child_options, std::less<>>;

/// A kind of child that herald has.
struct child_kind {
  std::string_view name;
  /// The setting that says how many there are; empty: one at most.
  std::string_view instances_setting;
  /// Whether some of what it is told comes from outside and may be refused.
  bool refuses = false;
  child_options defaults;
};

/// Every kind of child, in the order of their start: each after all that it depends on. They end in
/// the opposite order.
[[nodiscard]] std::span<const child_kind> child_kinds();

/// The kind of this name, or null.
[[nodiscard]] const child_kind* find_child_kind(std::string_view name);

/// The place of a kind in the order of start; after all others where it is not known.
[[nodiscard]] std::size_t start_order(std::string_view kind);

[[nodiscard]] child_options_map default_children();

/// How a supervisor works (settings `supervision`).
struct supervision_options {
  /// At most this many restarts of all children together ...
  std::size_t intensity = 10;
  /// ... within this time; one more escalates.
  std::chrono::milliseconds period_ms{60'000};
  /// How many there are of a child is another setting: `gateway.senders`, for one.
  child_options_map children = default_children();
  supervision_strategy strategy = supervision_strategy::one_for_one;

  /// The options of a kind; the defaults of a child where it is not known.
  [[nodiscard]] const child_options& of(std::string_view kind) const;
};

} // namespace herald
