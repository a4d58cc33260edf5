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

TEST(SseFormat, WritesACursorAsAnEventForClientsThatKeepNoOtherIds) {
  std::string out;
  append_cursor(out, {7}, cursor_form::event);
  EXPECT_EQ(out, "id: 7\nevent: cursor\ndata: {}\n\n");
}

TEST(SseFormat, WritesNoCursorWhereThereIsNone) {
  std::string out;
  append_cursor(out, {});
  append_cursor(out, {}, cursor_form::event);
  EXPECT_EQ(out, "");
}

std::string in_format(frame_format format, const char* name, const char* data) {
  std::string out;
  append_event(out, {}, name, data, format);
  return out;
}

TEST(SseFormat, PutsANamedEventIntoAnEnvelope) {
  const auto both = "data: {\"type\":\"a \\\"b\",\"payload\":{\"x\":1}}\n\n";
  for (const auto format :
       {frame_format::envelope, frame_format::envelope_mid, frame_format::envelope_v2}) {
    EXPECT_EQ(in_format(format, "a \"b", R"({"x":1})"), both);
    EXPECT_EQ(in_format(format, "n", ""), "data: {\"type\":\"n\",\"payload\":null}\n\n");
    EXPECT_EQ(in_format(format, "", "x"), "data: x\n\n") << "without a name it goes as it is";
  }
  EXPECT_EQ(in_format(frame_format::named, "n", "1"), "event: n\ndata: 1\n\n");
}

TEST(SseFormat, MakesATextInAnEnvelopeOfHeraldsOwnAJsonString) {
  EXPECT_EQ(
    in_format(frame_format::envelope, "n", "a \"b"),
    "data: {\"type\":\"n\",\"payload\":\"a \\\"b\"}\n\n");
}

TEST(SseFormat, BreaksNoEnvelopeAtALineBreakInItsData) {
  EXPECT_EQ(
    in_format(frame_format::envelope, "n", "{\n\"x\":1}"),
    "data: {\"type\":\"n\",\"payload\":{\ndata: \"x\":1}}\n\n");
}

TEST(SseFormat, LeavesNamedWhatAGenerationDoes) {
  const auto named = "event: connection_close\ndata: {}\n\n";
  EXPECT_EQ(in_format(frame_format::envelope_mid, "connection_close", "{}"), named);
  EXPECT_NE(in_format(frame_format::envelope_v2, "connection_close", "{}"), named);
  EXPECT_EQ(in_format(frame_format::envelope_v2, "ready", ""), "event: ready\ndata:\n\n");
  EXPECT_EQ(
    in_format(frame_format::envelope_v2, "rejected", "{}"), "event: rejected\ndata: {}\n\n");
  EXPECT_NE(in_format(frame_format::envelope, "ready", ""), "event: ready\ndata:\n\n");
}

} // namespace
} // namespace herald
