#include "actors/supervision/pending_answers.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using lines = std::vector<std::string>;
using pending = pending_answers<std::string>;

constexpr pending::awaits journal{.journal = true};
constexpr pending::awaits other{.other = true};
constexpr pending::awaits both{.journal = true, .other = true};

/// Hands the journal's answer on; gives the requests that are answered by it, and how.
lines journal_answers(pending& all, ticket_id first, ticket_id last, ec code = ec::none) {
  lines answered;
  all.journal_answered(
    {first, last, {code, "disk", {}}}, [&](const std::string& who, const failure& why) {
      answered.push_back(why.code == ec::none ? who : who + ": " + why.detail);
    });
  return answered;
}

TEST(PendingAnswers, GivesThoseThatWaitForTheJournalInTheOrderOfTheirTickets) {
  pending all;
  for (const auto* who : {"a", "b", "c", "d"})
    all.add(all.size() + 1, who, journal);
  EXPECT_EQ(journal_answers(all, 1, 3), (lines{"a", "b", "c"}));
  EXPECT_EQ(journal_answers(all, 1, 3), lines{}) << "each once";
  EXPECT_EQ(journal_answers(all, 4, 4), lines{"d"});
}

TEST(PendingAnswers, GivesWhatWaitsForBothAtTheLaterOfTheTwo) {
  pending all;
  all.add(1, "journal first", both);
  all.add(2, "other first", both);
  EXPECT_FALSE(all.other_came(2));
  EXPECT_EQ(journal_answers(all, 1, 2), lines{"other first"});
  EXPECT_EQ(all.other_came(1), "journal first");
  EXPECT_EQ(all.size(), 0U);
}

TEST(PendingAnswers, DoesNotTouchAtTheJournalsAnswerWhatNeverWaitedForIt) {
  pending all;
  all.add(1, "a", other);
  EXPECT_EQ(journal_answers(all, 2, 2, ec::storage_full), lines{});
  EXPECT_EQ(all.other_came(1), "a");
}

TEST(PendingAnswers, FailsWithTheJournalWhateverElseIsAwaited) {
  pending all;
  all.add(1, "a", both);
  all.add(2, "b", journal);
  EXPECT_EQ(journal_answers(all, 1, 2, ec::storage_full), (lines{"a: disk", "b: disk"}));
  EXPECT_FALSE(all.other_came(1)) << "it is answered";
}

TEST(PendingAnswers, FailsWhatTheJournalHasLeftOut) {
  pending all;
  all.add(1, "lost", journal);
  all.add(2, "lost, and waits", both);
  all.add(3, "written", journal);
  EXPECT_EQ(
    journal_answers(all, 3, 3),
    (lines{"lost: the journal has failed", "lost, and waits: the journal has failed", "written"}));
}

TEST(PendingAnswers, FindsAndRemovesWhatIsPending) {
  pending all;
  all.add(7, "a", journal);
  *all.find(7) += "b";
  EXPECT_EQ(all.find(8), nullptr);
  EXPECT_EQ(all.remove(7), "ab");
  EXPECT_FALSE(all.remove(7));
  EXPECT_EQ(journal_answers(all, 7, 7), lines{});
}

TEST(PendingAnswers, KeepsWhatCouldNotBeAnswered) {
  pending all;
  all.add(1, "a", journal);
  all.add(2, "b", journal);
  const auto fails = [](const std::string& who, const failure&) {
    if (who == "b")
      throw std::runtime_error{"out of memory"};
  };
  EXPECT_THROW(all.journal_answered({1, 2, {}}, fails), std::runtime_error);
  EXPECT_EQ(journal_answers(all, 1, 2), lines{"b"}) << "when the fact is handled again";
}

} // namespace
} // namespace herald
