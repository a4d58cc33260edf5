#include "actors/idempotency/key_book.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

kept_answer_ptr answer(std::string body) {
  return std::make_shared<const kept_answer>(
    kept_answer{202, "application/json", {}, std::move(body)});
}

class KeyBook : public ::testing::Test {
protected:
  ~KeyBook() override { EXPECT_EQ(book.check(), std::nullopt); }

  void claim(claim_id who, const char* key = "k", const char* body = "b", bool planned = false) {
    book.claim({who, {key, body}, planned}, token::from_text("seed-" + std::to_string(who)), now);
  }
  void settle(claim_id who, const char* text) { book.settle(who, answer(text), now); }
  void write(const char* key = "k", ec code = ec::none) { book.recorded(key, {code, "", {}}, now); }

  /// "1 granted", "2 answered a" .., since it was last asked.
  lines said() {
    lines all;
    for (const auto& one : book.verdicts()) {
      auto line = std::to_string(one.claim);
      using kind = key_book::verdict::kind;
      if (one.what == kind::granted)
        line += " granted";
      else if (one.what == kind::answered)
        line += " answered " + one.answer->body;
      else if (one.what == kind::settled)
        line += " settled";
      else
        line += " " + std::string{to_string(one.why.code)};
      all.push_back(line);
    }
    book.verdicts_told();
    return all;
  }
  /// Names of keys with the body of the answer, or "-".
  lines to_record() {
    give_orders();
    return std::exchange(given, {});
  }
  lines dropped() {
    give_orders();
    return std::exchange(gone, {});
  }
  void give_orders() {
    for (const auto& one : book.orders())
      given.push_back(one.key->name + " " + (one.answer ? one.answer->body : "-"));
    for (const auto& key : book.dropped())
      gone.push_back(key->name);
    book.orders_given();
  }

  key_book book{{300s, 2000}};
  key_book::time_point now{1000s};
  lines given;
  lines gone;
};

TEST_F(KeyBook, GivesTheAnswerOfTheFirstToAllThatComeLater) {
  claim(1);
  EXPECT_EQ(said(), (lines{"1 granted"}));
  settle(1, "a");
  EXPECT_EQ(to_record(), (lines{"k a"}));
  EXPECT_EQ(said(), lines{}) << "it is not in the file yet";
  write();
  EXPECT_EQ(said(), (lines{"1 settled"}));
  claim(2);
  claim(3);
  EXPECT_EQ(said(), (lines{"2 answered a", "3 answered a"}));
  EXPECT_EQ(to_record(), lines{});
}

TEST_F(KeyBook, HasOthersWaitWhileTheFirstIsUnderWay) {
  claim(1);
  claim(2);
  claim(3);
  EXPECT_EQ(said(), (lines{"1 granted"}));
  settle(1, "a");
  write();
  EXPECT_EQ(said(), (lines{"1 settled", "2 answered a", "3 answered a"}));
}

TEST_F(KeyBook, RefusesAnotherBodyAlsoWhileTheFirstIsUnderWay) {
  claim(1);
  claim(2, "k", "other");
  settle(1, "a");
  write();
  claim(3, "k", "other");
  claim(4, "another", "other");
  EXPECT_EQ(said(), (lines{"1 granted", "2 key_reused", "1 settled", "3 key_reused", "4 granted"}));
}

TEST_F(KeyBook, GrantsTheClaimAnewWhereNothingWasCarriedOut) {
  claim(1);
  claim(2);
  EXPECT_FALSE(book.leave(1, true, now));
  EXPECT_EQ(said(), (lines{"1 granted", "2 granted"}));
  EXPECT_FALSE(book.leave(2, true, now));
  EXPECT_EQ(book.size(), 0u);
  claim(3, "k", "other");
  EXPECT_EQ(said(), (lines{"3 granted"})) << "the key was not used";
  EXPECT_TRUE(book.dropped().empty()) << "the file has never known it";
}

TEST_F(KeyBook, WaitsUntilItIsKnownWhatWasCarriedOut) {
  claim(1);
  EXPECT_TRUE(book.leave(1, false, now));
  claim(2);
  EXPECT_EQ(said(), (lines{"1 granted"}));
  book.answered(1, answer("a"), now);
  EXPECT_EQ(said(), (lines{"2 answered a"}));
}

TEST_F(KeyBook, GrantsTheClaimAnewOnceItIsKnownThatNothingWas) {
  claim(1);
  claim(2);
  book.released(1, now);
  EXPECT_EQ(said(), (lines{"1 granted"})) << "its request has not said what it makes of that";
  EXPECT_TRUE(book.leave(1, false, now));
  book.released(1, now);
  EXPECT_EQ(said(), (lines{"2 granted"}));
  book.answered(1, answer("a"), now);
  book.released(1, now);
  EXPECT_EQ(said(), lines{}) << "of a claim that is over";
}

TEST_F(KeyBook, KeepsWhatWasRecordedWithTheEvents) {
  claim(1);
  book.answered(1, answer("a"), now);
  settle(1, "a");
  EXPECT_EQ(to_record(), lines{}) << "it is in the file";
  EXPECT_EQ(said(), (lines{"1 granted", "1 settled"}));
  claim(2, "other");
  book.answered(2, answer("not delivered yet"), now);
  claim(3, "other");
  settle(2, "delivered");
  EXPECT_EQ(to_record(), (lines{"other delivered"}));
  write("other");
  EXPECT_EQ(said(), (lines{"2 granted", "2 settled", "3 answered delivered"}));
}

TEST_F(KeyBook, TakesWhatWasRecordedWhereTheRequestHasNoAnswer) {
  claim(1);
  book.answered(1, answer("a"), now);
  EXPECT_FALSE(book.leave(1, false, now));
  claim(2);
  EXPECT_EQ(said(), (lines{"1 granted", "2 answered a"}));
}

TEST_F(KeyBook, IsSettledOnceByTheSameAnswerWhileThatIsRecorded) {
  claim(1);
  claim(2);
  settle(1, "a");
  settle(1, "a");
  EXPECT_EQ(to_record(), (lines{"k a"}));
  EXPECT_EQ(said(), (lines{"1 granted"})) << "it is not in the file yet";
  EXPECT_EQ(book.check(), std::nullopt);
  write();
  EXPECT_EQ(said(), (lines{"1 settled", "2 answered a"}));
}

TEST_F(KeyBook, WaitsForTheRecordOfAnAnswerThatIsPublishedMeanwhile) {
  claim(1);
  claim(2);
  settle(1, "a");
  EXPECT_FALSE(book.leave(1, false, now));
  book.answered(1, answer("a"), now);
  EXPECT_EQ(said(), (lines{"1 granted"}));
  EXPECT_EQ(book.check(), std::nullopt);
  write();
  EXPECT_EQ(said(), (lines{"2 answered a"}));
}

TEST_F(KeyBook, RecordsAnAnswerAgainThatCouldNotBeWritten) {
  claim(1);
  claim(2);
  settle(1, "a");
  write("k", ec::storage_full);
  EXPECT_EQ(said(), (lines{"1 granted", "1 storage_full", "2 storage_full"}));
  to_record();
  EXPECT_FALSE(book.leave(1, false, now));
  claim(3);
  EXPECT_EQ(said(), lines{});
  EXPECT_EQ(to_record(), (lines{"k a"})) << "it is not carried out again";
  write();
  EXPECT_EQ(said(), (lines{"3 answered a"}));
}

TEST_F(KeyBook, GrantsWhatIsPlannedOnceItIsInTheFileAndWithTheSameSeed) {
  claim(1, "k", "b", true);
  EXPECT_EQ(to_record(), (lines{"k -"}));
  EXPECT_EQ(said(), lines{});
  write();
  EXPECT_EQ(said(), (lines{"1 granted"}));
  EXPECT_TRUE(book.leave(1, false, now));
  book.released(1, now);
  EXPECT_EQ(book.size(), 1u) << "something may have been made of its seed";
  claim(2, "k", "b", true);
  EXPECT_EQ(to_record(), (lines{"k -"}));
  write();
  const auto verdicts = book.verdicts();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].seed, token::from_text("seed-1"));
}

TEST_F(KeyBook, ForgetsAPlannedClaimThatNothingWasMadeOf) {
  claim(1, "k", "b", true);
  write();
  EXPECT_FALSE(book.leave(1, true, now));
  EXPECT_EQ(book.size(), 0u);
  EXPECT_EQ(dropped(), (lines{"k"}));
  claim(2, "k", "other");
  EXPECT_EQ(said(), (lines{"1 granted", "2 granted"})) << "the key was not used";
}

TEST_F(KeyBook, GivesUpAPlannedClaimThatCannotBeWritten) {
  claim(1, "k", "b", true);
  claim(2, "k", "b", true);
  write("k", ec::storage_failed);
  EXPECT_EQ(said(), (lines{"1 storage_failed"}));
  write();
  EXPECT_EQ(said(), (lines{"2 granted"}));
}

TEST_F(KeyBook, ForgetsWhoIsGoneAndDoesNotGrantToIt) {
  claim(1);
  claim(2);
  claim(3);
  EXPECT_FALSE(book.leave(2, false, now));
  EXPECT_FALSE(book.leave(1, true, now));
  EXPECT_EQ(said(), (lines{"1 granted", "3 granted"}));
  claim(4, "p", "b", true);
  EXPECT_FALSE(book.leave(4, false, now)) << "nothing is done before it is written";
  claim(5, "p", "b", true);
  write("p");
  write("p");
  EXPECT_EQ(said(), (lines{"5 granted"}));
}

TEST_F(KeyBook, ForgetsAnswersThatAreOld) {
  claim(1);
  settle(1, "a");
  write();
  now += 299s;
  EXPECT_TRUE(book.expire(now).empty());
  claim(2);
  EXPECT_EQ(said().back(), "2 answered a");
  now += 1s;
  EXPECT_TRUE(book.expire(now).empty());
  EXPECT_EQ(dropped(), (lines{"k"}));
  EXPECT_EQ(book.bytes(), 0u);
  claim(3);
  EXPECT_EQ(said(), (lines{"3 granted"}));
}

TEST_F(KeyBook, FindsOutAboutRequestsThatNobodyCanWaitForAnyMore) {
  claim(1);
  now += 1h;
  EXPECT_EQ(book.expire(now), (std::vector<claim_id>{1}));
  EXPECT_TRUE(book.leave(1, false, now));
  EXPECT_TRUE(book.expire(now).empty()) << "asked for already";
}

TEST_F(KeyBook, LeavesARequestAllOfItsTimeHoweverLongItHasWaited) {
  claim(1);
  claim(2);
  now += 100s;
  EXPECT_FALSE(book.leave(1, true, now));
  EXPECT_EQ(said().back(), "2 granted");
  now += 100s;
  EXPECT_TRUE(book.expire(now).empty());
  now += 100s;
  EXPECT_EQ(book.expire(now), (std::vector<claim_id>{2}));
}

TEST_F(KeyBook, WaitsForTheJournalHoweverLongARequestHasTaken) {
  claim(1, "k", "b", true);
  now += 1h;
  EXPECT_TRUE(book.expire(now).empty()) << "its record says what becomes of it";
  write();
  EXPECT_EQ(said(), (lines{"1 granted"}));
  EXPECT_EQ(book.expire(now), (std::vector<claim_id>{1}));
}

TEST_F(KeyBook, LeavesRequestsTheirTimeThatMayTakeLong) {
  book.claim({1, {"long", "b"}, false, 10min}, {}, now);
  claim(2, "short");
  now += 10min;
  EXPECT_EQ(book.expire(now), (std::vector<claim_id>{2}));
  now += 10min;
  EXPECT_EQ(book.expire(now), (std::vector<claim_id>{1, 2}));
}

TEST_F(KeyBook, HasRoomForSoMuchAndDropsTheOldestAnswer) {
  for (claim_id who = 1; who <= 20; ++who) {
    const auto key = std::to_string(who);
    claim(who, key.c_str());
    settle(who, "a");
    write(key.c_str());
    EXPECT_LE(book.bytes(), 2000u);
  }
  said();
  EXPECT_EQ(dropped().front(), "1");
  claim(21, "20");
  EXPECT_EQ(said(), (lines{"21 answered a"})) << "the newest is there";
}

TEST_F(KeyBook, MakesRoomForAnAnswerThatComesWhenItsRequestIsGone) {
  claim(1, "old");
  settle(1, "a");
  write("old");
  claim(2, "new");
  EXPECT_TRUE(book.leave(2, false, now));
  book.answered(2, answer(std::string(1900 - book.bytes() / 2, 'x')), now);
  EXPECT_EQ(dropped(), (lines{"old"}));
  EXPECT_LE(book.bytes(), 2000u);
}

TEST_F(KeyBook, HasNoMoreRoomForWhatAFormerLifeHasKept) {
  for (int i = 1; i <= 20; ++i) {
    const auto name = std::to_string(i);
    book.restore({{name, "b"}, token::from_text("seed"), answer("a"), {}}, now);
  }
  ASSERT_LE(book.bytes(), 2000u);
  EXPECT_EQ(dropped().front(), "1") << "the oldest";
  claim(1, "20");
  EXPECT_EQ(said(), (lines{"1 answered a"}));
}

TEST_F(KeyBook, RefusesWhatHasNoRoomWhereAllIsUnderWay) {
  claim_id who = 0;
  do {
    ++who;
    claim(who, std::to_string(who).c_str());
  } while (said() != lines{std::to_string(who) + " overloaded"} && who < 100);
  EXPECT_LT(who, 100u);
  EXPECT_GT(who, 3u);
  EXPECT_FALSE(book.leave(1, true, now));
  claim(101, "another");
  EXPECT_EQ(said(), (lines{"101 granted"}));
}

TEST_F(KeyBook, ForgetsNothingForWhatHasNoRoomAnyway) {
  claim(1);
  settle(1, "a");
  write();
  said();
  claim(2, std::string(2000, 'n').c_str());
  claim(3);
  EXPECT_EQ(said(), (lines{"2 overloaded", "3 answered a"}));
}

TEST_F(KeyBook, GoesOnWhereAFormerLifeHasEnded) {
  book.restore({{"k", "b"}, token::from_text("seed"), answer("a"), {}}, now - 10s);
  book.restore({{"claimed", "b"}, token::from_text("seed-x"), nullptr, {}}, now - 5s);
  claim(1);
  claim(2, "k", "other");
  claim(3, "claimed", "b", true);
  EXPECT_EQ(said(), (lines{"1 answered a", "2 key_reused"}));
  write("claimed");
  const auto verdicts = book.verdicts();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].seed, token::from_text("seed-x"));
  now += 290s;
  (void)book.expire(now);
  EXPECT_EQ(dropped(), (lines{"k"}));
}

} // namespace
} // namespace herald
