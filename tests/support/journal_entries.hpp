#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/journal.hpp"

namespace herald::testing {

/// For everyone, if `only` names nobody.
inline kept_event make_event(std::uint64_t id, std::string data = "x", std::string_view only = {}) {
  auto made = std::make_shared<event>();
  made->id = {id};
  made->name = "note";
  made->data = std::move(data);
  audience_ptr to;
  if (!only.empty())
    to = audience_of_page(request_id{std::string{only}});
  return {std::move(made), std::move(to)};
}

/// An entry of events with the ids [from, to].
inline journal_entry
make_events(std::uint64_t from, std::uint64_t to, const std::string& data = "x") {
  events_kept entry;
  entry.at = std::chrono::system_clock::now();
  for (auto id = from; id <= to; ++id)
    entry.events.push_back(make_event(id, data));
  return entry;
}

inline std::vector<std::uint64_t> ids_of(const journal_snapshot& snapshot) {
  std::vector<std::uint64_t> ids;
  for (const auto& event : snapshot.events)
    ids.push_back(event.what.what->id.value);
  return ids;
}

} // namespace herald::testing
