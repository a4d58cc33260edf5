#include "http/streams/stream_openings.hpp"

#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;
using names = std::vector<std::string>;

class StreamOpenings : public ::testing::Test {
protected:
  static open_connection request(const std::string& stream) {
    open_connection made;
    made.stream = token::from_text(stream);
    return made;
  }

  /// The streams that the owner is told of, in one announcement.
  names announced(std::chrono::milliseconds at) {
    names told;
    openings.announce(start + at, [&](std::vector<open_connection>& all) {
      for (const auto& one : all)
        told.push_back(one.stream.str());
    });
    return told;
  }

  stream_openings openings{30s};
  stream_openings::time_point start{1000h};
};

TEST_F(StreamOpenings, KnowWhatTheAnswerToAClientNeeds) {
  openings.add(3, {{{"Vary", "Origin"}}, framing::chunked}, start);
  openings.add(5, {}, start);
  EXPECT_EQ(openings.size(), 2u);
  ASSERT_NE(openings.find(3), nullptr);
  EXPECT_EQ(openings.find(3)->how, framing::chunked);
  EXPECT_EQ(openings.find(3)->cors, (header_list{{"Vary", "Origin"}}));
  EXPECT_EQ(openings.find(4), nullptr);
  openings.remove(3);
  openings.remove(4);
  EXPECT_EQ(openings.find(3), nullptr);
  EXPECT_EQ(openings.size(), 1u);
}

TEST_F(StreamOpenings, NameThoseWhoWaitForTooLong) {
  openings.add(1, {}, start);
  openings.add(2, {}, start);
  openings.add(3, {}, start + 1s);
  openings.remove(1);
  EXPECT_EQ(openings.overdue(start + 29999ms), std::nullopt);
  EXPECT_EQ(openings.overdue(start + 30s), 2u);
  EXPECT_EQ(openings.overdue(start + 30s), 2u) << "until it is answered";
  openings.remove(2);
  EXPECT_EQ(openings.overdue(start + 30s), std::nullopt);
  EXPECT_EQ(openings.overdue(start + 31s), 3u);
}

TEST_F(StreamOpenings, GiveTheNextClientInASlotATimeOfItsOwn) {
  openings.add(1, {}, start);
  openings.remove(1);
  openings.add(1, {}, start + 10s);
  EXPECT_EQ(openings.overdue(start + 30s), std::nullopt);
  EXPECT_EQ(openings.overdue(start + 40s), 1u);
  EXPECT_EQ(openings.last_added(), start + 10s);
}

TEST_F(StreamOpenings, AreAnnouncedTogetherAndNotTooOften) {
  EXPECT_EQ(openings.announcement_due(), std::nullopt);
  EXPECT_EQ(announced(0ms), names{});
  openings.announce_later(request("a"));
  EXPECT_LE(openings.announcement_due(), start) << "none was announced before";
  EXPECT_EQ(announced(0ms), names{"a"});
  EXPECT_EQ(openings.announcement_due(), std::nullopt);
  openings.announce_later(request("b"));
  openings.announce_later(request("c"));
  EXPECT_EQ(openings.announcement_due(), start + stream_openings::announcement_pause);
  EXPECT_EQ(announced(1ms), (names{"b", "c"}));
  EXPECT_EQ(announced(1ms), names{});
}

TEST_F(StreamOpenings, KeepThePauseAfterAnAnnouncementThatCouldNotWait) {
  openings.announce_later(request("a"));
  EXPECT_EQ(announced(0ms), names{"a"});
  openings.announce_later(request("b"));
  EXPECT_EQ(announced(0ms), names{"b"});
  openings.announce_later(request("c"));
  EXPECT_EQ(openings.announcement_due(), start + stream_openings::announcement_pause);
}

TEST_F(StreamOpenings, GiveMemoryBackAfterAStormOnly) {
  openings.add(0, {}, start);
  openings.remove(0);
  EXPECT_FALSE(openings.release_memory());
  for (stream_slot slot = 1; slot < stream_openings::storm; ++slot)
    openings.add(slot, {}, start);
  for (stream_slot slot = 2; slot < stream_openings::storm; ++slot)
    openings.remove(slot);
  EXPECT_FALSE(openings.release_memory()) << "one waits";
  openings.remove(1);
  EXPECT_TRUE(openings.release_memory());
  EXPECT_FALSE(openings.release_memory());
}

} // namespace
} // namespace herald
