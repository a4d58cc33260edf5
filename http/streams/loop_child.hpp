#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "actors/telemetry/metrics.hpp"
#include "http/streams/loop_inbox.hpp"
#include "messages/actors.hpp"

namespace herald {

/// A stream loop as a child of its supervisor: what the loop does once a step of it has thrown. For
/// the loop's thread.
class loop_child {
public:
  enum class verdict : std::uint8_t { go_on, idle, stop };

  /// Without a supervisor a loop goes on at once, unless its state is damaged. The inbox outlives
  /// this.
  loop_child(
    unsigned index, std::string name, metrics& numbers, supervisor_actor supervisor,
    loop_inbox& inbox);

  /// Calls `work` until it returns. Each time that it throws, the supervisor is told and decides:
  /// orders that come meanwhile are put behind `orders`. `stop` and `idle` are for good: the loop
  /// is to end now, or to wait for its end.
  [[nodiscard]] verdict run(const std::function<void()>& work, std::deque<loop_order>& orders);

  /// Obeys the order to stop only; the others, of which these are the first, are told what waits
  /// for their end: there is nothing more to come.
  void idle(std::deque<loop_order>& orders, const stream_owner_actor& owner);

private:
  verdict failed(const char* what, bool damaged, std::deque<loop_order>& orders);

  const unsigned index_;
  const std::string name_;
  prometheus::Counter& failures_;
  const supervisor_actor supervisor_;
  loop_inbox& inbox_;
  std::uint64_t generation_ = 1;
};

} // namespace herald
