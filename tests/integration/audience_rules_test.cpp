// Who hears what, as users see it: each rule on the built binary.

#include <map>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/eventually.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using nlohmann::json;

class AudienceRules : public ::testing::Test {
protected:
  sse_client open(const std::string& id, const std::string& asks = {}) {
    sse_client stream{herald.stream_port(), stream_target(id) + asks};
    EXPECT_TRUE(stream.open()) << stream.body();
    EXPECT_TRUE(stream.wait_for_cursor());
    return stream;
  }

  json publish(const json& event) {
    const auto answer = api.post("/api/events?wait=true", event.dump());
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json_of(answer);
  }

  /// The data of all events that the stream has had by the end of what it hears now.
  std::vector<std::string> heard_by(sse_client& stream, const std::string& id) {
    publish({{"event", "end"}, {"data", 0}, {"request_id", id}});
    std::vector<std::string> data;
    while (auto event = stream.next()) {
      if (event->name == "end")
        break;
      data.push_back(event->name == "gap" ? "gap" : event->data);
    }
    return data;
  }

  json get(const std::string& target) {
    const auto answer = api.get(target);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json_of(answer);
  }

  json change(const std::string& id, const json& body, int status = 200) {
    const auto answer = api.post("/api/connections/" + id + "/topics", body.dump());
    EXPECT_EQ(answer.status, status) << answer.body;
    return json_of(answer);
  }

  static std::vector<std::string> ids_of(const json& connections) {
    std::vector<std::string> ids;
    for (const auto& one : connections.at("connections"))
      ids.push_back(one.at("request_id"));
    return ids;
  }

  herald_process herald{{"--testing-enabled"}};
  http_client api{herald.api_port()};
};

using texts = std::vector<std::string>;

TEST_F(AudienceRules, AnEventOnATopicGoesToWhoListens) {
  auto order = open("order", "&topic=orders/42");
  auto orders = open("orders", "&topic=orders/*");
  auto other = open("other", "&topic=orders/43");
  auto plain = open("plain");
  const auto receipt = publish({{"event", "note"}, {"data", 1}, {"topic", "orders/42"}});
  EXPECT_EQ(receipt["recipients"], 2);
  EXPECT_EQ(receipt["delivered"], 2);
  EXPECT_EQ(heard_by(order, "order"), texts{"1"});
  EXPECT_EQ(heard_by(orders, "orders"), texts{"1"});
  EXPECT_EQ(heard_by(other, "other"), texts{});
  EXPECT_EQ(heard_by(plain, "plain"), texts{});
}

TEST_F(AudienceRules, AStreamNamedInSeveralWaysGetsTheEventOnce) {
  auto all = open("all", "&topic=a&topic=*&topic=b/*&subject=ann&role=editor");
  auto tab = open("tab", "&subject=ann");
  auto editor = open("editor", "&role=editor&role=reader");
  const auto receipt = publish(
    {{"event", "note"},
     {"data", 1},
     {"request_id", "all"},
     {"topics", {"a", "b/c"}},
     {"subject", "ann"},
     {"role", "editor"}});
  EXPECT_EQ(receipt["recipients"], 3);
  EXPECT_EQ(receipt["delivered"], 3);
  EXPECT_EQ(heard_by(all, "all"), texts{"1"});
  EXPECT_EQ(heard_by(tab, "tab"), texts{"1"});
  EXPECT_EQ(heard_by(editor, "editor"), texts{"1"});
}

TEST_F(AudienceRules, ExceptLeavesPagesOut) {
  auto author = open("author", "&topic=room");
  auto reader = open("reader", "&topic=room");
  EXPECT_EQ(
    publish(
      {{"event", "note"}, {"data", 1}, {"topic", "room"}, {"except", "author"}})["recipients"],
    1);
  EXPECT_EQ(publish({{"event", "note"}, {"data", 2}, {"except", {"reader"}}})["recipients"], 1);
  EXPECT_EQ(heard_by(author, "author"), texts{"2"});
  EXPECT_EQ(heard_by(reader, "reader"), texts{"1"});
}

TEST_F(AudienceRules, ABadTopicIsNamed) {
  sse_client stream{herald.stream_port(), stream_target("page") + "&topic=a//b"};
  EXPECT_FALSE(stream.open());
  EXPECT_EQ(stream.status(), 400);
  EXPECT_EQ(json::parse(stream.body())["field"], "topic");
  const auto answer = api.post(
    "/api/events", R"([{"event":"a","data":1},{"event":"b","data":1,"topics":["x","*"]}])");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(json_of(answer)["field"], "[1].topics[1]");
}

TEST_F(AudienceRules, WithoutBroadcastsAStreamHearsWhatIsMeantForIt) {
  auto quiet = open("quiet", "&broadcast=false&topic=a");
  auto plain = open("plain");
  EXPECT_EQ(publish({{"event", "note"}, {"data", 1}})["recipients"], 1);
  publish({{"event", "note"}, {"data", 2}, {"topic", "a"}});
  publish({{"event", "note"}, {"data", 3}, {"request_id", "quiet"}});
  EXPECT_EQ(publish({{"event", "note"}, {"data", 4}, {"except", "plain"}})["recipients"], 0);
  EXPECT_EQ(heard_by(quiet, "quiet"), (texts{"2", "3"}));
  EXPECT_EQ(heard_by(plain, "plain"), texts{"1"});
}

TEST_F(AudienceRules, TopicsChangeWhileTheStreamIsOpen) {
  auto page = open("page", "&topic=a&topic=b");
  const auto answer =
    api.post("/api/connections/page/topics", R"({"add":["c/*","b"],"remove":["a"]})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(json_of(answer)["topics"], (json{"b", "c/*"}));
  const auto place = answer.header("herald-last-event-id");
  for (const auto* topic : {"a", "b", "c/d"})
    publish({{"event", "note"}, {"data", topic}, {"topic", topic}});
  EXPECT_EQ(heard_by(page, "page"), (texts{"\"b\"", "\"c/d\""}));
  EXPECT_LT(std::stoull(place), std::stoull(page.last_event_id()));
  change("nobody", {{"add", {"x"}}}, 404);
  EXPECT_EQ(change("page", {{"add", {"x//y"}}}, 400)["field"], "add[0]");
}

TEST_F(AudienceRules, WhatWasChangedHoldsForAPageThatComesBackWithItsCursor) {
  auto page = open("page", "&topic=a");
  change("page", {{"add", {"b"}}, {"remove", {"a"}}});
  page.close();
  for (const auto* topic : {"a", "b"})
    publish({{"event", "note"}, {"data", topic}, {"topic", topic}});
  page.reconnect();
  EXPECT_TRUE(page.open());
  EXPECT_EQ(heard_by(page, "page"), texts{"\"b\""});
  // It does not where the page begins anew.
  auto anew = open("page", "&topic=a");
  for (const auto* topic : {"a", "b"})
    publish({{"event", "note"}, {"data", topic}, {"topic", topic}});
  EXPECT_EQ(heard_by(anew, "page"), texts{"\"a\""});
}

TEST_F(AudienceRules, WhoComesBackIsReplayedWhatItMayHearThen) {
  auto page = open("page", "&topic=a&subject=ann");
  const auto cursor = page.last_event_id();
  page.close();
  publish({{"event", "note"}, {"data", 1}, {"topic", "a"}});
  publish({{"event", "note"}, {"data", 2}, {"topic", "b"}});
  publish({{"event", "note"}, {"data", 3}, {"subject", "ann"}});
  publish({{"event", "note"}, {"data", 4}, {"topic", "b"}, {"except", "page"}});
  publish({{"event", "note"}, {"data", 5}, {"topic", "b"}, {"history", false}});
  publish({{"event", "note"}, {"data", 6}, {"topic", "b"}, {"ttl_s", 0.001}});
  const auto over = [&] {
    return get("/api/events?topic=b&after=" + cursor)["events"].size() == 2;
  };
  EXPECT_TRUE(eventually(over)) << "an event lives longer than it may";
  auto back = open("page", "&topic=b&subject=bob&last_event_id=" + cursor);
  EXPECT_EQ(heard_by(back, "page"), texts{"2"});
}

TEST_F(AudienceRules, TheLastValueOfATopicComesFirst) {
  publish({{"event", "price"}, {"data", 1}, {"topic", "price/a"}, {"retain", true}});
  publish({{"event", "price"}, {"data", 2}, {"topic", "price/a"}, {"retain", true}});
  publish({{"event", "price"}, {"data", 3}, {"topic", "price/b"}, {"retain", true}});
  auto page = open("page", "&topic=price/*&topic=price/a");
  publish({{"event", "price"}, {"data", 4}, {"topic", "price/a"}});
  EXPECT_EQ(heard_by(page, "page"), (texts{"2", "3", "4"}));
  page.close();
  page.reconnect();
  EXPECT_TRUE(page.open());
  EXPECT_EQ(heard_by(page, "page"), texts{}) << "it has had them";
  // Who listens later gets it then.
  auto late = open("late");
  change("late", {{"add", {"price/b"}}});
  change("late", {{"add", {"price/*"}}});
  EXPECT_EQ(heard_by(late, "late"), (texts{"3", "2"})) << "each when it began to hear it";
  // And it is forgotten.
  publish({{"event", "price"}, {"data", nullptr}, {"topic", "price/a"}, {"retain", true}});
  EXPECT_EQ(heard_by(late, "late"), texts{"null"});
  auto later = open("later", "&topic=price/*");
  EXPECT_EQ(heard_by(later, "later"), texts{"3"});
}

TEST_F(AudienceRules, RetainIsForOneTopic) {
  for (const auto* more :
       {R"("subject":"ann")", R"("topics":["b","c"])", R"("topic":"a","except":"p")",
        R"("topic":"a","history":false)"}) {
    const auto answer =
      api.post("/api/events", std::string{R"({"event":"e","data":1,"retain":true,)"} + more + "}");
    EXPECT_EQ(answer.status, 400) << more;
    EXPECT_EQ(json_of(answer)["field"], "retain") << more;
  }
}

TEST_F(AudienceRules, LookingBackFindsWhatAStreamWouldBeReplayed) {
  const std::string start = publish({{"event", "note"}, {"data", 0}})["id"];
  publish({{"event", "note"}, {"data", 1}, {"topic", "a"}});
  publish({{"event", "note"}, {"data", 2}, {"subject", "ann"}});
  const std::string third =
    publish({{"event", "note"}, {"data", 3}, {"topics", {"a/b", "c"}}})["id"];
  const std::string last = publish({{"event", "note"}, {"text", "x"}})["id"];
  const auto all = get("/api/events?after=" + start);
  EXPECT_EQ(all["events"].size(), 4);
  EXPECT_EQ(all["events"][2]["topics"], (json{"a/b", "c"}));
  EXPECT_EQ(all["events"][1]["subject"], "ann");
  EXPECT_EQ(all["events"][3]["text"], "x");
  EXPECT_EQ(all["last_id"], last);
  EXPECT_EQ(all["gap"], false);
  const auto some =
    get("/api/events?after=" + start + "&topic=a/*&subject=ann&broadcast=false&limit=2");
  ASSERT_EQ(some["events"].size(), 2);
  EXPECT_EQ(some["events"][0]["data"], 2);
  EXPECT_EQ(some["events"][1]["id"], third);
  EXPECT_EQ(some["last_id"], last) << "nothing behind it is for such a stream";
  EXPECT_EQ(get("/api/events?after=1")["gap"], true);
}

TEST_F(AudienceRules, APageRenderedFromTheStateOfAMomentMissesNothing) {
  publish({{"event", "note"}, {"data", 1}, {"topic", "a"}});
  const auto rendered = api.get("/api/events?limit=1");
  const auto place = rendered.header("herald-last-event-id");
  ASSERT_FALSE(place.empty());
  publish({{"event", "note"}, {"data", 2}, {"topic", "a"}});
  auto page = open("page", "&topic=a&last_event_id=" + place);
  publish({{"event", "note"}, {"data", 3}, {"topic", "a"}});
  EXPECT_EQ(heard_by(page, "page"), (texts{"2", "3"}));
}

TEST_F(AudienceRules, ConnectionsAreFoundByWhatTheyHear) {
  auto one = open("one", "&topic=a/b&subject=ann&role=editor");
  auto two = open("two", "&topic=a/*&subject=ann");
  auto three = open("three", "&topic=*&role=editor&broadcast=false");
  EXPECT_EQ(ids_of(get("/api/connections?topic=a/b")), (texts{"one", "two", "three"}));
  EXPECT_EQ(ids_of(get("/api/connections?topic=a/*")), texts{"two"});
  EXPECT_EQ(ids_of(get("/api/connections?subject=ann")), (texts{"one", "two"}));
  EXPECT_EQ(ids_of(get("/api/connections?role=editor&topic=x")), texts{"three"});
  const auto row = get("/api/connections?subject=ann&role=editor");
  ASSERT_EQ(row["total"], 1);
  EXPECT_EQ(row["connections"][0]["topics"], json{"a/b"});
  EXPECT_EQ(row["connections"][0]["subject"], "ann");
  EXPECT_EQ(row["connections"][0]["roles"], json{"editor"});
}

TEST_F(AudienceRules, TopicsAreListedWithTheirStreams) {
  auto one = open("one", "&topic=a&topic=b/*");
  auto two = open("two", "&topic=a");
  std::map<std::string, int> streams;
  std::string after;
  do {
    const auto page = get("/api/topics?limit=1" + (after.empty() ? "" : "&after=" + after));
    EXPECT_EQ(page["total"], 2);
    for (const auto& topic : page["topics"])
      streams[topic["topic"]] = topic["streams"];
    after = page["next"].is_null() ? "" : page["next"].get<std::string>();
  } while (!after.empty());
  EXPECT_EQ(streams, (std::map<std::string, int>{{"a", 2}, {"b/*", 1}}));
}

TEST_F(AudienceRules, APersonsStreamsEndTogether) {
  auto phone = open("phone", "&subject=ann");
  auto desk = open("desk", "&subject=ann");
  auto bob = open("bob", "&subject=bob");
  EXPECT_EQ(json_of(api.del("/api/connections?subject=ann"))["closed"], 2);
  EXPECT_TRUE(phone.wait_for_end());
  EXPECT_TRUE(desk.wait_for_end());
  EXPECT_EQ(heard_by(bob, "bob"), texts{});
  EXPECT_EQ(api.del("/api/connections").status, 400);
}

TEST(QuietStream, IsToldHowFarTheOrderHasComeAndSoComesBackWithoutAGap) {
  herald_process herald{{"--stream-heartbeat-s", "1", "--history-max-events", "4"}};
  http_client api{herald.api_port()};
  sse_client quiet{herald.stream_port(), stream_target("quiet") + "&topic=a&broadcast=false"};
  ASSERT_TRUE(quiet.open());
  ASSERT_TRUE(quiet.wait_for_cursor());
  const auto note = [](int data, const char* topic) {
    return json{{"event", "note"}, {"data", data}, {"topic", topic}};
  };
  json others = json::array();
  for (int i = 0; i < 20; ++i)
    others.push_back(note(i, "b"));
  const auto ids = json_of(api.post("/api/events", others.dump())).at("ids");
  ASSERT_TRUE(read_until(std::span{&quiet, 1}, [&] { return quiet.last_event_id() == ids.back(); }))
    << quiet.last_event_id();
  EXPECT_TRUE(quiet.events().empty());
  quiet.close();
  EXPECT_EQ(api.post("/api/events", note(7, "a").dump()).status, 202);
  quiet.reconnect();
  const auto event = quiet.next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->name + "=" + event->data, "note=7");
}

} // namespace
} // namespace herald
