#include "actors/journal/journal_recovery.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "actors/history/id_source.hpp"
#include "actors/sqlite/stored_time.hpp"
#include "actors/telemetry/log.hpp"

namespace herald {

namespace {

constexpr const char* component = "journal";

/// Ids begin with the clock, in microseconds since 1970.
event_id clock_id(wall_time now) {
  return {static_cast<std::uint64_t>(std::max<std::int64_t>(stored_time(now), 0))};
}

} // namespace

caf::expected<recovered_journal> recover_journal(const journal_settings& options, wall_time now) {
  const auto before = std::chrono::steady_clock::now();
  auto opened = journal_file::open(options.path, options.sync);
  if (!opened)
    return opened.error();
  recovered_journal result;
  result.file = std::move(*opened);
  if (const auto& aside = result.file->set_aside())
    log::error(
      component, "damaged_file_set_aside",
      {{"file", options.path}, {"moved_to", aside->to}, {"why", aside->why}});
  std::size_t damaged_rows = 0;
  auto loaded = result.file->load(damaged_rows);
  if (!loaded)
    return loaded.error();
  result.snapshot = std::move(*loaded);
  if (damaged_rows != 0)
    log::error(component, "damaged_events_dropped", {{"rows", damaged_rows}});

  auto& found = result.snapshot;
  found.ids_upto = std::max(found.ids_upto, clock_id(now));
  result.ids_reserved = {found.ids_upto.value + id_source::reservation};
  // A new file knows nothing of what came before it.
  if (found.history_floor == event_id{})
    found.history_floor = found.ids_upto;
  const std::array<journal_entry, 2> beginning = {
    ids_reserved{result.ids_reserved}, events_evicted{found.history_floor}};
  if (auto failed = result.file->write(beginning); failed.code != ec::none)
    return fail(failed.code, std::move(failed.detail));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - before;
  log::info(
    component, "opened",
    {{"file", options.path},
     {"events", found.events.size()},
     {"versions", found.versions.size()},
     {"streams", found.streams.size()},
     {"tasks", found.tasks.size()},
     {"took_ms", took.count()}});
  return result;
}

} // namespace herald
