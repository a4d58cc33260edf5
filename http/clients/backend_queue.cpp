#include "http/clients/backend_queue.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace herald {

namespace {

std::size_t index_of(callback_action action) {
  return static_cast<std::size_t>(action);
}

} // namespace

bool backend_queue::full(callback_action action) const noexcept {
  return waiting_[index_of(action)].size() >= limit_;
}

void backend_queue::push(pending_callback added) {
  assert(!full(added.call.action));
  waiting_[index_of(added.call.action)].push_back(std::move(added));
}

std::optional<pending_callback> backend_queue::pop() {
  for (auto& line : waiting_) {
    if (line.empty())
      continue;
    auto next = std::move(line.front());
    line.pop_front();
    return next;
  }
  return std::nullopt;
}

std::vector<pending_callback> backend_queue::expire(pending_callback::clock::time_point now) {
  std::vector<pending_callback> expired;
  for (auto& line : waiting_)
    while (!line.empty() && line.front().deadline <= now) {
      expired.push_back(std::move(line.front()));
      line.pop_front();
    }
  return expired;
}

std::optional<pending_callback::clock::time_point> backend_queue::next_deadline() const {
  std::optional<pending_callback::clock::time_point> next;
  for (const auto& line : waiting_)
    if (!line.empty())
      next = next ? std::min(*next, line.front().deadline) : line.front().deadline;
  return next;
}

std::size_t backend_queue::size() const noexcept {
  std::size_t sum = 0;
  for (const auto& line : waiting_)
    sum += line.size();
  return sum;
}

} // namespace herald
