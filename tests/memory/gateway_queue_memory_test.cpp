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

/// A queue, and who is told what becomes of its events.
struct told_queue : unheard, gateway_queue {
  told_queue()
    : gateway_queue(gateway_options{}, static_cast<unheard&>(*this), [] { return 0.5; }) {}
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

} // namespace
} // namespace herald
