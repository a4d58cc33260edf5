#include "actors/journal/webhook_tables.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "actors/journal/journal_schema.hpp"
#include "actors/journal/journal_tables.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

const wall_time noon = wall_time{} + 480'000h + 7us;

/// The tables in a database in memory.
class WebhookTables : public ::testing::Test {
protected:
  WebhookTables() {
    EXPECT_EQ(db.open(":memory:", sqlite::database::mode::create), SQLITE_OK);
    EXPECT_EQ(migrate(db, journal_migrations()), SQLITE_OK);
    EXPECT_EQ(tables.prepare(), SQLITE_OK);
  }

  void write(std::vector<journal_entry> entries) { EXPECT_EQ(tables.write(entries), SQLITE_OK); }

  journal_snapshot::webhooks_left load() {
    journal_snapshot found;
    std::size_t damaged = 0;
    EXPECT_EQ(tables.load(found, damaged), SQLITE_OK);
    return found.webhooks;
  }

  static webhook_event event(std::uint64_t number) {
    return {number, "topic.occupied", noon, R"({"topic":"x"})"};
  }

  std::vector<std::uint64_t> numbers() {
    std::vector<std::uint64_t> found;
    for (const auto& one : load().events)
      found.push_back(one.number);
    return found;
  }

  sqlite::database db;
  journal_tables tables{db};
};

TEST_F(WebhookTables, RememberEventsUntilTheyAreAnswered) {
  write({webhooks_kept{{event(7), event(8)}, {}}, webhooks_kept{{event(9), event(10)}, {}}});
  const auto first = load().events.front();
  EXPECT_EQ(first.type, "topic.occupied");
  EXPECT_EQ(first.at, noon);
  EXPECT_EQ(first.data, R"({"topic":"x"})");
  write({webhooks_dropped{8, 9}});
  EXPECT_EQ(numbers(), (std::vector<std::uint64_t>{7, 10}));
  write({webhooks_dropped{7, 10}});
  EXPECT_TRUE(numbers().empty());
  EXPECT_EQ(load().last_number, 10u) << "never given out again";
}

TEST_F(WebhookTables, RememberStreamsThatTheReceiverTakesForOpen) {
  stream_facts a{token::from_text("t1"), request_id{"a"}, "ann", {"x/*", "y"}, "10.0.0.7", noon};
  stream_facts b{token::from_bits(1, 2), {}, {}, {}, {}, noon};
  write({told_stream_kept{a}, told_stream_kept{b}});
  a.topics = {"z"};
  write({told_stream_kept{a}});
  const auto found = load().streams;
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].stream, a.stream) << "in the order of opening";
  EXPECT_EQ(found[0].id, a.id);
  EXPECT_EQ(found[0].subject, "ann");
  EXPECT_EQ(found[0].topics, (std::vector<std::string>{"z"}));
  EXPECT_EQ(found[0].address, "10.0.0.7");
  EXPECT_EQ(found[0].opened_at, noon);
  EXPECT_EQ(found[1].stream, b.stream);
  write({told_stream_dropped{a.stream}});
  ASSERT_EQ(load().streams.size(), 1u);
}

TEST_F(WebhookTables, RememberTasksOfWhoseEndIsToldForAsLongAsThoseCanBeLookedUp) {
  write({webhooks_kept{{event(1)}, {task_id{"a"}, task_id{"b"}}}});
  write({webhooks_kept{{event(2)}, {task_id{"a"}}}});
  EXPECT_EQ(load().ended.size(), 2u);
  write({task_dropped{task_id{"a"}}});
  ASSERT_EQ(load().ended.size(), 1u);
  EXPECT_EQ(load().ended[0], task_id{"b"});
}

} // namespace
} // namespace herald
