#include "http/streams/loop_child.hpp"

#include <exception>
#include <iterator>
#include <optional>
#include <utility>
#include <variant>

#include <caf/send.hpp>

#include "actors/supervision/shell_core.hpp"
#include "actors/telemetry/log.hpp"

namespace herald {

loop_child::loop_child(
  unsigned index, std::string name, metrics& numbers, supervisor_actor supervisor,
  loop_inbox& inbox)
  : index_(index),
    name_(std::move(name)),
    failures_(numbers.counter(
      "herald_actor_failures_total", "Handlers that threw an exception.", {{"actor", name_}})),
    supervisor_(std::move(supervisor)),
    inbox_(inbox) {}

loop_child::verdict
loop_child::run(const std::function<void()>& work, std::deque<loop_order>& orders) {
  auto next = verdict::go_on;
  while (next == verdict::go_on) {
    try {
      work();
      return verdict::stop;
    } catch (const state_damaged& e) {
      next = failed(e.what(), true, orders);
    } catch (const std::exception& e) {
      next = failed(e.what(), false, orders);
    }
  }
  return next;
}

/// Waits for the supervisor's word.
loop_child::verdict
loop_child::failed(const char* what, bool damaged, std::deque<loop_order>& orders) {
  failures_.Increment();
  log::error("stream-endpoint", "loop_failed", {{"loop", index_}, {"what", what}});
  if (!supervisor_)
    return damaged ? verdict::stop : verdict::go_on;
  caf::anon_send(supervisor_, child_failed{name_, generation_, what, damaged});
  for (;;) {
    std::optional<inside_order> said;
    for (auto& order : inbox_.await_orders()) {
      if (std::holds_alternative<stop_loop>(order))
        return verdict::stop;
      const auto* const one = std::get_if<inside_order>(&order);
      if (one != nullptr && one->generation == generation_)
        said = *one;
      orders.push_back(std::move(order));
    }
    if (!said)
      continue;
    ++generation_;
    if (said->what == inside_order::kind::stop)
      return verdict::idle;
    caf::anon_send(supervisor_, child_restarted{name_});
    return verdict::go_on;
  }
}

void loop_child::idle(std::deque<loop_order>& orders, const stream_owner_actor& owner) {
  for (;;) {
    for (auto& order : orders) {
      if (std::holds_alternative<stop_loop>(order))
        return;
      if (auto* const drain = std::get_if<drain_loop>(&order))
        drain->drained();
      if (const auto* const query = std::get_if<backlog_query>(&order))
        query->answer({});
      if (const auto* const batch = std::get_if<deliver>(&order);
          batch != nullptr && batch->ticket != 0)
        caf::anon_send(owner, delivery_settled{batch->ticket, 0});
    }
    inbox_.handled(orders.size());
    orders.clear();
    auto taken = inbox_.await_orders();
    std::move(taken.begin(), taken.end(), std::back_inserter(orders));
  }
}

} // namespace herald
