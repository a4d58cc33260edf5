#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include <caf/typed_response_promise.hpp>

#include "messages/errors.hpp"
#include "messages/journal.hpp"

namespace herald {

/// An answer that is not given yet: to whom, and what, unless something fails.
template <class Answer>
struct pending_answer {
  caf::typed_response_promise<Answer> to;
  Answer value = {};

  void give() { to.deliver(std::move(value)); }
  /// Gives the value, or the error if it is one.
  void give(const failure& why) {
    if (why.code == ec::none)
      give();
    else
      to.deliver(fail(why.code, why.detail));
  }
};

/// Requests that are not answered yet, by ticket: each waits for the journal, for one other event,
/// or for both. Knows no promise: `Pending` holds what it takes to answer. Pure.
///
/// Tickets rise. One that waits for the journal is the ticket of the `record_entries` it waits for.
template <class Pending>
class pending_answers {
public:
  struct awaits {
    bool journal = false;
    bool other = false;
  };

  void add(ticket_id ticket, Pending request, awaits what) {
    entries_.try_emplace(ticket, entry{std::move(request), what});
  }

  /// Null where nothing is pending.
  [[nodiscard]] Pending* find(ticket_id ticket) {
    const auto found = entries_.find(ticket);
    return found == entries_.end() ? nullptr : &found->second.request;
  }

  std::optional<Pending> remove(ticket_id ticket) {
    auto removed = entries_.extract(ticket);
    return removed ? std::optional{std::move(removed.mapped().request)} : std::nullopt;
  }

  /// The other event has come. Removes and gives the request; nothing while it waits for the
  /// journal, or where it is not pending.
  std::optional<Pending> other_came(ticket_id ticket) {
    const auto found = entries_.find(ticket);
    if (found == entries_.end())
      return std::nullopt;
    found->second.waits.other = false;
    return found->second.waits.journal ? std::nullopt : remove(ticket);
  }

  /// The journal has answered. Calls `answer(Pending&, const failure&)` for each request that has
  /// failed with it (`why` says how), or that waits for nothing else (`ec::none`), in the order of
  /// tickets; each is removed after its call. May be repeated where `answer` has thrown.
  template <class Function>
  void journal_answered(const entries_recorded& fact, Function&& answer) {
    // The journal answers in order: a ticket that it has left out is lost.
    static const failure lost{ec::actor_failed, "the journal has failed", {}};
    auto it = entries_.begin();
    while (it != entries_.end() && it->first <= fact.last) {
      auto& [request, waits] = it->second;
      const auto& why = it->first < fact.first ? lost : fact.why;
      if (waits.journal && (!waits.other || why.code != ec::none)) {
        answer(request, why);
        it = entries_.erase(it);
      } else {
        waits.journal = false;
        ++it;
      }
    }
  }

  /// Calls `look(const Pending&)` for all of them, in the order of tickets.
  template <class Function>
  void for_each(Function&& look) const {
    for (const auto& [ticket, entry] : entries_)
      look(entry.request);
  }

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
  struct entry {
    Pending request;
    awaits waits;
  };

  std::map<ticket_id, entry> entries_;
};

} // namespace herald
