#include "actors/gateway/gateway_queue.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/memory/each_failure.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::each_failure;
using testing::state_lines;

constexpr gateway_queue::time_point attached_at{1h};

struct unheard : gateway_queue::listener {
  void sent(service_type) override {}
  void failed(const token&, service_type, std::string_view) override {}
  void lost(service_type, gateway_queue::loss) override {}
  void retried() override {}
  void close_lost() override {}
  void gone(const token&, std::string_view) override {}
  void ended(const token&) override {}
  void settled(const delivery_settled&) override {}
  void gateway_down(std::string_view) override {}
  void gateway_up() override {}
};

token name_of_stream(unsigned n) {
  return token::from_bits(9, n);
}

/// Every other one listens to something.
reach_ptr hearing_of(unsigned n) {
  if (n % 2 == 0)
    return nullptr;
  reach made;
  made.patterns = {"a/pattern/whose/name/takes/memory/" + std::to_string(n)};
  return std::make_shared<const reach>(std::move(made));
}

gateway_options options_of_memory() {
  gateway_options how;
  how.expiry_notice = 20s;
  return how;
}

/// A queue, and who is told what becomes of its events.
struct told_queue : unheard, gateway_queue {
  told_queue()
    : gateway_queue(options_of_memory(), static_cast<unheard&>(*this), [] { return 0.5; }) {}
};

/// The first stream has gone, and the gateway is down.
auto queue_with(unsigned streams) {
  return [streams] {
    auto made = std::make_unique<told_queue>();
    for (unsigned n = 0; n < streams; ++n)
      made->attach(name_of_stream(n), attached_at, false, hearing_of(n));
    if (streams > 1)
      made->remove(name_of_stream(0));
    event what;
    what.data = "x";
    delivery one{std::make_shared<const event>(std::move(what)), std::nullopt, nullptr};
    made->deliver(std::make_shared<const std::vector<delivery>>(1, std::move(one)), 0, attached_at);
    if (const auto next = made->next(attached_at))
      made->finish(*next, {send_result::unreachable, {}}, attached_at);
    return made;
  };
}

state_lines state_of_shard(const told_queue& all) {
  state_lines lines;
  for (const auto number : {all.streams(), all.waiting(), all.waiting_bytes()})
    lines.push_back(std::to_string(number));
  lines.emplace_back(all.down() ? "down" : "up");
  const auto due = all.next_due();
  lines.push_back(due ? std::to_string((*due - attached_at).count()) : "nothing is due");
  const auto right = all.right_due();
  lines.push_back(right ? std::to_string(right->time_since_epoch().count()) : "no right ends");
  for (unsigned n = 0; n <= 100; ++n)
    if (const auto backlog = all.backlog_of(name_of_stream(n)))
      lines.push_back(std::to_string(n) + " " + std::to_string(backlog->events));
  return lines;
}

auto attach(unsigned n, bool doubtful, const reach_ptr& hears) {
  return [name = name_of_stream(n), doubtful, hears](told_queue& all) {
    all.attach(name, attached_at, doubtful, hears);
    return true;
  };
}

TEST(GatewayQueueMemory, IsAsItWasWhenAStreamCannotBeAttached) {
  for (unsigned streams = 0; streams < 70; ++streams)
    for (const bool doubtful : {false, true})
      each_failure(queue_with(streams), attach(99, doubtful, hearing_of(streams)), state_of_shard);
}

TEST(GatewayQueueMemory, IsAsItWasWhenAStreamCannotHearSomethingElse) {
  for (const auto known : {1U, 2U}) {
    each_failure(queue_with(5), attach(known, false, hearing_of(77)), state_of_shard);
    each_failure(
      queue_with(5),
      [name = name_of_stream(known), hears = hearing_of(77)](told_queue& all) {
        all.change(name, hears);
        return true;
      },
      state_of_shard);
  }
}

/// Nothing waits, and the right of one stream ends then.
constexpr wall_time right_ends_at{12h};

auto idle_queue() {
  auto made = std::make_unique<told_queue>();
  for (unsigned n = 0; n < 3; ++n)
    made->attach(name_of_stream(n), attached_at, false, hearing_of(n));
  made->limit(name_of_stream(1), right_ends_at - 1h, right_ends_at);
  return made;
}

event_ptr memorable_event() {
  event what;
  what.name = "a name that takes memory when it is copied";
  return std::make_shared<const event>(std::move(what));
}

TEST(GatewayQueueMemory, IsAsItWasWhenAStreamCannotBeClosed) {
  for (const auto& farewell : {event_ptr{}, memorable_event()})
    each_failure(
      idle_queue,
      [&](told_queue& all) {
        all.close(name_of_stream(1), farewell, attached_at);
        return true;
      },
      state_of_shard);
}

TEST(GatewayQueueMemory, IsAsItWasWhenAnEventCannotBeQueued) {
  const delivery one{memorable_event(), name_of_stream(1), nullptr};
  const auto batch = std::make_shared<const std::vector<delivery>>(1, one);
  each_failure(
    idle_queue,
    [&](told_queue& all) {
      all.deliver(batch, 0, attached_at);
      return true;
    },
    state_of_shard);
}

TEST(GatewayQueueMemory, IsAsItWasWhenARightCannotBeKept) {
  each_failure(
    idle_queue,
    [](told_queue& all) {
      all.limit(name_of_stream(2), right_ends_at - 2h, right_ends_at - 1h);
      return true;
    },
    state_of_shard);
}

TEST(GatewayQueueMemory, NeedsNoneForAnotherRightOfAStream) {
  const auto all = idle_queue();
  {
    testing::failing_memory memory{1};
    all->limit(name_of_stream(1), right_ends_at - 1h, right_ends_at + 1h);
  }
  EXPECT_EQ(all->right_due(), right_ends_at + 1h - 20s);
  EXPECT_EQ(all->check(), std::nullopt);
}

TEST(GatewayQueueMemory, IsAsItWasWhenAStreamCannotBeToldThatItsRightEnds) {
  each_failure(
    idle_queue,
    [](told_queue& all) {
      all.end_rights(right_ends_at - 20s, attached_at);
      return true;
    },
    state_of_shard);
}

TEST(GatewayQueueMemory, IsAsItWasWhenARightCannotBeEnded) {
  each_failure(
    [] {
      auto made = idle_queue();
      made->end_rights(right_ends_at - 20s, attached_at);
      made->finish(*made->next(attached_at), {send_result::delivered, {}}, attached_at);
      return made;
    },
    [](told_queue& all) {
      all.end_rights(right_ends_at, attached_at);
      return true;
    },
    state_of_shard);
}

} // namespace
} // namespace herald
