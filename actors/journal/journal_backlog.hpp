#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "messages/journal.hpp"

namespace herald {

/// Entries that could not be written and still have to be: the latest about each version, stream,
/// task, key and number, so that there are no more of them than of those. Events, and steps and
/// answers with theirs, are not among them: their publishers know that they were not written. Pure.
class journal_backlog {
public:
  void keep(const journal_entry& entry);
  /// The events that tell of the version of a page that was kept last: written with it.
  void keep_broadcast(const request_id& id, const events_kept& told);

  /// Hands all out, in the order in which they were kept; none is left.
  [[nodiscard]] std::vector<journal_entry> take_all();

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

private:
  void keep(const journal_entry& entry, std::string what);

  std::map<std::uint64_t, journal_entry> entries_;
  std::map<std::string, std::uint64_t> places_;
  std::uint64_t last_place_ = 0;
};

} // namespace herald
