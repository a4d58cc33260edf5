#include "http/fanout/shared_frame.hpp"

#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(FrameText, IsItsPartsOneBehindTheOther) {
  EXPECT_EQ(frame_text::of({})->view(), "");
  EXPECT_EQ(frame_text::of({"a", "", std::string_view{}, "bc"})->view(), "abc");
}

TEST(FrameText, IsThereAsLongAsSomebodyHoldsIt) {
  auto one = frame_text::framed(framing::bare, std::string(100, 'x'));
  const auto other = one;
  one.reset();
  EXPECT_EQ(other->view(), std::string(100, 'x'));
}

TEST(SharedFrame, HasOneTextForEachFraming) {
  shared_frame frame{"frame", service_type::event, 7};
  const auto bare = frame.as(framing::bare);
  const auto chunked = frame.as(framing::chunked);
  EXPECT_EQ(bare->view(), "frame");
  EXPECT_EQ(chunked->view(), "5\r\nframe\r\n");
  EXPECT_EQ(frame.as(framing::bare), bare);
  EXPECT_EQ(frame.as(framing::chunked), chunked);
  EXPECT_EQ(frame.size(), 5u);
  EXPECT_EQ(frame.service(), service_type::event);
  EXPECT_EQ(frame.ticket(), 7u);
}

} // namespace
} // namespace herald
