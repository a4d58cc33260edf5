#include "http/fanout/sse_format.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

std::string event_of(event_id id, std::string_view name, std::string_view data) {
  std::string out;
  append_event(out, id, name, data);
  return out;
}

TEST(SseFormat, WritesIdNameAndData) {
  EXPECT_EQ(event_of({7}, "version", "{}"), "id: 7\nevent: version\ndata: {}\n\n");
}

TEST(SseFormat, OmitsWhatIsNotThere) {
  EXPECT_EQ(event_of({}, "", "x"), "data: x\n\n");
  EXPECT_EQ(event_of({}, "", ""), "data: \n\n");
}

TEST(SseFormat, WritesADataLineForEachLine) {
  EXPECT_EQ(event_of({}, "", "a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
  EXPECT_EQ(event_of({}, "", "\n"), "data: \ndata: \n\n");
  EXPECT_EQ(event_of({}, "", "a\r\n"), "data: a\ndata: \n\n");
  EXPECT_EQ(event_of({}, "", "a\n\rb"), "data: a\ndata: \ndata: b\n\n");
}

TEST(SseFormat, LetsNoNameBreakOutOfItsLine) {
  EXPECT_EQ(event_of({}, "a\ndata: b\r", "x"), "event: adata: b\ndata: x\n\n");
}

TEST(SseFormat, AppendsToWhatIsThere) {
  std::string out = "head";
  append_retry(out, std::chrono::milliseconds{3000});
  append_comment(out, "ok");
  append_cursor(out, {7});
  EXPECT_EQ(out, "headretry: 3000\n: ok\nid: 7\n\n") << "no empty line but for the cursor's";
}

TEST(SseFormat, WritesNoCursorWhereThereIsNone) {
  std::string out;
  append_cursor(out, {});
  EXPECT_EQ(out, "");
}

} // namespace
} // namespace herald
