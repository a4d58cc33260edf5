#include "actors/journal/journal_tables.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "actors/journal/journal_schema.hpp"
#include "tests/support/journal_entries.hpp"

namespace herald {
namespace {

using testing::ids_of;
using testing::make_event;
using testing::make_events;
using id_list = std::vector<std::uint64_t>;

/// The tables in a database in memory.
class JournalTables : public ::testing::Test {
protected:
  JournalTables() {
    EXPECT_EQ(db.open(":memory:", sqlite::database::mode::create), SQLITE_OK);
    EXPECT_EQ(migrate(db, journal_migrations()), SQLITE_OK);
    EXPECT_EQ(tables.prepare(), SQLITE_OK);
  }

  int write(std::vector<journal_entry> entries) { return tables.write(entries); }

  journal_snapshot load(std::size_t expected_damage = 0) {
    journal_snapshot found;
    std::size_t damaged = 0;
    EXPECT_EQ(tables.load(found, damaged), SQLITE_OK);
    EXPECT_EQ(damaged, expected_damage);
    return found;
  }

  sqlite::database db;
  journal_tables tables{db};
};

TEST_F(JournalTables, PutsAsManyEventsIntoARowAsFit) {
  ASSERT_EQ(
    write({make_events(1, 2000, std::string(1000, 'x')), make_events(2001, 2010)}), SQLITE_OK);
  ASSERT_EQ(write({make_events(2011, 2011, std::string(3'000'000, 'y'))}), SQLITE_OK);
  const auto found = load();
  ASSERT_EQ(found.events.size(), 2011u);
  EXPECT_EQ(found.events.back().what.what->data.size(), 3'000'000u);
}

TEST_F(JournalTables, ForgetsEvictedEvents) {
  ASSERT_EQ(write({make_events(1, 3)}), SQLITE_OK);
  ASSERT_EQ(write({make_events(4, 6)}), SQLITE_OK);
  ASSERT_EQ(write({events_evicted{{5}}}), SQLITE_OK);
  const auto found = load();
  EXPECT_EQ(ids_of(found), (id_list{6})) << "also those that share a row with one that is kept";
  EXPECT_EQ(found.history_floor, event_id{5});
  ASSERT_EQ(write({events_evicted{{6}}, events_evicted{{2}}}), SQLITE_OK);
  EXPECT_TRUE(load().events.empty());
  EXPECT_EQ(load().history_floor, event_id{6}) << "never falls";
}

TEST_F(JournalTables, RemembersTheIdsThatAreReserved) {
  ASSERT_EQ(write({ids_reserved{{500}}, make_events(3, 4)}), SQLITE_OK);
  EXPECT_EQ(load().ids_upto, event_id{500});
  ASSERT_EQ(write({ids_reserved{{400}}}), SQLITE_OK);
  EXPECT_EQ(load().ids_upto, event_id{500}) << "never falls";
}

TEST_F(JournalTables, RemembersVersionsInTheOrderOfQueueing) {
  const auto put = [](const char* id, const char* version, std::optional<std::string> log = {}) {
    return version_kept{request_id{id}, {version, std::move(log)}};
  };
  ASSERT_EQ(
    write(
      {put("a", "1"), put("b", "1", ""), put("c", "1"), put("a", "2", "it's \"new\""),
       version_dropped{request_id{"c"}}, version_dropped{request_id{"never"}}}),
    SQLITE_OK);
  const auto found = load().versions;
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].id.str(), "b");
  EXPECT_EQ(found[0].version.changelog, "");
  EXPECT_EQ(found[1].id.str(), "a");
  EXPECT_EQ(found[1].version.version, "2");
  EXPECT_EQ(found[1].version.changelog, "it's \"new\"");
}

TEST_F(JournalTables, RemembersStreams) {
  const auto uuid = token::from_bits(0x0123456789abcdef, 0x8000000000000001);
  const auto foreign = token::from_text("no uuid");
  const wall_time at{std::chrono::microseconds{77}};
  ASSERT_EQ(
    write(
      {stream_kept{request_id{"a"}, uuid, "/x?request_id=a", at},
       stream_kept{request_id{"b"}, foreign, "", at},
       stream_kept{request_id{"c"}, token::from_text("gone"), "", at},
       stream_dropped{token::from_text("gone")}}),
    SQLITE_OK);
  const auto found = load().streams;
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].stream, uuid);
  EXPECT_EQ(found[0].id.str(), "a");
  EXPECT_EQ(found[0].url, "/x?request_id=a");
  EXPECT_EQ(found[0].connected_at, at);
  EXPECT_EQ(found[1].stream, foreign);
}

TEST_F(JournalTables, RemembersTasksInTheOrderOfTheirStart) {
  task_kept first;
  first.task.id = task_id{"1"};
  first.task.type = "demo";
  first.params_json = R"({"steps":3})";
  task_kept second = first;
  second.task.id = task_id{"2"};
  ASSERT_EQ(write({first, second}), SQLITE_OK);
  first.task.status = task_status::completed;
  first.task.start_time = wall_time{std::chrono::microseconds{5}};
  first.task.end_time = wall_time{std::chrono::microseconds{6}};
  first.task.progress = 0.25;
  first.task.progress_text = "quarter";
  first.task.result_json = "{}";
  first.params_json.clear();
  ASSERT_EQ(write({first}), SQLITE_OK);
  const auto found = load().tasks;
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].task.id.str(), "1");
  EXPECT_EQ(found[0].task.status, task_status::completed);
  EXPECT_EQ(found[0].task.start_time, first.task.start_time);
  EXPECT_EQ(found[0].task.end_time, first.task.end_time);
  EXPECT_EQ(found[0].task.progress, 0.25);
  EXPECT_EQ(found[0].task.progress_text, "quarter");
  EXPECT_EQ(found[0].task.result_json, "{}");
  EXPECT_EQ(found[0].params_json, "");
  EXPECT_EQ(found[1].task.status, task_status::pending);
  EXPECT_EQ(found[1].task.start_time, std::nullopt);
  EXPECT_EQ(found[1].params_json, R"({"steps":3})");
  ASSERT_EQ(write({task_dropped{task_id{"1"}}}), SQLITE_OK);
  EXPECT_EQ(load().tasks.size(), 1u);
}

TEST_F(JournalTables, RemembersWhoIsToldOfATaskAndHowFarTheyAre) {
  const auto everything = std::make_shared<const audience>(audience{
    request_id{"mine"}, "ann", "staff", {"orders/42", "orders/43"}, {request_id{"other"}}});
  task_kept named;
  named.task.id = task_id{"1"};
  named.task.to = everything;
  task_kept all;
  all.task.id = task_id{"2"};
  task_kept nobody;
  nobody.task.id = task_id{"3"};
  nobody.task.told = false;
  ASSERT_EQ(write({named, all, nobody}), SQLITE_OK);
  named.task.seq = 7;
  ASSERT_EQ(write({named}), SQLITE_OK);
  const auto found = load().tasks;
  ASSERT_EQ(found.size(), 3u);
  ASSERT_TRUE(found[0].task.to);
  EXPECT_EQ(*found[0].task.to, *everything);
  EXPECT_EQ(found[0].task.seq, 7u);
  EXPECT_TRUE(found[0].task.told);
  EXPECT_EQ(found[1].task.to, nullptr);
  EXPECT_EQ(found[1].task.seq, 0u);
  EXPECT_TRUE(found[1].task.told);
  EXPECT_EQ(found[2].task.to, nullptr);
  EXPECT_FALSE(found[2].task.told);
}

TEST_F(JournalTables, LetNobodyBeToldOfATaskWhoseAudienceCannotBeRead) {
  task_kept task;
  task.task.id = task_id{"1"};
  task.task.to = audience_of_page(request_id{"mine"});
  task.task.seq = 3;
  ASSERT_EQ(write({task}), SQLITE_OK);
  // Cut off, of a kind that there is not, an event's time to live, a topic with an empty segment.
  for (const auto* bytes :
       {"x'0104006d69'", "x'0904006d696e65'", "x'0608000100000000000000'", "x'0403002f2f61'",
        "x'00'"}) {
    ASSERT_EQ(db.run(std::string{"UPDATE tasks SET audience="} + bytes), SQLITE_OK);
    const auto found = load().tasks;
    ASSERT_EQ(found.size(), 1u) << "it can be looked up";
    EXPECT_FALSE(found[0].task.told) << bytes;
    EXPECT_EQ(found[0].task.to, nullptr) << bytes;
    EXPECT_EQ(found[0].task.seq, 0u) << bytes;
  }
}

TEST_F(JournalTables, RememberAStepWithItsEventWhoseIdIsAheadOfOthers) {
  step_kept step;
  step.task.task.id = task_id{"1"};
  step.told.events.push_back(make_event(100));
  ASSERT_EQ(write({make_events(1, 2), step, make_events(3, 4)}), SQLITE_OK);
  ASSERT_EQ(write({make_events(5, 6), make_events(101, 102)}), SQLITE_OK);
  const auto found = load();
  EXPECT_EQ(ids_of(found), (id_list{1, 2, 3, 4, 5, 6, 100, 101, 102})) << "in their order";
  EXPECT_EQ(found.ids_upto, event_id{102});
  EXPECT_EQ(found.tasks.size(), 1u);
  ASSERT_EQ(write({events_evicted{{5}}}), SQLITE_OK);
  EXPECT_EQ(ids_of(load()), (id_list{6, 100, 101, 102}));
  ASSERT_EQ(db.run("UPDATE events SET events = x'0102' WHERE last_id = 100"), SQLITE_OK);
  EXPECT_EQ(ids_of(load(1)), (id_list{101, 102})) << "nothing of before the damage";
}

TEST_F(JournalTables, WriteAllOfAGroupOrNothing) {
  ASSERT_EQ(write({make_events(1, 2)}), SQLITE_OK);
  // A table that is gone fails the last entry of the group.
  ASSERT_EQ(db.run("DROP TABLE streams"), SQLITE_OK);
  EXPECT_NE(
    write(
      {make_events(3, 4), version_kept{request_id{"a"}, {"1", std::nullopt}},
       stream_dropped{token::from_text("t")}}),
    SQLITE_OK);
  EXPECT_FALSE(db.in_transaction());
  ASSERT_EQ(write({make_events(5, 6)}), SQLITE_OK) << "and goes on";
  std::int64_t rows = 0;
  ASSERT_EQ(db.ask("SELECT count(*) FROM versions", rows), SQLITE_OK);
  EXPECT_EQ(rows, 0);
  ASSERT_EQ(db.ask("SELECT count(*) FROM events WHERE last_id = 4", rows), SQLITE_OK);
  EXPECT_EQ(rows, 0);
  journal_snapshot found;
  std::size_t damaged = 0;
  EXPECT_NE(tables.load(found, damaged), SQLITE_OK) << "what cannot be read is no empty table";
}

TEST_F(JournalTables, PassOverTasksOfNoKnownStatus) {
  task_kept task;
  task.task.id = task_id{"1"};
  ASSERT_EQ(write({task}), SQLITE_OK);
  ASSERT_EQ(db.run("UPDATE tasks SET status='dancing'"), SQLITE_OK);
  EXPECT_TRUE(load().tasks.empty());
}

TEST_F(JournalTables, DropEventsThatCannotBeReadAndAllBeforeThem) {
  for (const std::uint64_t id : {1, 4, 7})
    ASSERT_EQ(write({make_events(id, id + 2)}), SQLITE_OK);
  ASSERT_EQ(db.run("UPDATE events SET events = x'0102' WHERE last_id = 6"), SQLITE_OK);
  const auto found = load(1);
  EXPECT_EQ(ids_of(found), (id_list{7, 8, 9}));
  EXPECT_EQ(found.history_floor, event_id{6}) << "a cursor before it gets a gap";
}

TEST_F(JournalTables, KeepAnswersAndClaims) {
  const wall_time at{std::chrono::seconds{5}};
  const auto answer = std::make_shared<const kept_answer>(kept_answer{
    202, "application/json", {{"Location", "/a: b"}, {"X", ""}}, std::string("{\0}", 3)});
  ASSERT_EQ(
    write({
      answer_kept{{"a", std::string("\0h", 2)}, token::from_text("seed"), nullptr, at},
      answer_kept{{"b", "h"}, {}, nullptr, at},
      answer_kept{{"c", "h"}, {}, nullptr, at},
      answer_kept{{"a", std::string("\0h", 2)}, token::from_text("seed"), answer, at},
      answer_dropped{"c"},
    }),
    SQLITE_OK);
  const auto found = load().answers;
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].key.name, "b");
  EXPECT_EQ(found[0].answer, nullptr);
  EXPECT_EQ(found[1].key.name, "a") << "kept later";
  EXPECT_EQ(found[1].key.body_hash, std::string("\0h", 2));
  EXPECT_EQ(found[1].seed, token::from_text("seed"));
  EXPECT_EQ(found[1].at, at);
  ASSERT_NE(found[1].answer, nullptr);
  EXPECT_EQ(*found[1].answer, *answer);
}

TEST_F(JournalTables, KeepABatchWithItsAnswerHoweverOftenItIsWritten) {
  batch_kept batch{std::get<events_kept>(make_events(1000, 1001)), {}, {{"k", "h"}, {}, {}, {}}};
  auto to = std::make_shared<audience>();
  to->topics = {"t"};
  batch.values.emplace_back(value_kept{{make_event(1000).what, to}, {}});
  batch.values.emplace_back(value_dropped{"gone"});
  batch.answer.answer = std::make_shared<const kept_answer>(kept_answer{202, "", {}, "x"});
  ASSERT_EQ(write({make_events(1, 2), batch, make_events(3, 4)}), SQLITE_OK);
  ASSERT_EQ(write({batch}), SQLITE_OK);
  const auto found = load();
  EXPECT_EQ(ids_of(found), (id_list{1, 2, 3, 4, 1000, 1001}));
  ASSERT_EQ(found.answers.size(), 1u);
  EXPECT_EQ(found.answers[0].answer->body, "x");
  ASSERT_EQ(found.values.size(), 1u);
  EXPECT_EQ(found.values[0].what.what->id, event_id{1000});
}

TEST_F(JournalTables, KnowWhetherWhatHasFailedMayBeThere) {
  const answer_kept entry{{"k", "h"}, {}, nullptr, {}};
  ASSERT_EQ(
    db.run("CREATE TEMP TRIGGER no BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'no'); END"),
    SQLITE_OK);
  EXPECT_NE(write({entry}), SQLITE_OK);
  EXPECT_FALSE(tables.perhaps_written()) << "it has not come to the commit";
  ASSERT_EQ(
    db.run("DROP TRIGGER no; PRAGMA foreign_keys=ON; CREATE TABLE a(x PRIMARY KEY);"
           "CREATE TABLE b(x REFERENCES a(x) DEFERRABLE INITIALLY DEFERRED);"
           "CREATE TRIGGER yes AFTER INSERT ON answers BEGIN INSERT INTO b VALUES(1); END"),
    SQLITE_OK);
  EXPECT_NE(write({entry}), SQLITE_OK);
  EXPECT_TRUE(tables.perhaps_written()) << "the commit has failed";
  ASSERT_EQ(db.run("DROP TRIGGER yes"), SQLITE_OK);
  EXPECT_EQ(write({entry}), SQLITE_OK);
  EXPECT_FALSE(tables.perhaps_written());
}

} // namespace
} // namespace herald
