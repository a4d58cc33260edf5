#include "actors/registry/batch_router.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
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

event_ptr notice_event(const char* name, const char* data, event_id id) {
  return ordered_event({name, data, nullptr}, id, {});
}

routed_batch batch_router::route(
  std::vector<draft>& drafts, event_id first, std::chrono::steady_clock::time_point now) {
  const auto transports = table_.transports();
  const bool all_broadcast = std::all_of(
    drafts.begin(), drafts.end(), [](const draft& d) { return !d.to && d.also.empty(); });
  // A batch for everyone is built once and shared; otherwise each transport gets its own.
  std::vector<list> lists(all_broadcast ? 1 : transports);
  routed_batch batch;
  batch.receipt.ids.reserve(drafts.size());
  if (journal_)
    batch.kept.reserve(drafts.size());
  for (auto& d : drafts) {
    auto to = std::move(d.to);
    const bool history = d.history;
    const auto ttl = d.ttl;
    const auto value = d.value;
    const auto also = std::move(d.also);
    const auto what = ordered_event(std::move(d), first, now);
    batch.receipt.ids.push_back(first);
    ++first.value;
    if (to) {
      address(what, to, lists, batch.receipt);
    } else {
      batch.receipt.recipients += table_.measure(nullptr).connections;
      for (auto& each : lists)
        each.push_back({what, std::nullopt});
      if (const auto page = also.empty() ? std::nullopt : table_.find(also);
          page && !table_.reach_of(page->stream)->broadcast) {
        ++batch.receipt.recipients;
        lists[page->via].push_back({what, page->stream});
      }
    }
    if (value != retention::none)
      keep_value({what, to, ttl, now}, value, batch);
    keep({what, std::move(to), ttl, now}, history, batch);
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

void batch_router::send_to_page(
  const event_ptr& what, const std::optional<connection_table::connection>& page,
  std::vector<list>& lists, publish_receipt& receipt) {
  if (!page)
    return;
  ++receipt.recipients;
  lists[page->via].push_back({what, page->stream});
}

/// Puts an event that is not for all into the lists of the transports that may reach who hears it.
void batch_router::address(
  const event_ptr& what, const audience_ptr& to, std::vector<list>& lists,
  publish_receipt& receipt) const {
  if (to->only_page() && what->service == service_type::version)
    return send_to_page(what, table_.find(to->page), lists, receipt);
  const auto size = table_.measure(to);
  if (to->only_page())
    return send_to_page(what, size.page, lists, receipt);
  receipt.recipients += size.connections;
  std::vector<connection_table::transport_index> transports;
  if (to->everyone()) {
    transports.resize(lists.size());
    std::iota(transports.begin(), transports.end(), connection_table::transport_index{0});
  } else {
    if (size.page)
      transports.push_back(size.page->via);
    table_.add_transports(*to, transports);
  }
  // One for all transports that have no stream that is named in it.
  const auto same = std::make_shared<const delivery_audience>(delivery_audience{to, {}, {}});
  for (const auto via : transports) {
    delivery_audience mine{to, {}, {}};
    if (size.page && size.page->via == via)
      mine.page = size.page->stream;
    for (const auto& one : size.except)
      if (one.via == via)
        mine.except.push_back(one.stream);
    const bool own = mine.page || !mine.except.empty();
    lists[via].push_back(
      {what, std::nullopt,
       own ? std::make_shared<const delivery_audience>(std::move(mine)) : same});
  }
}

void batch_router::keep_value(kept_event what, retention value, routed_batch& batch) {
  if (value == retention::forget)
    values_.forget(what.to->topics.front());
  else
    values_.keep(what);
  if (!journal_)
    return;
  if (value == retention::forget)
    batch.more.emplace_back(value_dropped{what.to->topics.front()});
  else
    batch.more.emplace_back(value_kept{std::move(what), std::chrono::system_clock::now()});
}

void batch_router::keep(kept_event what, bool history, routed_batch& batch) {
  const auto& event = *what.what;
  if (!history || (event.service == service_type::version && what.to)) {
    history_.pass(event.id);
    return;
  }
  batch.evicted += history_.append(what);
  if (!journal_)
    return;
  batch.kept_bytes += event.name.size() + event.data.size() + (what.to ? what.to->bytes() : 0)
                      + sizeof(herald::event);
  batch.kept.push_back(std::move(what));
}

} // namespace herald
