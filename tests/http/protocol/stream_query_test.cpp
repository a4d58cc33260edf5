#include "http/protocol/stream_query.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using texts = std::vector<std::string>;

std::string fault_of(const std::string& query, const stream_query::rules& rules = {}) {
  const stream_query asked{query, rules};
  if (!asked.fault())
    return {};
  return asked.fault()->field + ": " + asked.fault()->detail;
}

TEST(StreamQuery, LeavesOfATargetWhatIsToBeRemembered) {
  EXPECT_EQ(
    kept_target("/s?key=hush&topic=a%2Fb&request_id=x&topic=c/*&broadcast=false&last_event_id=7"),
    "/s?topic=a%2Fb&request_id=x&topic=c/*&broadcast=false");
  EXPECT_EQ(kept_target("/s?key=hush"), "/s");
  EXPECT_EQ(kept_target("/s"), "/s");
  EXPECT_EQ(kept_target("/s?&&request%5Fid=x&topic&%zz=1"), "/s?request%5Fid=x&topic");
}

TEST(StreamQuery, AsksForNothingWhereItSaysNothing) {
  const stream_query query{"request_id=a&page=7&subject=ann&role=x&topic_id=3", {}};
  EXPECT_EQ(query.fault(), std::nullopt);
  EXPECT_EQ(query.id(), "a");
  EXPECT_EQ(query.asks(), nullptr) << "who a page is its URL cannot say";
}

TEST(StreamQuery, GathersTopicsOfWhichTheSameCountsOnce) {
  const stream_query query{"topic=orders%2F42&request_id=a&topic=news/*&topic=orders/42", {}};
  ASSERT_EQ(query.fault(), std::nullopt);
  ASSERT_TRUE(query.asks());
  EXPECT_EQ(query.asks()->patterns, (texts{"orders/42", "news/*"}));
  EXPECT_TRUE(query.asks()->broadcast);
}

TEST(StreamQuery, TakesASwitchForBroadcasts) {
  for (const auto* off : {"false", "0"})
    EXPECT_FALSE(stream_query(std::string{"request_id=a&broadcast="} + off, {}).asks()->broadcast);
  for (const auto* on : {"true", "1"})
    EXPECT_EQ(stream_query(std::string{"request_id=a&broadcast="} + on, {}).asks(), nullptr);
}

TEST(StreamQuery, BlamesTheFirstParameterThatIsWrong) {
  const std::pair<const char*, const char*> table[] = {
    {"request_id=a&topic=", "topic: topic must not be empty"},
    {"request_id=a&topic=x//y", "topic: topic must not have an empty segment"},
    {"request_id=a&topic=*/y", "topic: topic may have a segment * at its end only"},
    {"request_id=a&topic=%zz", "topic: topic must be percent-encoded"},
    {"request_id=a&topic=a%E2%80%8B", "topic: topic must not contain control or format characters"},
    {"request_id=a&broadcast=no", "broadcast: broadcast must be true or false"},
    {"request_id=a&broadcast=1&broadcast=1", "broadcast: broadcast must not be given twice"},
    {"request_id=a&topics=x", "topics: topics is not known here; is topic meant?"},
    {"topic=x", "request_id: request_id is required"},
  };
  for (const auto& [query, fault] : table)
    EXPECT_EQ(fault_of(query), fault) << query;
}

TEST(StreamQuery, TakesATicketWhereItMayHaveOne) {
  const stream_query::rules tickets{64, false, true};
  const stream_query query{"request_id=a&ticket=x-1", tickets};
  EXPECT_EQ(query.fault(), std::nullopt);
  EXPECT_EQ(query.ticket(), "x-1");
  EXPECT_EQ(query.cursor(), std::nullopt);
  EXPECT_EQ(
    fault_of("request_id=a&ticket=x&ticket=x", tickets), "ticket: ticket must not be given twice");
  EXPECT_EQ(fault_of("request_id=a&ticket=%zz", tickets), "ticket: ticket must be percent-encoded");
  const stream_query page{"request_id=a&ticket=x&ticket=y", {}};
  EXPECT_EQ(page.fault(), std::nullopt) << "else it is the page's own";
  EXPECT_EQ(page.ticket(), std::nullopt);
}

TEST(StreamQuery, LimitsTheTopicsOfAUrl) {
  const stream_query::rules two{2, false};
  EXPECT_EQ(fault_of("request_id=a&topic=x&topic=y&topic=x", two), "");
  EXPECT_EQ(
    fault_of("request_id=a&topic=x&topic=y&topic=z", two),
    "topic: topic may be given 2 times (stream.max_topics)");
}

TEST(StreamQuery, SaysWhoAPageIsInTestsAlone) {
  const stream_query::rules testing{64, true};
  const stream_query query{"request_id=a&subject=ann&role=editor&role=admin&role=editor", testing};
  ASSERT_EQ(query.fault(), std::nullopt);
  EXPECT_EQ(query.asks()->subject, "ann");
  EXPECT_EQ(query.asks()->roles, (texts{"editor", "admin"}));
  EXPECT_EQ(
    fault_of("request_id=a&subject=x&subject=y", testing),
    "subject: subject must not be given twice");
  EXPECT_EQ(fault_of("request_id=a&role=", testing), "role: role must not be empty");
}

TEST(StreamQuery, TellsFaultsOfWhatIsAskedForFromOthers) {
  const stream_query other{"request_id=a&request_id=b&heartbeat=5", {}};
  EXPECT_TRUE(other.fault());
  EXPECT_FALSE(other.fault_of_asks());
  const stream_query both{"request_id=a&request_id=b&topic=", {}};
  ASSERT_TRUE(both.fault_of_asks());
  EXPECT_EQ(both.fault_of_asks()->field, "topic");
}

} // namespace
} // namespace herald
