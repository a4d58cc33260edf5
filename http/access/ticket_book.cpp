#include "http/access/ticket_book.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace herald {

namespace {

constexpr std::string_view prefix = "herald-ticket-";
constexpr std::string_view letters =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Of 6 bits each: 258 bits.
constexpr std::size_t secret_letters = 43;
constexpr std::size_t letters_of_a_word = 10;
constexpr unsigned bits = 6;

std::size_t bytes_of(const stream_grant& grant) {
  const auto sum = [](std::size_t total, const std::string& text) {
    return total + sizeof(std::string) + text.size();
  };
  const auto roles = std::accumulate(
    grant.roles.begin(), grant.roles.end(), grant.subject.size() + grant.credential_id.size(), sum);
  return std::accumulate(grant.topics.begin(), grant.topics.end(), roles, sum);
}

} // namespace

ticket_book::ticket_book(const limits& bounds, metrics& numbers)
  : limits_(bounds),
    kept_(
      numbers.gauge("herald_tickets", "Tickets that are good, or whose streams may come back.")),
    kept_bytes_(numbers.gauge("herald_ticket_bytes", "Memory of those.")),
    refused_(numbers.counter(
      "herald_tickets_refused_total", "Tickets that were not issued, for want of room.")) {}

std::optional<std::string>
ticket_book::issue(stream_grant grant, const request_id& page, wall_time now) {
  const std::lock_guard lock{mutex_};
  expire(now);
  auto name = new_name();
  // It is a key of both lists.
  const auto bytes = sizeof(entry) + 2 * name.size() + page.str().size() + bytes_of(grant);
  if (by_name_.size() >= limits_.tickets || bytes_ + bytes > limits_.bytes) {
    refused_.Increment();
    return std::nullopt;
  }
  const auto until = std::min<wall_time>(now + use_within, *grant.expires_at);
  const auto end = ends_.emplace(until, name);
  entry made{std::move(grant), page, page.empty(), false, false, {}, until, end, bytes};
  try {
    by_name_.emplace(name, std::move(made));
  } catch (...) {
    ends_.erase(end);
    throw;
  }
  bytes_ += bytes;
  show();
  return name;
}

std::optional<stream_grant> ticket_book::use(const visit& by, wall_time now) {
  const std::lock_guard lock{mutex_};
  auto* const found = good_for(by, now);
  if (found == nullptr)
    return std::nullopt;
  auto grant = found->grant;
  found->first_use = !found->used;
  if (!found->used) {
    move_end(by_name_.find(std::string{by.ticket}), *grant.expires_at);
    found->page = by.page;
    found->floor = by.cursor && *by.cursor <= by.last_place ? *by.cursor : by.last_place;
    found->used = true;
  }
  return grant;
}

std::optional<stream_grant> ticket_book::look_at(const visit& by, wall_time now) {
  const std::lock_guard lock{mutex_};
  const auto* const found = good_for(by, now);
  return found == nullptr ? std::nullopt : std::optional{found->grant};
}

void ticket_book::give_back(std::string_view ticket) {
  const std::lock_guard lock{mutex_};
  const auto found = by_name_.find(std::string{ticket});
  if (found == by_name_.end() || !found->second.first_use)
    return;
  auto& one = found->second;
  move_end(found, one.usable_until);
  one.used = one.first_use = false;
  if (one.any_page)
    one.page = {};
}

ticket_book::entry* ticket_book::good_for(const visit& by, wall_time now) {
  expire(now);
  const auto found = by_name_.find(std::string{by.ticket});
  if (found == by_name_.end())
    return nullptr;
  auto& one = found->second;
  if (!one.page.empty() && one.page != by.page)
    return nullptr;
  if (!one.used)
    return &one;
  const bool ours = by.cursor && *by.cursor >= one.floor && *by.cursor <= by.last_place;
  return ours ? &one : nullptr;
}

std::string ticket_book::new_name() {
  std::string name{prefix};
  for (std::size_t left = secret_letters; left > 0;) {
    auto word = secrets_();
    for (std::size_t i = std::min(left, letters_of_a_word); i > 0; --i, --left) {
      name += letters[word % letters.size()];
      word >>= bits;
    }
  }
  return name;
}

void ticket_book::expire(wall_time now) {
  if (ends_.empty() || ends_.begin()->first > now)
    return;
  while (!ends_.empty() && ends_.begin()->first <= now)
    erase(by_name_.find(ends_.begin()->second));
  show();
}

void ticket_book::erase(entry_map::iterator where) noexcept {
  bytes_ -= where->second.bytes;
  ends_.erase(where->second.end);
  by_name_.erase(where);
}

void ticket_book::move_end(entry_map::iterator where, wall_time to) {
  const auto moved = ends_.emplace(to, where->first);
  ends_.erase(where->second.end);
  where->second.end = moved;
}

void ticket_book::show() {
  kept_.Set(static_cast<double>(by_name_.size()));
  kept_bytes_.Set(static_cast<double>(bytes_));
}

std::size_t ticket_book::size() const {
  const std::lock_guard lock{mutex_};
  return by_name_.size();
}

std::size_t ticket_book::bytes() const {
  const std::lock_guard lock{mutex_};
  return bytes_;
}

} // namespace herald
