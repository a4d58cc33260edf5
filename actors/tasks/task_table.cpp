#include "actors/tasks/task_table.hpp"

#include <algorithm>
#include <utility>

namespace herald {

bool task_table::add(const task_id& id, std::string type, bool external, listeners who) {
  const auto where = last_place_ + 1;
  const auto [known, added] = places_.try_emplace(id, where);
  if (!added)
    return false;
  try {
    auto& task = tasks_[where];
    task.external = external;
    task.view.type = std::move(type);
    task.view.to = std::move(who.to);
    task.view.told = who.told;
    task.view.id = id;
  } catch (...) {
    tasks_.erase(where);
    places_.erase(known);
    throw;
  }
  last_place_ = where;
  ++pending_;
  return true;
}

ec task_table::start(const task_id& id, const task_moment& now) {
  auto* task = entry_of(id);
  if (task == nullptr)
    return ec::no_such_task;
  if (is_final(task->view.status))
    return ec::task_ended;
  if (task->view.status != task_status::pending)
    return ec::internal;
  task->view.status = task_status::running;
  task->view.start_time = now.wall;
  task->started_at = now.at;
  --pending_;
  ++running_;
  if (task->external)
    ++running_external_;
  return ec::none;
}

ec task_table::complete(const task_id& id, std::string result_json, const task_moment& now) {
  const auto* task = entry_of(id);
  if (task != nullptr && task->view.status == task_status::pending)
    return ec::internal;
  return end(id, task_status::completed, std::move(result_json), now);
}

ec task_table::fail(const task_id& id, std::string error, const task_moment& now) {
  return end(id, task_status::failed, std::move(error), now);
}

ec task_table::cancel(const task_id& id, const task_moment& now) {
  return end(id, task_status::cancelled, {}, now);
}

bool task_table::progress(const task_id& id, double value, const std::optional<std::string>& text) {
  auto* task = entry_of(id);
  if (task == nullptr || task->view.status != task_status::running)
    return false;
  auto& view = task->view;
  // Not a number compares false and leaves the progress where it is.
  const auto risen = value > view.progress ? std::min(value, 1.0) : view.progress;
  const bool new_text = text && *text != view.progress_text;
  const bool changed = new_text || risen > view.progress;
  if (new_text)
    view.progress_text = *text;
  view.progress = risen;
  return changed;
}

const task_view& task_table::note_event(const task_id& id) {
  auto& view = tasks_.at(places_.at(id)).view;
  ++view.seq;
  return view;
}

ec task_table::remove(const task_id& id) {
  const auto where = places_.find(id);
  if (where == places_.end())
    return ec::no_such_task;
  const auto task = tasks_.find(where->second);
  if (!is_final(task->second.view.status))
    return ec::task_not_ended;
  forget(task);
  return ec::none;
}

bool task_table::withdraw(const task_id& id) {
  const auto where = places_.find(id);
  if (where == places_.end())
    return false;
  const auto task = tasks_.find(where->second);
  if (task->second.view.status != task_status::pending)
    return false;
  leave(task->second);
  forget(task);
  return true;
}

void task_table::restore(std::vector<former>&& tasks) {
  // All that can throw comes first, so that a failure leaves the table empty and the tasks whole.
  task_table made{limits_};
  std::vector<task_view*> views;
  std::multimap<time_point, place> by_end;
  for (auto& [view, external, started_at, ended_at] : tasks) {
    if (!made.places_.try_emplace(view.id, made.last_place_ + 1).second)
      continue;
    views.push_back(&view);
    ++made.last_place_;
    made.pending_ += view.status == task_status::pending ? 1 : 0;
    made.running_ += view.status == task_status::running ? 1 : 0;
    made.running_external_ += view.status == task_status::running && external ? 1 : 0;
    if (is_final(view.status))
      by_end.emplace(ended_at, made.last_place_);
    made.tasks_.emplace(made.last_place_, entry{{}, external, started_at, ended_at, 0});
  }
  for (const auto& [at, where] : by_end)
    made.ended_.emplace(++made.last_ending_, where);

  auto next = views.begin();
  for (auto& [where, task] : made.tasks_)
    task.view = std::move(**next++);
  for (const auto& [ending, where] : made.ended_) {
    auto& task = made.tasks_.find(where)->second;
    task.ended = ending;
    made.ended_bytes_ += cost(task);
  }
  made.make_room();
  *this = std::move(made);
}

std::vector<task_id> task_table::take_forgotten() {
  std::vector<task_id> ids;
  ids.reserve(forgotten_.size());
  for (auto& [where, task] : forgotten_)
    ids.push_back(std::move(task.view.id));
  forgotten_.clear();
  return ids;
}

std::size_t task_table::expire(time_point now) {
  std::size_t forgotten = 0;
  for (auto next = next_expiry(); next && *next <= now; next = next_expiry()) {
    forget(tasks_.find(ended_.begin()->second));
    ++forgotten;
  }
  return forgotten;
}

std::optional<std::chrono::steady_clock::time_point> task_table::next_expiry() const {
  if (ended_.empty())
    return std::nullopt;
  return tasks_.at(ended_.begin()->second).ended_at + limits_.retention;
}

const task_view* task_table::find(const task_id& id) const {
  const auto* task = entry_of(id);
  return task == nullptr ? nullptr : &task->view;
}

bool task_table::is_external(const task_id& id) const {
  const auto* task = entry_of(id);
  return task != nullptr && task->external;
}

std::optional<std::chrono::steady_clock::duration> task_table::ran(const task_id& id) const {
  const auto* task = entry_of(id);
  if (task == nullptr || !is_final(task->view.status) || !task->view.start_time)
    return std::nullopt;
  return task->ended_at - task->started_at;
}

task_page task_table::list(std::uint64_t after, std::size_t limit) const {
  task_page page;
  page.total = tasks_.size();
  auto task = tasks_.upper_bound(after);
  place last = after;
  for (; task != tasks_.end() && page.tasks.size() < limit; ++task) {
    page.tasks.push_back(task->second.view);
    last = task->first;
  }
  if (task != tasks_.end())
    page.next = last;
  return page;
}

std::vector<task_id> task_table::running_ids() const {
  std::vector<task_id> ids;
  for (const auto& [where, task] : tasks_)
    if (task.view.status == task_status::running)
      ids.push_back(task.view.id);
  return ids;
}

std::optional<std::string> task_table::check() const {
  std::size_t pending = 0;
  std::size_t running = 0;
  std::size_t external = 0;
  std::size_t ended = 0;
  std::size_t ended_bytes = 0;
  for (const auto& [where, task] : tasks_) {
    const auto& view = task.view;
    const auto known = places_.find(view.id);
    if (known == places_.end() || known->second != where || where > last_place_)
      return "a task is not in its place";
    if (!(view.progress >= 0.0 && view.progress <= 1.0))
      return "a task's progress is out of range";
    if (is_final(view.status) != view.end_time.has_value())
      return "a task's end time does not fit its status";
    if (!view.told && (view.seq != 0 || view.to))
      return "a task that nobody is told of has events";
    const auto ending = ended_.find(task.ended);
    if (is_final(view.status) && (ending == ended_.end() || ending->second != where))
      return "an ended task never expires";
    pending += view.status == task_status::pending ? 1 : 0;
    running += view.status == task_status::running ? 1 : 0;
    external += view.status == task_status::running && task.external ? 1 : 0;
    ended += is_final(view.status) ? 1 : 0;
    ended_bytes += is_final(view.status) ? cost(task) : 0;
  }
  if (places_.size() != tasks_.size() || ended_.size() != ended)
    return "an index is out of step";
  if (pending != pending_ || running != running_ || external != running_external_)
    return "a count is wrong";
  if (ended_bytes != ended_bytes_)
    return "the bytes of ended tasks are miscounted";
  if (too_many_ended())
    return "more ended tasks than allowed";
  return std::nullopt;
}

const task_table::entry* task_table::entry_of(const task_id& id) const {
  const auto where = places_.find(id);
  return where == places_.end() ? nullptr : &tasks_.at(where->second);
}

task_table::entry* task_table::entry_of(const task_id& id) {
  const auto where = places_.find(id);
  return where == places_.end() ? nullptr : &tasks_.at(where->second);
}

ec task_table::end(
  const task_id& id, task_status status, std::string outcome, const task_moment& now) {
  const auto where = places_.find(id);
  if (where == places_.end())
    return ec::no_such_task;
  auto& task = tasks_.at(where->second);
  if (is_final(task.view.status))
    return ec::task_ended;
  ended_.emplace(last_ending_ + 1, where->second); // the only step that can throw comes first
  leave(task);
  task.ended = ++last_ending_;
  task.view.status = status;
  task.view.end_time = now.wall;
  task.ended_at = now.at;
  if (status == task_status::completed)
    task.view.result_json = std::move(outcome);
  else
    task.view.error = std::move(outcome);
  ended_bytes_ += cost(task);
  make_room();
  return ec::none;
}

/// Of one that has ended: it does not change any more.
std::size_t task_table::cost(const entry& task) noexcept {
  // Of the nodes of three maps, which have the id once more.
  constexpr std::size_t nodes = sizeof(entry) + sizeof(task_id) + 20 * sizeof(void*);
  const auto& view = task.view;
  return nodes + 2 * view.id.str().size() + view.type.size() + view.progress_text.size()
         + view.result_json.size() + view.error.size()
         + (view.to ? sizeof(audience) + view.to->bytes() : 0);
}

bool task_table::too_many_ended() const noexcept {
  return ended_.size() > limits_.max_ended
         || (ended_bytes_ > limits_.max_ended_bytes && ended_.size() > 1);
}

void task_table::make_room() noexcept {
  while (too_many_ended()) {
    forget(tasks_.find(ended_.begin()->second));
    ++evicted_;
  }
}

void task_table::leave(const entry& task) noexcept {
  if (task.view.status == task_status::pending) {
    --pending_;
    return;
  }
  --running_;
  if (task.external)
    --running_external_;
}

void task_table::forget(std::map<place, entry>::iterator task) noexcept {
  if (ended_.erase(task->second.ended) != 0)
    ended_bytes_ -= cost(task->second);
  places_.erase(task->second.view.id);
  forgotten_.insert(tasks_.extract(task));
}

} // namespace herald
