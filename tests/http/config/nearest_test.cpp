#include "http/config/nearest.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(Nearest, CountsTheSlipsBetweenTwoTexts) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("port", "port"), 0u);
  EXPECT_EQ(edit_distance("", "port"), 4u);
  EXPECT_EQ(edit_distance("prt", "port"), 1u);
  EXPECT_EQ(edit_distance("poort", "port"), 1u);
  EXPECT_EQ(edit_distance("part", "port"), 1u);
  EXPECT_EQ(edit_distance("prot", "port"), 1u) << "neighbours that swapped places are one slip";
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Nearest, FindsWhatWasMeant) {
  const std::vector<std::string> keys = {"api.port", "stream.port", "stream.heartbeat_s"};
  EXPECT_EQ(nearest("stream.prot", keys), "stream.port");
  EXPECT_EQ(nearest("streams.port", keys), "stream.port");
  EXPECT_EQ(nearest("stream.heartbeat", keys), "stream.heartbeat_s");
  EXPECT_EQ(nearest("ap.port", keys), "api.port");
}

TEST(Nearest, IgnoresCaseAndSeparators) {
  const std::vector<std::string> keys = {"xxxxxx.xxxxxx", "stream.max_streams"};
  EXPECT_EQ(nearest("STREAM-MAX-STREAMS", keys), "stream.max_streams");
}

TEST(Nearest, TakesTheFirstOfEquals) {
  EXPECT_EQ(nearest("b", {"a", "c"}), "a");
}

TEST(Nearest, SurvivesAnythingAUserTypes) {
  EXPECT_EQ(nearest("", {"a.b"}), "a.b");
  EXPECT_EQ(nearest(std::string(1'000'000, 'x'), {"a.b"}), "a.b");
}

} // namespace
} // namespace herald
