#include "http/admission/replay_budget.hpp"

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace herald {

bool replay_budget::spend(const client_address& client, std::size_t bytes, time_point now) {
  const std::lock_guard lock{mutex_};
  forget(now);
  const auto [found, fresh] = clients_.try_emplace(client, minute{now, 0});
  if (fresh) {
    try {
      begun_.emplace_back(now, client);
    } catch (...) {
      clients_.erase(found);
      throw;
    }
  }
  auto& spent = found->second.spent;
  if (bytes > limit_ - spent)
    return false;
  spent += bytes;
  return true;
}

/// Clients whose minute is over, and the oldest where there is no room for one more.
void replay_budget::forget(time_point now) {
  while (!begun_.empty()
         && (now - begun_.front().first >= period || clients_.size() >= max_clients)) {
    clients_.erase(begun_.front().second);
    begun_.pop_front();
  }
}

std::size_t bytes_of(missed_events all) {
  std::size_t bytes = 0;
  while (const auto what = all.next())
    bytes += what->name.size() + what->data.size() + sizeof(event_id);
  return bytes;
}

missed_events gap_instead_of(missed_events all) {
  event gap;
  gap.name = "gap";
  gap.data = R"({"reason":"too much was sent again to this address within a minute"})";
  std::vector<event_ptr> told{std::make_shared<const event>(std::move(gap))};
  event_ptr version;
  while (auto what = all.next())
    if (what->service == service_type::version)
      version = std::move(what);
  if (version)
    told.push_back(std::move(version));
  return {std::move(told), {}, {}, {}};
}

client_address counted_as_page(std::string_view request_id) {
  // A multicast address, which is nobody's.
  client_address key{0xff};
  const std::uint64_t hash = std::hash<std::string_view>{}(request_id);
  std::memcpy(key.data() + key.size() - sizeof hash, &hash, sizeof hash);
  return key;
}

} // namespace herald
