#pragma once

#include <iterator>
#include <map>
#include <vector>

#include "messages/events.hpp"
#include "messages/journal.hpp"

namespace herald {

/// Beginnings and ends of tasks that nobody is told of, on their way to the journal. The file has a
/// task as it was recorded last: when that is written, all before it counts as written, too. Pure.
class silent_steps {
public:
  /// The task was recorded, with this ticket.
  void recorded(const task_id& id, ticket_id ticket) { tickets_.insert_or_assign(id, ticket); }

  /// The journal has answered. Calls `written(id)` for each task that is in the file as it was
  /// recorded last, and `failed(id, why)` for each that is to be recorded again.
  template <class Written, class Failed>
  void journal_answered(const entries_recorded& fact, Written&& written, Failed&& failed) {
    // The journal answers in order: a ticket that it has left out is lost.
    static const failure lost{ec::actor_failed, "the journal has failed", {}};
    for (auto it = tickets_.begin(); it != tickets_.end();) {
      const auto& [id, newest] = *it;
      const auto ticket = newest;
      if (ticket == 0 || ticket > fact.last) {
        ++it;
        continue;
      }
      const auto& why = ticket < fact.first ? lost : fact.why;
      const bool good = why.code == ec::none;
      good ? written(id) : failed(id, why);
      // Unless it was recorded again meanwhile.
      if (it->second == ticket)
        it->second = 0;
      it = good && it->second == 0 ? tickets_.erase(it) : std::next(it);
    }
  }

  /// Those that are to be recorded again.
  [[nodiscard]] std::vector<task_id> failed() const {
    std::vector<task_id> ids;
    for (const auto& [id, ticket] : tickets_)
      if (ticket == 0)
        ids.push_back(id);
    return ids;
  }

private:
  /// 0: it could not be written.
  std::map<task_id, ticket_id> tickets_;
};

} // namespace herald
