#include "actors/journal/journal_backlog.hpp"

#include <utility>
#include <variant>

namespace herald {

namespace {

/// Names the thing that an entry is about; empty for events, and what goes with them.
struct subject {
  std::string operator()(const events_kept&) const { return {}; }
  std::string operator()(const step_kept&) const { return {}; }
  std::string operator()(const batch_kept&) const { return {}; }
  std::string operator()(const events_evicted&) const { return "evicted"; }
  std::string operator()(const ids_reserved&) const { return "reserved"; }
  std::string operator()(const version_kept& e) const { return "version " + e.id.str(); }
  std::string operator()(const version_dropped& e) const { return "version " + e.id.str(); }
  std::string operator()(const stream_kept& e) const { return "stream " + e.stream.str(); }
  std::string operator()(const stream_dropped& e) const { return "stream " + e.stream.str(); }
  std::string operator()(const task_kept& e) const { return "task " + e.task.id.str(); }
  std::string operator()(const task_dropped& e) const { return "task " + e.id.str(); }
  std::string operator()(const value_kept& e) const {
    return "value " + e.event.to->topics.front();
  }
  std::string operator()(const value_dropped& e) const { return "value " + e.topic; }
  std::string operator()(const topics_kept& e) const { return "topics " + e.id.str(); }
  std::string operator()(const topics_dropped& e) const { return "topics " + e.id.str(); }
  std::string operator()(const page_bound& e) const { return "page " + e.id.str(); }
  std::string operator()(const page_unbound& e) const { return "page " + e.id.str(); }
  std::string operator()(const revocation_kept& e) const {
    return "revoked " + e.what.credential_id + '\n' + e.what.subject;
  }
  std::string operator()(const revocation_dropped& e) const {
    return "revoked " + e.credential_id + '\n' + e.subject;
  }
  std::string operator()(const answer_kept& e) const { return "answer " + e.key.name; }
  std::string operator()(const answer_dropped& e) const { return "answer " + e.name; }
  std::string operator()(const webhooks_kept&) const { return {}; }
  std::string operator()(const webhooks_dropped& e) const {
    return "webhooks " + std::to_string(e.first);
  }
  std::string operator()(const told_stream_kept& e) const {
    return "told " + e.stream.stream.str();
  }
  std::string operator()(const told_stream_dropped& e) const { return "told " + e.stream.str(); }
};

} // namespace

void journal_backlog::keep(const journal_entry& entry) {
  auto what = std::visit(subject{}, entry);
  if (!what.empty())
    keep(entry, std::move(what));
}

void journal_backlog::keep_broadcast(const request_id& id, const events_kept& told) {
  keep(told, "broadcast " + id.str());
}

void journal_backlog::keep(const journal_entry& entry, std::string what) {
  const auto place = ++last_place_;
  entries_.emplace(place, entry);
  const auto [known, fresh] = places_.try_emplace(std::move(what), place);
  if (!fresh)
    entries_.erase(std::exchange(known->second, place));
}

std::vector<journal_entry> journal_backlog::take_all() {
  std::vector<journal_entry> taken;
  taken.reserve(entries_.size());
  for (auto& [place, entry] : entries_)
    taken.push_back(std::move(entry));
  entries_.clear();
  places_.clear();
  return taken;
}

} // namespace herald
