#include "actors/journal/journal_backlog.hpp"

#include <gtest/gtest.h>

#include "tests/support/journal_entries.hpp"

namespace herald {
namespace {

version_kept version(const char* id, const char* text) {
  return {request_id{id}, {text, std::nullopt}};
}

TEST(JournalBacklog, KeepsTheLastThatIsSaidOfEachThing) {
  journal_backlog owed;
  owed.keep(version("a", "1"));
  owed.keep(version("b", "1"));
  owed.keep(version("a", "2"));
  owed.keep(stream_kept{request_id{"a"}, token::from_text("t"), "", {}});
  owed.keep(stream_dropped{token::from_text("t")});
  owed.keep(ids_reserved{{5}});
  owed.keep(ids_reserved{{9}});
  const auto entries = owed.take_all();
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(std::get<version_kept>(entries[0]).id.str(), "b");
  EXPECT_EQ(std::get<version_kept>(entries[1]).version.version, "2");
  EXPECT_EQ(std::get<stream_dropped>(entries[2]).stream, token::from_text("t"));
  EXPECT_EQ(std::get<ids_reserved>(entries[3]).upto, event_id{9});
  EXPECT_TRUE(owed.empty());
}

TEST(JournalBacklog, KeepsEachRevocationOfAnother) {
  journal_backlog owed;
  owed.keep(revocation_kept{{{}, "ann", {}}, {}});
  owed.keep(revocation_kept{{{}, "bob", {}}, {}});
  owed.keep(revocation_kept{{"7", {}, {}}, {}});
  owed.keep(revocation_kept{{"8", {}, {}}, {}});
  owed.keep(revocation_dropped{"8", {}});
  const auto entries = owed.take_all();
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(std::get<revocation_kept>(entries[0]).what.subject, "ann");
  EXPECT_EQ(std::get<revocation_kept>(entries[1]).what.subject, "bob");
  EXPECT_EQ(std::get<revocation_kept>(entries[2]).what.credential_id, "7");
  EXPECT_EQ(std::get<revocation_dropped>(entries[3]).credential_id, "8");
}

TEST(JournalBacklog, KeepsTasksAndTheirRemovalApartFromOtherThings) {
  journal_backlog owed;
  task_kept task;
  task.task.id = task_id{"a"};
  owed.keep(task);
  owed.keep(version("a", "1"));
  owed.keep(task_dropped{task_id{"a"}});
  const auto entries = owed.take_all();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<task_dropped>(entries[1]));
}

TEST(JournalBacklog, KeepsNoEvents) {
  journal_backlog owed;
  owed.keep(testing::make_events(1, 3));
  EXPECT_TRUE(owed.empty());
  owed.keep(events_evicted{{3}});
  EXPECT_FALSE(owed.empty());
}

TEST(JournalBacklog, KeepsAnswersButNotThoseOfBatches) {
  journal_backlog owed;
  owed.keep(answer_kept{{"a", "h"}, {}, nullptr, {}});
  owed.keep(answer_kept{{"b", "h"}, {}, nullptr, {}});
  owed.keep(answer_dropped{"a"});
  owed.keep(batch_kept{{}, {}, {{"c", "h"}, {}, nullptr, {}}});
  const auto entries = owed.take_all();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(std::get<answer_kept>(entries[0]).key.name, "b");
  EXPECT_EQ(std::get<answer_dropped>(entries[1]).name, "a");
}

} // namespace
} // namespace herald
