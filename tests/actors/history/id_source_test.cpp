#include "actors/history/id_source.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

entries_recorded answer(ticket_id first, ticket_id last, ec code = ec::none) {
  return {first, last, {code, {}, {}}};
}

TEST(IdSource, GivesOutWhatIsReservedAndNoMore) {
  id_source ids{{100}, {102}};
  EXPECT_TRUE(ids.has(2));
  EXPECT_FALSE(ids.has(3));
  EXPECT_EQ(ids.next(2), event_id{101}) << "and the one behind it";
  EXPECT_EQ(ids.last(), event_id{102});
  EXPECT_FALSE(ids.has(1));
  EXPECT_TRUE(ids.has(0));
}

TEST(IdSource, AsksForMoreInTimeAndOnce) {
  id_source ids{{0}, {id_source::reservation}};
  EXPECT_FALSE(ids.due(1));
  ids.next(id_source::reservation / 2 + 1);
  const auto asked = ids.due(2);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->value, ids.last().value + id_source::reservation);
  EXPECT_FALSE(ids.due(3)) << "it is being asked for";
  ids.answered(answer(1, 1));
  EXPECT_FALSE(ids.has(id_source::reservation)) << "not before it is granted";
  ids.answered(answer(1, 2));
  EXPECT_TRUE(ids.has(id_source::reservation));
  EXPECT_FALSE(ids.due(4));
}

TEST(IdSource, AsksAgainWhereItWasNotGranted) {
  id_source ids{{0}, {10}};
  ASSERT_TRUE(ids.due(1));
  ids.answered(answer(1, 1, ec::storage_full));
  EXPECT_FALSE(ids.has(11));
  ASSERT_TRUE(ids.due(2));
  ids.answered(answer(3, 3));
  EXPECT_FALSE(ids.has(11)) << "the journal has left it out";
  EXPECT_TRUE(ids.due(4));
}

TEST(IdSource, PlansIdsAboveThoseThatAreGivenOutMeanwhile) {
  id_source ids{{0}, {id_source::reservation}};
  const auto planned = ids.plan(3);
  ASSERT_TRUE(planned);
  EXPECT_TRUE(ids.has(id_source::lead));
  EXPECT_FALSE(ids.has(id_source::lead + 1)) << "or an id would be given out twice";
  EXPECT_LT(ids.next(id_source::lead), *planned);
  ids.pass_planned(3);
  EXPECT_EQ(ids.last().value, planned->value + 2);
  EXPECT_EQ(ids.next().value, planned->value + 3);
}

TEST(IdSource, PlansNothingThatIsNotReserved) {
  id_source ids{{0}, {id_source::lead + 2}};
  EXPECT_FALSE(ids.plan(3));
  ASSERT_TRUE(ids.due(1));
  ids.answered(answer(1, 1));
  EXPECT_TRUE(ids.plan(3));
  EXPECT_FALSE(ids.due(2)) << "what is planned is reserved";
}

TEST(IdSource, NeverAsksWithoutAJournal) {
  id_source ids{{1'700'000'000'000'000}, id_source::unbounded};
  ids.next();
  EXPECT_FALSE(ids.due(1));
  EXPECT_TRUE(ids.has(1'000'000'000));
}

TEST(IdSource, LeavesIdsToOthersThatAreNotPlannedAnyMore) {
  id_source ids{{10}, id_source::unbounded};
  const auto planned = ids.plan(2);
  ASSERT_TRUE(planned);
  ids.unplan();
  EXPECT_EQ(ids.next(), event_id{11});
  EXPECT_TRUE(ids.has(id_source::lead * 2));
  EXPECT_EQ(ids.plan(2)->value, planned->value + 1);
}

} // namespace
} // namespace herald
