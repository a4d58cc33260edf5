#include "actors/registry/batch_router.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace herald {

event_ptr ordered_event(draft&& what, event_id id, std::chrono::steady_clock::time_point accepted) {
  auto ordered = std::make_shared<event>();
  ordered->id = id;
  ordered->name = std::move(what.name);
  ordered->data = std::move(what.data);
  ordered->service = what.service;
  ordered->accepted = accepted;
  return ordered;
}

routed_batch batch_router::route(
  std::vector<draft>& drafts, event_id first, std::chrono::steady_clock::time_point now) {
  using list = std::vector<delivery>;
  const auto transports = table_.transports();
  const bool all_broadcast =
    std::all_of(drafts.begin(), drafts.end(), [](const draft& d) { return d.to.everyone(); });
  // A batch for everyone is built once and shared; otherwise each transport gets its own.
  std::vector<list> lists(all_broadcast ? 1 : transports);
  routed_batch batch;
  batch.receipt.ids.reserve(drafts.size());
  if (journal_)
    batch.kept.reserve(drafts.size());
  for (auto& d : drafts) {
    auto to = std::move(d.to);
    const auto what = ordered_event(std::move(d), first, now);
    batch.receipt.ids.push_back(first);
    ++first.value;
    if (to.everyone()) {
      batch.receipt.recipients += table_.size();
      for (auto& each : lists)
        each.push_back({what, std::nullopt});
    } else if (const auto found = table_.find(*to.only)) {
      ++batch.receipt.recipients;
      lists[found->via].push_back({what, found->stream});
    }
    keep(what, std::move(to), batch);
  }

  batch.parts.resize(transports);
  const auto shared = all_broadcast ? std::make_shared<const list>(std::move(lists[0])) : nullptr;
  for (std::size_t i = 0; i < transports; ++i) {
    if (table_.size_on(static_cast<connection_table::transport_index>(i)) == 0)
      continue;
    auto part = shared ? shared : std::make_shared<const list>(std::move(lists[i]));
    if (part->empty())
      continue;
    batch.parts[i] = std::move(part);
    ++batch.transports;
  }
  return batch;
}

void batch_router::keep(const event_ptr& what, audience to, routed_batch& batch) {
  if (what->service == service_type::version && !to.everyone()) {
    history_.pass(what->id);
    return;
  }
  batch.evicted += history_.append(what, to, what->accepted);
  if (!journal_)
    return;
  batch.kept_bytes += what->name.size() + what->data.size() + sizeof(event);
  batch.kept.push_back({what, std::move(to)});
}

} // namespace herald
