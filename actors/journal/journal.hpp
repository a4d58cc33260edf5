#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <caf/response_promise.hpp>

#include "actors/journal/journal_backlog.hpp"
#include "actors/journal/journal_options.hpp"
#include "actors/journal/journal_store.hpp"
#include "actors/supervision/shell.hpp"
#include "actors/telemetry/metrics.hpp"
#include "messages/actors.hpp"

namespace herald {

/// The inside of the journal: writes entries in groups, a transaction each.
///
/// Entries that come while a group is being written wait in the mailbox, and make up the next one:
/// the more there are, the less each costs, and none waits for longer than two groups take.
///
/// A group that cannot be written is answered so. Its events are dropped, with them steps of tasks;
/// all other entries, broadcasts of versions among them, are kept (`journal_backlog`), and written
/// as soon as the store can be written again.
///
/// A copy is made piece by piece, with all that is in the mailbox between two pieces.
class journal {
public:
  using interface =
    file_journal_actor::extend<caf::reacts_to<commit_entries>, caf::reacts_to<copy_more>>;
  using shell_type = shell<interface, journal>;

  /// Outlives a restart of the inside.
  class state;

  journal(self_pointer<interface> self, std::shared_ptr<state> kept);

  static shell_type::behavior_type behavior(shell_type& s);

  /// Builds insides for `spawn_supervised`.
  static shell_type::builder
  builder(std::unique_ptr<journal_store> store, journal_options options, metrics& numbers);

  void record(const record_entries& command);
  void commit(const commit_entries& order);
  result<void> flush(const herald::flush& command);
  result<journal_backup> back_up(const back_up_journal& command);
  void copy(const copy_more& order);

private:
  void schedule();
  void schedule_copy();
  void write();

  self_pointer<interface> self_;
  std::shared_ptr<state> state_;
  /// The order to write that is in the mailbox, and the one that comes later; 0 if there is none.
  std::uint64_t turn_ = 0;
  std::uint64_t retry_ = 0;
  /// The order to copy that is in the mailbox; 0 if there is none.
  std::uint64_t copy_turn_ = 0;
};

/// Spawns the journal, on a thread of its own: it waits for the disk.
[[nodiscard]] supervised<file_journal_actor> spawn_journal(
  caf::actor_system& system, shell_options shell, std::unique_ptr<journal_store> store,
  journal_options options, metrics& numbers);

} // namespace herald
