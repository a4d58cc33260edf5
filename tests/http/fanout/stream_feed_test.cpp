#include "http/fanout/stream_feed.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

class StreamFeed : public ::testing::Test, protected stream_io {
protected:
  ssize_t write(int fd, const iovec* parts, int count) override {
    ssize_t taken = 0;
    for (int i = 0; i < count; ++i) {
      received[fd].append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
      taken += static_cast<ssize_t>(parts[i].iov_len);
    }
    return taken;
  }
  void watch_writable(int /*fd*/, stream_slot /*slot*/, bool /*on*/) override {}
  void ended(const ended_stream& /*stream*/) override {}

  token open(int fd) {
    const auto slot = table.add(fd, static_cast<std::uint64_t>(fd), 0);
    table.attach(slot, {});
    return table.token_of(slot);
  }

  static event_ptr make(std::string data, std::uint64_t id = 0, stream_feed::time_point at = {}) {
    event made;
    made.id = {id};
    made.data = std::move(data);
    made.accepted = at;
    return std::make_shared<const event>(std::move(made));
  }

  static deliver batch(std::vector<delivery> items, ticket_id ticket = 0) {
    return {std::make_shared<const std::vector<delivery>>(std::move(items)), ticket};
  }

  void run() {
    while (table.run_slice(100)) {
    }
  }

  std::map<int, std::string> received;
  stream_table table{
    {.log_bytes = 4096, .private_queue_bytes = 1024 * 1024, .window_bytes = 1024}, *this};
  stream_feed::time_point start{1000h};
  stream_feed feed{table, start};
};

TEST_F(StreamFeed, PutsABatchInItsOrder) {
  const auto one = open(1);
  (void)open(2);
  EXPECT_TRUE(feed.put(
    batch({{make("a", 1), std::nullopt}, {make("b"), one}, {make("c", 3), std::nullopt}}), start));
  run();
  const auto first = "id: " + to_string(event_id{1}) + "\ndata: a\n\n";
  const auto last = "id: " + to_string(event_id{3}) + "\ndata: c\n\n";
  EXPECT_NE(received[1].find(first), std::string::npos);
  EXPECT_LT(received[1].find(first), received[1].find("data: b\n\n"));
  EXPECT_LT(received[1].find("data: b\n\n"), received[1].find(last));
  EXPECT_EQ(received[2].find("data: b\n\n"), std::string::npos);
  EXPECT_NE(received[2].find(last), std::string::npos);
}

TEST_F(StreamFeed, ReportsStreamsThatItDoesNotKnow) {
  const auto waiting = table.token_of(table.add(1, 1, 0));
  EXPECT_TRUE(feed.put(
    batch({{make("a"), token::from_text("x")}, {make("b"), waiting}, {make("c"), open(2)}}),
    start));
  const auto failures = feed.take_failures();
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(failures[0].stream, token::from_text("x"));
  EXPECT_TRUE(failures[0].unknown);
  EXPECT_EQ(failures[1].stream, waiting);
  EXPECT_TRUE(failures[1].unknown);
  EXPECT_TRUE(feed.take_failures().empty());
}

TEST_F(StreamFeed, GoesOnWhereThereWasNoRoom) {
  (void)open(1);
  std::vector<delivery> items;
  for (int i = 0; i < 10; ++i)
    items.push_back({make(std::to_string(i) + std::string(300, '.')), std::nullopt});
  const auto order = batch(std::move(items), 7);
  int turns = 1;
  for (; !feed.put(order, start); ++turns)
    run();
  EXPECT_GT(turns, 2);
  run();
  for (int i = 0; i < 10; ++i) {
    const auto data = "data: " + std::to_string(i) + ".";
    EXPECT_NE(received[1].find(data), std::string::npos);
    EXPECT_EQ(received[1].find(data), received[1].rfind(data)) << "once";
  }
  const auto settled = table.tickets().take_settled();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].ticket, 7u);
  EXPECT_EQ(settled[0].delivered, 10u);
}

TEST_F(StreamFeed, LeavesOthersTheirTurnInALongBatch) {
  const auto one = open(1);
  const auto order = batch(std::vector<delivery>(stream_feed::slice + 1, {make("a"), one}));
  EXPECT_FALSE(feed.put(order, start));
  EXPECT_TRUE(feed.put(order, start));
}

TEST_F(StreamFeed, TellsWhenEventsCameOnceTheyWereOffered) {
  (void)open(1);
  run();
  EXPECT_TRUE(feed.put(
    batch({{make("a", 1, start - 2s), std::nullopt}, {make("b", 2, start - 1s), std::nullopt}}),
    start));
  EXPECT_FALSE(feed.has_served());
  run();
  EXPECT_TRUE(feed.has_served());
  std::vector<stream_feed::time_point> accepted;
  feed.each_served([&](service_type service, stream_feed::time_point at) {
    EXPECT_EQ(service, service_type::event);
    accepted.push_back(at);
  });
  EXPECT_EQ(accepted, (std::vector{start - 2s, start - 1s}));
  EXPECT_FALSE(feed.has_served());
}

TEST_F(StreamFeed, KnowsHowLongStreamsWereQuiet) {
  EXPECT_EQ(feed.last_frame(), start);
  EXPECT_TRUE(feed.put(batch({{make("a"), std::nullopt}}), start + 1s));
  EXPECT_EQ(feed.last_frame(), start) << "there is no stream";
  const auto one = open(1);
  EXPECT_TRUE(feed.put(batch({{make("a"), one}}), start + 2s));
  EXPECT_EQ(feed.last_frame(), start) << "it was for one";
  EXPECT_TRUE(feed.put(batch({{make("a"), std::nullopt}}), start + 3s));
  EXPECT_EQ(feed.last_frame(), start + 3s);
  feed.put_heartbeat(start + 4s);
  EXPECT_EQ(feed.last_frame(), start + 4s);
  run();
  EXPECT_NE(received[1].find(": heartbeat\n"), std::string::npos);
}

} // namespace
} // namespace herald
