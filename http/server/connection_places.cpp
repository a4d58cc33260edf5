#include "http/server/connection_places.hpp"

namespace herald {

connection_places::place::~place() {
  if (from_ != nullptr)
    from_->give_back(*this);
}

void connection_places::place::hold(std::size_t bytes) {
  if (bytes == bytes_)
    return;
  // Wraps around where it becomes less, and back again.
  from_->bytes_ += bytes - bytes_;
  bytes_ = bytes;
  from_->held_.Set(static_cast<double>(from_->bytes_));
}

connection_places::connection_places(const place_limits& limits, metrics& numbers)
  : limits_(limits),
    open_(numbers.gauge("herald_api_connections_open", "Connections of API clients.")),
    held_(numbers.gauge(
      "herald_api_request_bytes", "Bytes of API requests that are read, wait or are answered.")) {}

std::optional<connection_places::place>
connection_places::take(const std::optional<client_address>& address) {
  const auto before = taken_.fetch_add(1);
  bool free = before < limits_.connections + limits_.reserve;
  if (free && limits_.per_address != 0 && address) {
    const std::lock_guard lock{mutex_};
    auto& of_address = by_address_[*address];
    free = of_address < limits_.per_address;
    of_address += free ? 1 : 0;
  }
  if (!free) {
    --taken_;
    return std::nullopt;
  }
  open_.Increment();
  return place{*this, address, before >= limits_.connections};
}

void connection_places::give_back(const place& used) {
  if (limits_.per_address != 0 && used.address_) {
    const std::lock_guard lock{mutex_};
    if (const auto found = by_address_.find(*used.address_); --found->second == 0)
      by_address_.erase(found);
  }
  bytes_ -= used.bytes_;
  held_.Set(static_cast<double>(bytes_));
  open_.Decrement();
  if (--taken_ == 0 && ending_)
    emptied_.raise();
}

std::size_t connection_places::beyond() const noexcept {
  const auto taken = taken_.load();
  return taken > limits_.connections ? taken - limits_.connections : 0;
}

bool connection_places::scarce() const noexcept {
  return beyond() * 2 > limits_.reserve;
}

bool connection_places::crowded() const noexcept {
  // The last eighth is for those that come meanwhile.
  return taken_ > limits_.connections - limits_.connections / 8;
}

std::size_t connection_places::bytes_beyond() const noexcept {
  const auto held = bytes_.load();
  return held > limits_.bytes ? held - limits_.bytes : 0;
}

} // namespace herald
