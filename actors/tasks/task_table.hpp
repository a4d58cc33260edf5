#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "messages/errors.hpp"
#include "messages/tasks.hpp"

namespace herald {

/// One moment on both clocks: the one that deadlines are counted on, and the one that APIs show.
struct task_moment {
  std::chrono::steady_clock::time_point at;
  wall_time wall;
};

struct task_table_limits {
  /// How long an ended task can still be asked for.
  std::chrono::milliseconds retention{};
  /// Ended tasks that are kept at most, at least 1; the one that ended first makes room.
  std::size_t max_ended = 0;
  /// The same of their bytes; the one that ended last stays.
  std::size_t max_ended_bytes = std::numeric_limits<std::size_t>::max();
};

/// The state of every task: pending -> running -> completed | failed | cancelled, and pending ->
/// failed | cancelled. Progress never falls. Ended tasks are forgotten after their retention.
///
/// Moments must not go back from call to call. Every operation gives the strong guarantee: one that
/// throws or refuses changes nothing.
class task_table {
public:
  explicit task_table(task_table_limits limits) : limits_(limits) {}

  /// Who is told of a task.
  struct listeners {
    /// Null: everyone.
    audience_ptr to = nullptr;
    /// False: nobody.
    bool told = true;
  };

  /// Adds a pending task. False if the id is taken.
  bool add(const task_id& id, std::string type, bool external, listeners who);
  bool add(const task_id& id, std::string type, bool external) {
    return add(id, std::move(type), external, {});
  }

  /// A task of a former life, as it was left.
  struct former {
    task_view view;
    bool external = false;
    /// Where in this life's time it was started and ended; before its beginning.
    std::chrono::steady_clock::time_point started_at;
    std::chrono::steady_clock::time_point ended_at;
  };
  /// Fills an empty table, in the order of `add`.
  void restore(std::vector<former>&& tasks);

  /// `ec::none`, `ec::no_such_task`, `ec::task_ended`, or `ec::internal` for a step that the state
  /// machine does not have.
  [[nodiscard]] ec start(const task_id& id, const task_moment& now);
  [[nodiscard]] ec complete(const task_id& id, std::string result_json, const task_moment& now);
  [[nodiscard]] ec fail(const task_id& id, std::string error, const task_moment& now);
  [[nodiscard]] ec cancel(const task_id& id, const task_moment& now);

  /// Takes a report on a running task: `value` is clamped to [0, 1] and to what was reported
  /// before. True if anything that is shown differs now; nothing does for a task that does not run.
  [[nodiscard]] bool
  progress(const task_id& id, double value, const std::optional<std::string>& text);

  /// An event tells of a task that is there, as it is now: gives the task with its `seq`, one
  /// higher than before.
  const task_view& note_event(const task_id& id);

  /// `ec::none`, `ec::no_such_task` or `ec::task_not_ended`.
  [[nodiscard]] ec remove(const task_id& id);

  /// Forgets a pending task as if it had never been added. False if it is not pending.
  bool withdraw(const task_id& id);

  /// Forgets what has been kept for the retention; gives their number.
  std::size_t expire(std::chrono::steady_clock::time_point now);
  /// When `expire` has something to do next.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next_expiry() const;

  /// Null for an unknown task. Valid until the task is removed or expires.
  [[nodiscard]] const task_view* find(const task_id& id) const;
  [[nodiscard]] bool is_external(const task_id& id) const;
  /// How long an ended task ran; nothing if it never did.
  [[nodiscard]] std::optional<std::chrono::steady_clock::duration> ran(const task_id& id) const;
  [[nodiscard]] task_page list(std::uint64_t after, std::size_t limit) const;

  [[nodiscard]] std::size_t size() const noexcept { return tasks_.size(); }
  [[nodiscard]] std::size_t pending() const noexcept { return pending_; }
  [[nodiscard]] std::size_t running() const noexcept { return running_; }
  [[nodiscard]] std::size_t running_external() const noexcept { return running_external_; }
  /// Of ended tasks: texts, and what keeping one costs besides.
  [[nodiscard]] std::size_t ended_bytes() const noexcept { return ended_bytes_; }
  /// Ended tasks that had to make room before their time.
  [[nodiscard]] std::size_t evicted() const noexcept { return evicted_; }
  /// Tasks that were forgotten, in whatever way, since the last call.
  [[nodiscard]] std::vector<task_id> take_forgotten();
  /// Ids of the tasks that run, in the order of their start commands.
  [[nodiscard]] std::vector<task_id> running_ids() const;

  /// What is wrong with the table, or nothing.
  [[nodiscard]] std::optional<std::string> check() const;

private:
  using time_point = std::chrono::steady_clock::time_point;
  /// The place in the order of `add`, from 1; also the cursor of `list`.
  using place = std::uint64_t;

  /// The place in the order of ending, from 1.
  using ending = std::uint64_t;

  struct entry {
    task_view view;
    bool external = false;
    time_point started_at;
    time_point ended_at;
    ending ended = 0;
  };

  [[nodiscard]] const entry* entry_of(const task_id& id) const;
  [[nodiscard]] entry* entry_of(const task_id& id);
  /// Ends the task; `outcome` goes to the result or the error, as `status` says.
  ec end(const task_id& id, task_status status, std::string outcome, const task_moment& now);
  /// Takes the task out of the count of its state.
  void leave(const entry& task) noexcept;
  static std::size_t cost(const entry& task) noexcept;
  [[nodiscard]] bool too_many_ended() const noexcept;
  void make_room() noexcept;
  void forget(std::map<place, entry>::iterator task) noexcept;

  task_table_limits limits_;
  std::map<place, entry> tasks_;
  std::unordered_map<task_id, place> places_;
  std::map<ending, place> ended_;
  /// Moved here, since forgetting must not fail.
  std::map<place, entry> forgotten_;
  place last_place_ = 0;
  ending last_ending_ = 0;
  std::size_t pending_ = 0;
  std::size_t running_ = 0;
  std::size_t running_external_ = 0;
  std::size_t evicted_ = 0;
  std::size_t ended_bytes_ = 0;
};

} // namespace herald
