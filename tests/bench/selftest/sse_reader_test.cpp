#include "tests/bench/swarm/sse_reader.hpp"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace herald::bench {
namespace {

std::vector<seen_event> events_of(std::string_view text) {
  sse_reader reader;
  std::vector<seen_event> events;
  for_each_line(text, [&](std::string_view line) {
    if (const auto event = reader.line(line))
      events.push_back(*event);
  });
  return events;
}

TEST(SseReader, ReadsTimeAndNumberOfAnEvent) {
  const auto events =
    events_of("id: 9\nevent: bench\ndata: {\"t\":123,\"seq\":45,\"p\":\"x\"}\n\n");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].sent_at, 123u);
  EXPECT_EQ(events[0].number, 45u);
}

TEST(SseReader, SkipsWhatIsNoEvent) {
  EXPECT_TRUE(events_of(": comment\n\nretry: 10\n\nid: 4\n\nevent: x\n\n\n").empty());
}

TEST(SseReader, TakesNeitherTheFirstBlockNorAHeartbeatForAnEvent) {
  const auto events =
    events_of("retry: 10\nid: 4\n\n: heartbeat\n: heartbeat\nid: 5\ndata: {\"t\":1,\"seq\":2}\n\n");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].number, 2u);
}

TEST(SseReader, ForgetsTheLastEvent) {
  const auto events = events_of("data: \"seq\":1\n\ndata\n\n");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].number, 0u);
}

TEST(SseReader, KnowsThatItWasTooSlow) {
  const auto events = events_of("event: lagged\r\ndata: {}\r\n\r\ndata: x\r\n\r\n");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_TRUE(events[0].lagged);
  EXPECT_FALSE(events[1].lagged);
}

} // namespace
} // namespace herald::bench
