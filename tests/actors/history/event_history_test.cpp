#include "actors/history/event_history.hpp"
#include "tests/support/audiences.hpp"

#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

class EventHistory : public ::testing::Test {
protected:
  static event_ptr make(std::uint64_t id, std::string data = "x") {
    auto made = std::make_shared<event>();
    made->id = {id};
    made->name = "n";
    made->data = std::move(data);
    return made;
  }

  static audience_ptr only(const char* id) { return audience_of_page(request_id{id}); }

  static std::vector<std::uint64_t> ids(const event_history::missed& missed) {
    std::vector<std::uint64_t> result;
    missed_events walk{{}, missed.range, plain_reach("me"), {}};
    while (const auto e = walk.next())
      result.push_back(e->id.value);
    return result;
  }

  using id_list = std::vector<std::uint64_t>;

  event_history::time_point now{1h};
};

TEST_F(EventHistory, GivesWhatCameAfterTheCursor) {
  event_history history{{}, {100}};
  for (std::uint64_t id = 101; id <= 105; ++id)
    history.append(make(id), {}, now);
  const auto missed = history.since(event_id{103});
  EXPECT_EQ(missed.gap, std::nullopt);
  EXPECT_EQ(ids(missed), (id_list{104, 105}));
  EXPECT_EQ(history.since(event_id{105}).range.blocks, nullptr);
  EXPECT_EQ(ids(history.since(event_id{100})).size(), 5u);
}

TEST_F(EventHistory, GivesOwnTargetedEventsAndNobodyElses) {
  event_history history{{}, {0}};
  history.append(make(1), only("me"), now);
  history.append(make(2), only("you"), now);
  history.append(make(3), {}, now);
  EXPECT_EQ(ids(history.since(event_id{0})), (id_list{1, 3}));
}

TEST_F(EventHistory, KeepsWhatOtherLimitsLeave) {
  event_history history{{10, 1 << 20, 1h}, {0}};
  for (std::uint64_t id = 1; id <= 10; ++id)
    history.append(make(id), {}, now + id * 1min);
  EXPECT_EQ(history.limit({6, 1 << 20, 1h}, now + 10min), 4u);
  EXPECT_EQ(ids(history.since(event_id{0})), (id_list{5, 6, 7, 8, 9, 10}));
  EXPECT_TRUE(history.since(event_id{0}).gap);
  EXPECT_EQ(history.limit({6, history.bytes() / 2, 1h}, now + 10min), 3u);
  EXPECT_EQ(history.limit({6, 1 << 20, 1min}, now + 10min), 1u);
  EXPECT_EQ(ids(history.since(event_id{8})), (id_list{9, 10}));
  EXPECT_EQ(history.limit({1000, 1 << 20, 1h}, now + 10min), 0u);
  for (std::uint64_t id = 11; id <= 100; ++id)
    EXPECT_EQ(history.append(make(id), {}, now + 10min), 0u);
  EXPECT_EQ(ids(history.since(event_id{8})).size(), 92u);
  EXPECT_TRUE(history.check());
}

TEST_F(EventHistory, ReportsAGapWhereEventsWereEvicted) {
  event_history history{{3, 1 << 20, 1h}, {0}};
  std::size_t evicted = 0;
  for (std::uint64_t id = 1; id <= 5; ++id)
    evicted += history.append(make(id), {}, now);
  EXPECT_EQ(evicted, 2u);
  const auto missed = history.since(event_id{1});
  EXPECT_EQ(missed.gap, event_id{2});
  EXPECT_EQ(ids(missed), (id_list{3, 4, 5}));
  EXPECT_EQ(history.since(event_id{2}).gap, std::nullopt) << "it has had all that was evicted";
}

TEST_F(EventHistory, ReportsAGapForACursorThatIsNotOurs) {
  event_history history{{}, {100}};
  history.append(make(101), {}, now);
  history.append(make(102), {}, now);
  EXPECT_EQ(history.since(event_id{50}).gap, event_id{100}) << "of an earlier life";
  EXPECT_EQ(ids(history.since(event_id{50})), (id_list{101, 102})) << "may be all that it missed";
  EXPECT_EQ(history.since(event_id{103}).gap, event_id{102}) << "of the future";
  EXPECT_EQ(history.since(std::nullopt).gap, event_id{102}) << "not understood";
}

TEST_F(EventHistory, RepeatsNothingForACursorThatNobodyWasGiven) {
  event_history history{{}, {100}};
  auto version = std::make_shared<event>(*make(101));
  version->service = service_type::version;
  history.append(version, {}, now);
  history.append(make(102), {}, now);
  for (const auto cursor : {std::optional<event_id>{}, std::optional{event_id{103}}}) {
    const auto missed = history.since(cursor);
    EXPECT_EQ(ids(missed), id_list{});
    EXPECT_TRUE(missed.versions.empty());
  }
}

TEST_F(EventHistory, KnowsIdsThatWereNotKept) {
  event_history history{{}, {100}};
  history.append(make(101), {}, now);
  history.pass({103});
  EXPECT_EQ(history.since(event_id{103}).gap, std::nullopt);
  EXPECT_EQ(history.since(event_id{104}).gap, event_id{103});
}

TEST_F(EventHistory, EvictsByAge) {
  event_history history{{100, 1 << 20, 10s}, {0}};
  history.append(make(1), {}, now);
  history.append(make(2), {}, now + 5s);
  EXPECT_EQ(history.expire(now + 10s), 0u);
  EXPECT_EQ(history.expire(now + 11s), 1u);
  EXPECT_EQ(history.since(event_id{0}).gap, event_id{1});
  EXPECT_EQ(history.append(make(3), {}, now + 30s), 1u);
  EXPECT_EQ(history.size(), 1u);
}

TEST_F(EventHistory, EvictsByBytes) {
  event_history history{{100, 10'000, 1h}, {0}};
  for (std::uint64_t id = 1; id <= 50; ++id)
    history.append(make(id, std::string(1000, 'x')), {}, now);
  EXPECT_LE(history.bytes(), 10'000u);
  EXPECT_GT(history.size(), 5u);
  history.append(make(51, std::string(20'000, 'x')), {}, now);
  EXPECT_EQ(history.size(), 0u) << "larger than all the room there is";
  EXPECT_EQ(history.bytes(), 0u);
  EXPECT_EQ(history.since(event_id{51}).gap, std::nullopt);
}

TEST_F(EventHistory, KeepsNothingWhereThatIsAsked) {
  event_history history{{0, 1 << 20, 1h}, {0}};
  history.append(make(1), {}, now);
  EXPECT_EQ(history.size(), 0u);
  EXPECT_EQ(history.since(event_id{0}).gap, event_id{1});
  EXPECT_EQ(history.since(event_id{1}).gap, std::nullopt);
}

TEST_F(EventHistory, SharesItsEventsAmongAllThatComeBack) {
  event_history history{{1000, 1 << 20, 1h}, {0}};
  for (std::uint64_t id = 1; id <= 100; ++id)
    history.append(make(id), {}, now);
  const auto one = history.since(event_id{5});
  const auto two = history.since(event_id{90});
  EXPECT_EQ(one.range.blocks, two.range.blocks);
  EXPECT_EQ(ids(two).size(), 10u);
  // What is appended or evicted later changes nothing for them.
  for (std::uint64_t id = 101; id <= 3000; ++id)
    history.append(make(id), {}, now);
  EXPECT_EQ(ids(one).size(), 95u);
  EXPECT_EQ(ids(one).front(), 6u);
  EXPECT_EQ(ids(two).back(), 100u);
  EXPECT_EQ(ids(history.since(event_id{2500})).size(), 500u);
}

TEST_F(EventHistory, AgreesWithAListOfAllEvents) {
  std::mt19937 random{3};
  for (int round = 0; round < 50; ++round) {
    const history_limits limits{1 + random() % 300, 500 + random() % 20'000, 20s};
    event_history history{limits, {0}};
    std::vector<std::uint64_t> all;
    std::uint64_t id = 0;
    for (int i = 0; i < 300; ++i) {
      id += 1 + random() % 3;
      now += std::chrono::milliseconds{random() % 300};
      history.append(make(id, std::string(random() % 200, 'x')), {}, now);
      all.push_back(id);
      const event_id cursor{random() % (id + 1)};
      const auto missed = history.since(cursor);
      ASSERT_EQ(missed.gap.has_value(), cursor < history.floor());
      const auto from =
        std::upper_bound(all.begin(), all.end(), std::max(cursor, history.floor()).value);
      ASSERT_EQ(ids(missed), id_list(from, all.end()));
      ASSERT_LE(history.size(), limits.max_events);
      ASSERT_LE(history.bytes(), limits.max_bytes);
      ASSERT_TRUE(history.check());
    }
  }
}

} // namespace
} // namespace herald
