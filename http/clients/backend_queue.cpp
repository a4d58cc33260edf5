#include "http/clients/backend_queue.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace herald {

namespace {

std::size_t index_of(callback_action action) {
  return static_cast<std::size_t>(action);
}

/// What waiting costs.
std::size_t cost(const call_backend& call) {
  return sizeof(pending_callback) + (call.request ? call.request->size() : 0);
}

} // namespace

bool backend_queue::full(const call_backend& added) const noexcept {
  const auto& in = waiting_[index_of(added.action)];
  return in.calls.size() >= limit_ || (!in.calls.empty() && in.bytes + cost(added) > max_bytes_);
}

void backend_queue::push(pending_callback added) {
  assert(!full(added.call));
  auto& in = waiting_[index_of(added.call.action)];
  const auto bytes = cost(added.call);
  in.calls.push_back(std::move(added));
  in.bytes += bytes;
}

pending_callback backend_queue::take_first(line& from) {
  auto first = std::move(from.calls.front());
  from.calls.pop_front();
  from.bytes -= cost(first.call);
  return first;
}

std::optional<pending_callback> backend_queue::pop() {
  for (auto& in : waiting_)
    if (!in.calls.empty())
      return take_first(in);
  return std::nullopt;
}

std::vector<pending_callback> backend_queue::expire(pending_callback::clock::time_point now) {
  std::vector<pending_callback> expired;
  for (auto& in : waiting_)
    while (!in.calls.empty() && in.calls.front().deadline <= now)
      expired.push_back(take_first(in));
  return expired;
}

std::optional<pending_callback::clock::time_point> backend_queue::next_deadline() const {
  std::optional<pending_callback::clock::time_point> next;
  for (const auto& in : waiting_)
    if (!in.calls.empty())
      next = next ? std::min(*next, in.calls.front().deadline) : in.calls.front().deadline;
  return next;
}

std::size_t backend_queue::size() const noexcept {
  std::size_t sum = 0;
  for (const auto& in : waiting_)
    sum += in.calls.size();
  return sum;
}

std::size_t backend_queue::bytes() const noexcept {
  std::size_t sum = 0;
  for (const auto& in : waiting_)
    sum += in.bytes;
  return sum;
}

} // namespace herald
