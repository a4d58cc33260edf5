#include "http/fanout/framing.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

std::string framed(framing how, std::string_view frame) {
  std::string bytes = "before|";
  append_framed(bytes, how, frame);
  return bytes.substr(7);
}

TEST(Framing, MakesAChunkOfAFrame) {
  EXPECT_EQ(framed(framing::chunked, "x"), "1\r\nx\r\n");
  const std::string frame(0xabc, 'x');
  EXPECT_EQ(framed(framing::chunked, frame), "abc\r\n" + frame + "\r\n");
}

TEST(Framing, LeavesABareFrameAsItIs) {
  EXPECT_EQ(framed(framing::bare, "x"), "x");
}

TEST(Framing, MakesNoChunkOfNothing) {
  EXPECT_EQ(framed(framing::chunked, ""), "") << "it would be the last";
  EXPECT_EQ(framed(framing::bare, ""), "");
}

TEST(Framing, KnowsHowMuchItAdds) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 70'000U})
    for (const auto how : {framing::bare, framing::chunked})
      EXPECT_EQ(framed(how, std::string(size, 'x')).size(), size + frame_cover(how, size).size());
  EXPECT_EQ(frame_cover(framing::chunked, SIZE_MAX).head(), "ffffffffffffffff\r\n");
}

} // namespace
} // namespace herald
