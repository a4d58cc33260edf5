// Rows of events as they are read back from a journal, whatever has become of them on the disk.

#include <string>
#include <vector>

#include "actors/journal/event_rows.hpp"
#include "tests/fuzz/target.hpp"

namespace herald::fuzz {

HERALD_FUZZ_TARGET(journal_rows, input) {
  std::vector<journal_snapshot::dated_event> events(1);
  if (!read_event_row(input, events)) {
    require(events.size() == 1, "a row that is refused leaves something behind");
    return;
  }
  std::string again;
  event_id last;
  for (auto e = events.begin() + 1; e != events.end(); ++e) {
    const auto& what = *e->what.what;
    require(last < what.id, "events are out of order");
    last = what.id;
    require(what.name.find_first_of("\r\n") == std::string::npos, "a name breaks its frame");
    const auto& to = e->what.to;
    require(!to || to->page.empty() || !request_id_violation(to->page.str()), "nobody has this id");
    for (const auto& topic : to ? to->topics : std::vector<std::string>{})
      require(!topic_violation(topic), "nobody can have published to this topic");
    append_event_row(again, e->what, e->at);
  }
  require(again == input, "what is read is not what was written");
}

} // namespace herald::fuzz
