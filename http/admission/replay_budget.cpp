#include "http/admission/replay_budget.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/auth/digests.hpp"

namespace herald {

void replay_budget::change(std::size_t bytes, std::size_t clients) {
  limit_ = bytes;
  clients_at_most_ = clients;
}

replay_budget::outcome
replay_budget::spend(const client_address& client, std::size_t bytes, time_point now) {
  const std::lock_guard lock{mutex_};
  while (!begun_.empty() && now - begun_.front().first >= period)
    forget_oldest();
  outcome what;
  auto found = clients_.find(client);
  if (found == clients_.end()) {
    for (const std::size_t most = clients_at_most_; !begun_.empty() && clients_.size() >= most;) {
      forget_oldest();
      what.forgot = true;
    }
    found = clients_.emplace(client, minute{now, 0}).first;
    try {
      begun_.emplace_back(now, client);
    } catch (...) {
      clients_.erase(found);
      throw;
    }
  }
  auto& spent = found->second.spent;
  const std::size_t limit = limit_;
  what.allowed = spent <= limit && bytes <= limit - spent;
  if (what.allowed)
    spent += bytes;
  return what;
}

void replay_budget::give_back(const client_address& client, std::size_t bytes) {
  const std::lock_guard lock{mutex_};
  if (const auto found = clients_.find(client); found != clients_.end())
    found->second.spent -= std::min(bytes, found->second.spent);
}

void replay_budget::forget_oldest() {
  clients_.erase(begun_.front().second);
  begun_.pop_front();
}

std::size_t bytes_of(missed_events all) {
  std::size_t bytes = 0;
  while (const auto what = all.next())
    bytes += what->name.size() + what->data.size() + sizeof(event_id);
  return bytes;
}

missed_events gap_instead_of(missed_events all, std::string_view whom) {
  event gap;
  gap.name = "gap";
  gap.data = std::string{R"({"reason":"too much was sent again to this )"}.append(whom).append(
    R"( within a minute"})");
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

client_address counted_as_subject(std::string_view subject) {
  client_address key{};
  std::memcpy(key.data(), sha256_of(subject).data(), key.size());
  return key;
}

} // namespace herald
