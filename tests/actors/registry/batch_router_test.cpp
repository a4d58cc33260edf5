#include "actors/registry/batch_router.hpp"
#include "tests/support/audiences.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

class BatchRouter : public ::testing::Test {
protected:
  void connect(const std::string& id, connection_table::transport_index via) {
    table.open({id, token::from_text("t-" + id), "", transport_kind::embedded, via, wall_time{}});
  }

  static draft said(std::string data, std::optional<std::string> only = {}) {
    draft d{"note", std::move(data), {}, service_type::event};
    if (only)
      d.to = audience_of_page(request_id{*only});
    return d;
  }

  routed_batch route(std::vector<draft> drafts, bool journal = true) {
    batch_router router{table, history, values, journal};
    return router.route(drafts, {101}, now);
  }

  /// "data" for everyone, "data>token" for one stream.
  static lines of(const delivery_batch& part) {
    lines result;
    for (const auto& one : *part)
      result.push_back(one.what->data + (one.only ? ">" + one.only->str() : ""));
    return result;
  }

  connection_table table;
  event_history history{{3, 1 << 20, 1h}, {100}};
  retained_values values{{}};
  event_history::time_point now{1h};
};

TEST_F(BatchRouter, GivesTheDraftsTheirIdsInOrder) {
  connect("a", 0);
  const auto batch = route({said("1"), said("2", "a")});
  EXPECT_EQ(batch.receipt.ids, (std::vector<event_id>{{101}, {102}}));
  const auto& second = *batch.parts.at(0)->at(1).what;
  EXPECT_EQ(second.id, event_id{102});
  EXPECT_EQ(second.name, "note");
  EXPECT_EQ(second.data, "2");
  EXPECT_EQ(second.accepted, now);
}

TEST_F(BatchRouter, SharesABatchForEveryoneBetweenTheTransportsThatHaveStreams) {
  connect("a", 0);
  connect("gone", 1);
  connect("b", 2);
  connect("c", 2);
  table.close(token::from_text("t-gone"));
  const auto batch = route({said("1"), said("2")});
  ASSERT_EQ(batch.parts.size(), 3u);
  EXPECT_EQ(of(batch.parts[0]), (lines{"1", "2"}));
  EXPECT_EQ(batch.parts[1], nullptr);
  EXPECT_EQ(batch.parts[2], batch.parts[0]);
  EXPECT_EQ(batch.transports, 2u);
  EXPECT_EQ(batch.receipt.recipients, 6u);
}

TEST_F(BatchRouter, GivesATransportOfAMixedBatchWhatIsForItsStreams) {
  connect("a", 0);
  connect("b", 1);
  connect("idle", 2);
  const auto batch = route({said("1", "a"), said("2"), said("3", "b"), said("4", "nobody")});
  EXPECT_EQ(of(batch.parts.at(0)), (lines{"1>t-a", "2"}));
  EXPECT_EQ(of(batch.parts.at(1)), (lines{"2", "3>t-b"}));
  EXPECT_EQ(of(batch.parts.at(2)), (lines{"2"}));
  EXPECT_EQ(batch.receipt.recipients, 5u);

  const auto targeted = route({said("5", "b")});
  EXPECT_EQ(targeted.parts.at(0), nullptr);
  EXPECT_EQ(targeted.transports, 1u);
}

TEST_F(BatchRouter, RoutesToNobodyWhereNobodyIsConnected) {
  const auto batch = route({said("1"), said("2", "a")});
  EXPECT_TRUE(batch.parts.empty());
  EXPECT_EQ(batch.transports, 0u);
  EXPECT_EQ(batch.receipt.recipients, 0u);
  EXPECT_EQ(history.size(), 2u) << "for those who come back";
}

TEST_F(BatchRouter, KeepsWhatAStreamMayAskForAgain) {
  auto greeting = said("v", "a");
  greeting.service = service_type::version;
  auto announced = said("v");
  announced.service = service_type::version;
  const auto batch = route({said("1", "a"), greeting, announced});
  ASSERT_EQ(batch.kept.size(), 2u);
  EXPECT_EQ(batch.kept[0].what->id, event_id{101});
  EXPECT_EQ(page_of(batch.kept[0].to), request_id{"a"});
  EXPECT_EQ(batch.kept[1].what->id, event_id{103});
  EXPECT_EQ(batch.kept_bytes, 2 * (sizeof(event) + 4 + 1) + 1);
  EXPECT_EQ(history.size(), 2u);
  EXPECT_FALSE(history.since(event_id{103}).gap) << "a greeting has its place all the same";
}

TEST_F(BatchRouter, HasNothingForTheJournalWhereThereIsNone) {
  const auto batch = route({said("1")}, false);
  EXPECT_TRUE(batch.kept.empty());
  EXPECT_EQ(history.size(), 1u);
}

TEST_F(BatchRouter, GivesAPageItsOwnAlsoWhereItWantsNoBroadcasts) {
  connect("a", 0);
  reach quiet;
  quiet.broadcast = false;
  table.open(
    {"q",
     token::from_text("tq"),
     "",
     transport_kind::embedded,
     1,
     {},
     std::make_shared<const reach>(quiet)});
  auto one = said("1");
  one.also = request_id{"q"};
  auto other = said("2");
  other.also = request_id{"a"};
  const auto batch = route({one, other, said("3")});
  EXPECT_EQ(batch.receipt.recipients, 4u);
  EXPECT_EQ(of(batch.parts.at(0)), (lines{"1", "2", "3"}));
  EXPECT_EQ(of(batch.parts.at(1)), (lines{"1", "1>tq", "2", "3"}));
}

TEST_F(BatchRouter, CountsWhatTheHistoryEvicts) {
  EXPECT_EQ(route({said("1"), said("2")}).evicted, 0u);
  batch_router router{table, history, values, false};
  std::vector<draft> more(4, said("x"));
  EXPECT_EQ(router.route(more, {103}, now).evicted, 3u);
}

} // namespace
} // namespace herald
