#include "actors/registry/id_source.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(IdSource, GivesOutWhatIsReservedAndNoMore) {
  id_source ids{{100}, {102}};
  EXPECT_TRUE(ids.has(2));
  EXPECT_FALSE(ids.has(3));
  EXPECT_EQ(ids.next(), event_id{101});
  EXPECT_EQ(ids.next(), event_id{102});
  EXPECT_FALSE(ids.has(1));
  EXPECT_TRUE(ids.has(0));
}

TEST(IdSource, AsksForMoreInTimeAndOnce) {
  id_source ids{{0}, {id_source::reservation}};
  EXPECT_FALSE(ids.due());
  for (std::uint64_t i = 0; i <= id_source::reservation / 2; ++i)
    ids.next();
  const auto asked = ids.due();
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->value, ids.last().value + id_source::reservation);
  EXPECT_FALSE(ids.due()) << "it is being asked for";
  EXPECT_FALSE(ids.has(id_source::reservation)) << "not before it is granted";
  ids.answered(true);
  EXPECT_TRUE(ids.has(id_source::reservation));
  EXPECT_FALSE(ids.due());
}

TEST(IdSource, AsksAgainWhereItWasNotGranted) {
  id_source ids{{0}, {10}};
  ASSERT_TRUE(ids.due());
  ids.answered(false);
  EXPECT_FALSE(ids.has(11));
  EXPECT_TRUE(ids.due());
}

TEST(IdSource, NeverAsksWithoutAJournal) {
  id_source ids{{1'700'000'000'000'000}, id_source::unbounded};
  ids.next();
  EXPECT_FALSE(ids.due());
  EXPECT_TRUE(ids.has(1'000'000'000));
}

} // namespace
} // namespace herald
