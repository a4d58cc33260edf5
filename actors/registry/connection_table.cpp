#include "actors/registry/connection_table.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <numeric>

namespace herald {

std::size_t connection_table::id_hash::operator()(std::string_view id) const noexcept {
  return std::hash<std::string_view>{}(id);
}
std::size_t connection_table::id_hash::operator()(slot_number n) const noexcept {
  return (*this)((*slots)[n].id());
}
bool connection_table::id_equal::operator()(std::string_view a, slot_number b) const noexcept {
  return a == (*slots)[b].id();
}
bool connection_table::id_equal::operator()(slot_number a, std::string_view b) const noexcept {
  return (*slots)[a].id() == b;
}
std::size_t connection_table::token_hash::operator()(const token& t) const noexcept {
  return t.hash();
}
std::size_t connection_table::token_hash::operator()(slot_number n) const noexcept {
  return (*slots)[n].stream.hash();
}
bool connection_table::token_equal::operator()(const token& a, slot_number b) const noexcept {
  return a == (*slots)[b].stream;
}
bool connection_table::token_equal::operator()(slot_number a, const token& b) const noexcept {
  return (*slots)[a].stream == b;
}

connection_table::connection_table()
  : by_id_(0, id_hash{&slots_}, id_equal{&slots_}),
    by_token_(0, token_hash{&slots_}, token_equal{&slots_}),
    by_serial_(serial_less{&slots_}) {}

std::optional<connection_table::connection> connection_table::open(const opening& what) {
  const auto holder = by_id_.find(what.id);
  const auto same_token = by_token_.find(what.stream);
  if (holder != by_id_.end() && same_token != by_token_.end() && *holder == *same_token)
    return std::nullopt;

  // All that can throw comes first, so that a failure leaves the table as it was.
  slot made;
  made.stream = what.stream;
  made.texts = std::make_unique<char[]>(what.id.size() + what.url.size()); // NOLINT
  what.id.copy(made.texts.get(), what.id.size());
  what.url.copy(made.texts.get() + what.id.size(), what.url.size());
  static_assert(max_request_id_bytes <= std::numeric_limits<std::uint8_t>::max());
  made.id_length = static_cast<std::uint8_t>(what.id.size());
  made.url_length = static_cast<std::uint32_t>(what.url.size());
  made.connected_at = what.at;
  made.via = what.via;
  made.transport = what.transport;
  by_id_.reserve(by_id_.size() + 1);
  by_token_.reserve(by_token_.size() + 1);
  if (what.via >= on_transport_.size())
    on_transport_.resize(what.via + 1U);
  std::optional<connection> replaced;
  if (holder != by_id_.end())
    replaced = as_connection(slots_[*by_id_.find(what.id)]);
  const auto n = free_slot();
  made.serial = last_serial_ + 1;
  slots_[n] = std::move(made);
  try {
    by_serial_.insert(by_serial_.end(), n);
  } catch (...) {
    put_back(n);
    throw;
  }
  ++last_serial_;

  if (replaced)
    release(*by_id_.find(what.id));
  if (const auto moved = by_token_.find(what.stream); moved != by_token_.end())
    release(*moved);
  ++on_transport_[what.via];
  by_id_.insert(n);
  by_token_.insert(n);
  return replaced;
}

std::optional<connection_table::connection> connection_table::close(const token& stream) {
  const auto found = by_token_.find(stream);
  if (found == by_token_.end())
    return std::nullopt;
  auto closed = as_connection(slots_[*found]);
  release(*found);
  return closed;
}

std::optional<connection_table::connection> connection_table::find(const request_id& id) const {
  const auto found = by_id_.find(std::string_view{id.str()});
  if (found == by_id_.end())
    return std::nullopt;
  return as_connection(slots_[*found]);
}

std::optional<connection_table::connection> connection_table::find(const token& stream) const {
  const auto found = by_token_.find(stream);
  if (found == by_token_.end())
    return std::nullopt;
  return as_connection(slots_[*found]);
}

connection_page connection_table::page(std::uint64_t after, std::size_t limit) const {
  connection_page result;
  result.total = size();
  auto it = by_serial_.upper_bound(after);
  for (; it != by_serial_.end() && result.connections.size() < limit; ++it) {
    const auto& s = slots_[*it];
    result.connections.push_back(
      {request_id{std::string{s.id()}}, s.stream, std::string{s.url()}, s.transport,
       s.connected_at});
  }
  if (it != by_serial_.end() && !result.connections.empty())
    result.next = slots_[*std::prev(it)].serial;
  return result;
}

bool connection_table::check() const {
  if (by_id_.size() != by_token_.size() || by_serial_.size() != by_token_.size())
    return false;
  if (slots_.size() != by_id_.size() + free_.size())
    return false;
  if (std::accumulate(on_transport_.begin(), on_transport_.end(), std::size_t{0}) != size())
    return false;
  return std::all_of(by_token_.begin(), by_token_.end(), [this](slot_number n) {
    const auto found = by_id_.find(slots_[n].id());
    return found != by_id_.end() && *found == n;
  });
}

connection_table::connection connection_table::as_connection(const slot& s) {
  return {request_id{std::string{s.id()}}, s.stream, s.via};
}

connection_table::slot_number connection_table::free_slot() {
  if (free_.empty()) {
    // Room for every slot to be freed without allocating: `release` must not fail.
    free_.reserve(slots_.size() + 1);
    slots_.emplace_back();
    return static_cast<slot_number>(slots_.size() - 1);
  }
  const auto n = free_.back();
  free_.pop_back();
  return n;
}

void connection_table::release(slot_number n) noexcept {
  by_id_.erase(by_id_.find(n));
  by_token_.erase(by_token_.find(n));
  by_serial_.erase(n);
  --on_transport_[slots_[n].via];
  put_back(n);
}

void connection_table::put_back(slot_number n) noexcept {
  slots_[n] = slot{};
  free_.push_back(n);
}

} // namespace herald
