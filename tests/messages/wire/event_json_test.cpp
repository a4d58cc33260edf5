#include "messages/wire/event_json.hpp"
#include "tests/support/audiences.hpp"

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
  EXPECT_EQ(event.to, nullptr);
  EXPECT_EQ(event.service, service_type::event);
}

TEST(ParseEvents, ReadsAnEventForOne) {
  const auto event = only_event(R"({"request_id":"X","data":null,"event":"news"})");
  EXPECT_EQ(page_of(event.to), request_id{"X"});
  EXPECT_EQ(event.data, "null");
}

TEST(ParseEvents, ReadsWhoAnEventIsForAndHowLong) {
  const auto event = only_event(
    R"({"event":"e","data":1,"topics":["a/b","c"],"role":"editor","except":"X","ttl_s":1.5,)"
    R"("history":false})");
  ASSERT_TRUE(event.to);
  EXPECT_EQ(event.to->topics, (std::vector<std::string>{"a/b", "c"}));
  EXPECT_EQ(event.to->role, "editor");
  EXPECT_EQ(event.to->except, (std::vector{request_id{"X"}}));
  EXPECT_EQ(event.ttl.count(), 1500);
  EXPECT_FALSE(event.history);
  EXPECT_EQ(event.value, retention::none);
}

TEST(ParseEvents, RetainsTheValueOfATopicOrForgetsIt) {
  EXPECT_EQ(
    only_event(R"({"event":"e","data":1,"topic":"a","retain":true,"ttl_s":60})").value,
    retention::keep);
  EXPECT_EQ(
    only_event(R"({"event":"e","data":null,"topic":"a","retain":true})").value, retention::forget);
  EXPECT_EQ(
    only_event(R"({"event":"e","text":"null","topic":"a","retain":true})").value, retention::keep)
    << "a text is a value";
  EXPECT_EQ(only_event(R"({"event":"e","data":1,"retain":false})").value, retention::none);
  for (const auto* body :
       {R"({"event":"e","data":1,"retain":true})",
        R"({"event":"e","data":1,"topics":["a","b"],"retain":true})",
        R"({"event":"e","data":1,"topic":"a","request_id":"X","retain":true})",
        R"({"event":"e","data":1,"topic":"a","subject":"X","retain":true})",
        R"({"event":"e","data":1,"topic":"a","role":"X","retain":true})",
        R"({"event":"e","data":1,"topic":"a","except":"X","retain":true})",
        R"({"event":"e","data":1,"topic":"a","history":false,"retain":true})"}) {
    const auto why = refusal(body);
    EXPECT_EQ(why.code, ec::invalid_field) << body;
    EXPECT_EQ(why.field, "retain") << body;
  }
}

TEST(ParseEvents, RefusesATimeToLiveThatIsNone) {
  for (const auto* ttl : {"0", "-1", "0.0001", "31536001", "1e300"})
    EXPECT_EQ(refusal(std::string{R"({"event":"e","data":1,"ttl_s":)"} + ttl + "}").field, "ttl_s")
      << ttl;
  EXPECT_EQ(only_event(R"({"event":"e","data":1,"ttl_s":31536000})").ttl.count(), 31'536'000'000);
}

TEST(EventPageJson, ShowsWhatIsKeptAndForWhom) {
  const wall_time noon = wall_time{} + std::chrono::milliseconds{1'738'324'800'007};
  event made;
  made.id = {7};
  made.name = "e";
  made.data = R"({"a":1})";
  audience to;
  to.topics = {"t"};
  event_page page;
  page.events.push_back(
    {{std::make_shared<const event>(made), std::make_shared<const audience>(to)}, noon});
  made.data = "no json";
  page.events.push_back({{std::make_shared<const event>(made), nullptr}, noon});
  page.last = {9};
  EXPECT_EQ(
    to_json(page),
    R"({"events":[{"id":"7","event":"e","data":{"a":1},"time":"2025-01-31T12:00:00.007Z","topic":"t"},)"
    R"({"id":"7","event":"e","text":"no json","time":"2025-01-31T12:00:00.007Z"}],)"
    R"("last_id":"9","gap":false})");
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
