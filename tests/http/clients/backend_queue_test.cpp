#include "http/clients/backend_queue.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;
using clock = pending_callback::clock;

constexpr auto start = clock::time_point{} + 1h;

pending_callback pending(callback_action action, std::uint64_t name, clock::duration wait = 5s) {
  pending_callback made;
  made.call.action = action;
  made.call.stream = token::from_bits(0, name);
  made.submitted = start;
  made.deadline = start + wait;
  return made;
}

pending_callback connect(std::uint64_t name, clock::duration wait = 5s) {
  return pending(callback_action::connect, name, wait);
}

pending_callback disconnect(std::uint64_t name, clock::duration wait = 60s) {
  return pending(callback_action::disconnect, name, wait);
}

std::uint64_t name_of(const std::optional<pending_callback>& call) {
  return call ? call->call.stream.low() : 0;
}

TEST(BackendQueue, GivesConnectsFirstAndOtherwiseKeepsTheOrder) {
  backend_queue queue{10};
  queue.push(disconnect(1));
  queue.push(connect(2));
  queue.push(disconnect(3));
  queue.push(connect(4));
  EXPECT_EQ(queue.size(), 4u);
  for (const std::uint64_t name : {2, 4, 1, 3})
    EXPECT_EQ(name_of(queue.pop()), name);
  EXPECT_FALSE(queue.pop());
}

TEST(BackendQueue, IsBoundedPerAction) {
  backend_queue queue{1};
  queue.push(disconnect(1));
  EXPECT_TRUE(queue.full(disconnect(9).call));
  EXPECT_FALSE(queue.full(connect(9).call));
  queue.push(connect(2));
  EXPECT_TRUE(queue.full(connect(9).call));
  EXPECT_EQ(queue.size(), 2u);
}

TEST(BackendQueue, TakesOutWhatIsTooLate) {
  backend_queue queue{10};
  EXPECT_FALSE(queue.next_deadline());
  queue.push(disconnect(1, 10s));
  queue.push(connect(2, 5s));
  queue.push(connect(3, 6s));
  EXPECT_EQ(queue.next_deadline(), start + 5s);
  EXPECT_TRUE(queue.expire(start + 4s).empty());
  const auto expired = queue.expire(start + 5s);
  ASSERT_EQ(expired.size(), 1u);
  EXPECT_EQ(expired[0].call.stream.low(), 2u);
  EXPECT_EQ(queue.next_deadline(), start + 6s);
  EXPECT_EQ(queue.expire(start + 1min).size(), 2u);
  EXPECT_EQ(queue.size(), 0u);
}

TEST(BackendQueue, IsFullPastItsBytesForEachAction) {
  const auto sized = [](pending_callback made, std::size_t bytes) {
    made.call.request = std::make_shared<const std::string>(bytes, 'x');
    return made;
  };
  backend_queue queue{100, 10'000};
  EXPECT_FALSE(queue.full(sized(connect(1), 20'000).call)) << "one that waits alone";
  queue.push(sized(connect(1), 6000));
  EXPECT_TRUE(queue.full(sized(connect(2), 6000).call));
  EXPECT_FALSE(queue.full(sized(connect(2), 2000).call));
  EXPECT_FALSE(queue.full(sized(disconnect(2), 6000).call));
  queue.push(sized(disconnect(2), 6000));
  EXPECT_GT(queue.bytes(), 12'000u);
  EXPECT_EQ(name_of(queue.pop()), 1u);
  EXPECT_EQ(queue.expire(start + 1h).size(), 1u);
  EXPECT_EQ(queue.bytes(), 0u);
}

} // namespace
} // namespace herald
