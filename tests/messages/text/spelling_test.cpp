#include "messages/text/spelling.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(Spelling, CountsTheSlipsBetweenTwoTexts) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("port", "port"), 0u);
  EXPECT_EQ(edit_distance("", "port"), 4u);
  EXPECT_EQ(edit_distance("prt", "port"), 1u);
  EXPECT_EQ(edit_distance("poort", "port"), 1u);
  EXPECT_EQ(edit_distance("part", "port"), 1u);
  EXPECT_EQ(edit_distance("prot", "port"), 1u) << "neighbours that swapped places are one slip";
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Spelling, FindsWhatWasMeant) {
  const std::vector<std::string> keys = {"api.port", "stream.port", "stream.heartbeat_s"};
  EXPECT_EQ(closest_spelling("stream.prot", keys), "stream.port");
  EXPECT_EQ(closest_spelling("streams.port", keys), "stream.port");
  EXPECT_EQ(closest_spelling("stream.heartbeat", keys), "stream.heartbeat_s");
  EXPECT_EQ(closest_spelling("ap.port", keys), "api.port");
}

TEST(Spelling, IgnoresCaseAndSeparators) {
  const std::vector<std::string> keys = {"xxxxxx.xxxxxx", "stream.max_streams"};
  EXPECT_EQ(closest_spelling("STREAM-MAX-STREAMS", keys), "stream.max_streams");
}

TEST(Spelling, TakesTheFirstOfEquals) {
  EXPECT_EQ(closest_spelling("b", {"a", "c"}), "a");
}

TEST(Spelling, SurvivesAnythingAUserTypes) {
  EXPECT_EQ(closest_spelling("", {"a.b"}), "a.b");
  EXPECT_EQ(closest_spelling(std::string(1'000'000, 'x'), {"a.b"}), "a.b");
}

} // namespace
} // namespace herald
