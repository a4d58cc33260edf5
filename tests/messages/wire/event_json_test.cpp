#include "messages/wire/event_json.hpp"

#include <gtest/gtest.h>

#include "messages/json/json_text.hpp"

namespace herald {
namespace {

failure refusal(std::string_view body, const event_limits& limits = {}) {
  auto events = parse_events(body, limits);
  return events ? failure{ec::none, {}, {}} : describe(events.error());
}

draft only_event(std::string_view body) {
  auto events = parse_events(body, {});
  if (!events || events->drafts.size() != 1) {
    ADD_FAILURE() << body;
    return {};
  }
  EXPECT_FALSE(events->many);
  return events->drafts[0];
}

TEST(ParseEvents, ReadsAnEventForAll) {
  const auto event = only_event(R"({"event": "news", "data": {"a": [1.0, "x"]}})");
  EXPECT_EQ(event.name, "news");
  EXPECT_EQ(event.data, R"({"a":[1.0,"x"]})");
  EXPECT_TRUE(event.to.everyone());
  EXPECT_EQ(event.service, service_type::event);
}

TEST(ParseEvents, ReadsAnEventForOne) {
  const auto event = only_event(R"({"request_id":"X","data":null,"event":"news"})");
  EXPECT_EQ(event.to.only, request_id{"X"});
  EXPECT_EQ(event.data, "null");
}

TEST(ParseEvents, SendsDataAsJsonAndTextAsItIs) {
  EXPECT_EQ(only_event(R"({"event":"a","data":"x\ny"})").data, R"("x\ny")");
  EXPECT_EQ(only_event(R"({"event":"a","text":"x\ny"})").data, "x\ny");
  EXPECT_EQ(only_event(R"({"event":"a","text":""})").data, "");
}

TEST(ParseEvents, WantsExactlyOneOfDataAndText) {
  EXPECT_EQ(refusal(R"({"event":"a"})").field, "data");
  EXPECT_EQ(refusal(R"({"event":"a","data":1,"text":"x"})").field, "text");
  EXPECT_EQ(refusal(R"({"event":"a","data":null,"text":"x"})").field, "text");
  EXPECT_EQ(refusal(R"({"event":"a","text":1})").field, "text");
}

TEST(ParseEvents, NeverTurnsAMistakeIntoABroadcast) {
  for (const auto* body :
       {R"({"event":"a","data":1,"requestid":"X"})", R"({"event":"a","data":1,"request_id":null})",
        R"({"event":"a","data":1,"request_id":""})", R"({"event":"a","data":1,"request_id":7})",
        R"({"event":"a","data":1,"request_id":["X"]})",
        R"({"event":"a","data":1,"request_id":"a:b"})",
        R"({"event":"a","data":1,"request_id":"X","request_id":"Y"})",
        R"({"event":"a","data":1,"request_id":"a\u0000"})"})
    EXPECT_NE(refusal(body).code, ec::none) << body;
}

TEST(ParseEvents, ChecksTheName) {
  const auto named = [](const std::string& name) {
    return refusal(R"({"data":1,"event":)" + json_string(name) + "}");
  };
  EXPECT_EQ(named(std::string(128, 'x')).code, ec::none);
  std::string accents;
  for (int i = 0; i < 128; ++i)
    accents += "\u00e9";
  EXPECT_EQ(named(accents).code, ec::none) << "characters are counted, not bytes";
  for (const auto& name :
       {std::string{}, std::string(129, 'x'), std::string("a\rb"), std::string("a\nb"),
        std::string("a\0b", 3)}) {
    EXPECT_EQ(named(name).code, ec::invalid_field) << name;
    EXPECT_EQ(named(name).field, "event") << name;
  }
}

TEST(ParseEvents, BoundsTheDataOfAnEvent) {
  const event_limits limits{10, 100};
  EXPECT_EQ(refusal(R"({"event":"a","data":[1, 2, 3, 4]})", limits).code, ec::none);
  auto why = refusal(R"([{"event":"a","data":1},{"event":"a","data":"123456789"}])", limits);
  EXPECT_EQ(why.code, ec::event_too_large);
  EXPECT_EQ(why.field, "[1].data");
  why = refusal(R"({"event":"a","text":"12345678901"})", limits);
  EXPECT_EQ(why.code, ec::event_too_large);
  EXPECT_EQ(why.field, "text");
}

TEST(ParseEvents, ReadsManyInOrderAllOrNone) {
  auto events = parse_events(R"([{"event":"a","data":1},{"event":"b","text":"t"}])", {});
  ASSERT_TRUE(events);
  EXPECT_TRUE(events->many);
  ASSERT_EQ(events->drafts.size(), 2u);
  EXPECT_EQ(events->drafts[0].name, "a");
  EXPECT_EQ(events->drafts[1].data, "t");
  EXPECT_EQ(refusal(R"([{"event":"a","data":1},{"event":"","data":1}])").field, "[1].event");
  events = parse_events("[]", {});
  ASSERT_TRUE(events);
  EXPECT_TRUE(events->many);
  EXPECT_TRUE(events->drafts.empty());
}

TEST(ParseEvents, ReadsLines) {
  auto events = parse_events(
    "{\"event\":\"a\",\"data\":1}\n\n{\"event\":\"b\",\"data\":2}\n", {}, event_format::ndjson);
  ASSERT_TRUE(events);
  EXPECT_TRUE(events->many);
  ASSERT_EQ(events->drafts.size(), 2u);
  EXPECT_EQ(events->drafts[1].data, "2");
}

TEST(EventJson, ShowsReceipts) {
  const publish_receipt one{{{12}}, 5, 3, 1};
  EXPECT_EQ(receipt_json(one, false), R"({"id":"12","recipients":5})");
  EXPECT_EQ(
    receipt_json(one, true), R"({"id":"12","recipients":5,"delivered":3,"failed":1,"pending":1})");
  EXPECT_EQ(
    receipt_json({{{12}}, 4, 3, 1}, true),
    R"({"id":"12","recipients":4,"delivered":3,"failed":1})");
  EXPECT_EQ(batch_receipt_json({{{1}, {2}}, 4, 0, 0}, false), R"({"count":2,"ids":["1","2"]})");
  EXPECT_EQ(
    batch_receipt_json({{{1}, {2}}, 4, 3, 1}, true),
    R"({"count":2,"ids":["1","2"],"recipients":4,"delivered":3,"failed":1})");
  EXPECT_EQ(batch_receipt_json({}, false), R"({"count":0,"ids":[]})");
}

} // namespace
} // namespace herald
