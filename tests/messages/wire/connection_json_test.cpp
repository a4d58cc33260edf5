#include "messages/wire/connection_json.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace herald {
namespace {

const wall_time noon = wall_time{} + std::chrono::milliseconds{1'738'324'800'007};

TEST(ConnectionJson, ShowsAPage) {
  connection_page page;
  page.connections.push_back(
    {request_id{"X"}, token::from_text("t"), "/s?a=\xff", transport_kind::gateway, noon});
  auto& hears = page.connections.back().hears;
  hears.patterns = {"a/*", "b"};
  hears.subject = "ann";
  hears.roles = {"editor"};
  hears.broadcast = false;
  page.connections.back().client = {"10.0.0.7", "browser \"7\""};
  page.connections.back().bindings = {{"role.x"}};
  page.connections.back().behind = stream_backlog{2, 30, 500, true};
  page.total = 3;
  page.next = 7;
  EXPECT_EQ(
    to_json(page),
    "{\"connections\":[{\"request_id\":\"X\",\"token\":\"t\",\"url\":\"/s?a=\ufffd\",\"transport\":"
    "\"gateway\",\"connected_at\":\"2025-01-31T12:00:00.007Z\",\"topics\":[\"a/*\",\"b\"],"
    "\"subject\":\"ann\",\"roles\":[\"editor\"],\"broadcast\":false,\"bindings\":[\"role.x\"],"
    "\"address\":\"10.0.0.7\",\"agent\":\"browser "
    "\\\"7\\\"\",\"behind\":{\"events\":2,\"bytes\":30,"
    "\"unacknowledged_bytes\":500,\"replaying\":true}}],\"total\":3,\"next\":\"7\"}");
  EXPECT_EQ(to_json(connection_page{}), R"({"connections":[],"total":0,"next":null})");
}

TEST(ConnectionJson, ShowsWhoIsNotKnown) {
  connection_page page;
  page.connections.emplace_back();
  EXPECT_NE(
    to_json(page).find(
      R"("topics":[],"subject":null,"roles":[],"broadcast":true,"address":null,"agent":null,"behind":null})"),
    std::string::npos);
  page.connections.back().behind.emplace();
  EXPECT_NE(
    to_json(page).find(
      R"("behind":{"events":0,"bytes":0,"unacknowledged_bytes":null,"replaying":false})"),
    std::string::npos);
}

TEST(ConnectionJson, ReadsChangesOfTopics) {
  const auto changes =
    parse_topic_changes(request_id{"X"}, R"({"add":["a"],"remove":["b/*","*"]})");
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->id, request_id{"X"});
  EXPECT_EQ(changes->add, (std::vector<std::string>{"a"}));
  EXPECT_EQ(changes->remove, (std::vector<std::string>{"b/*", "*"}));
  EXPECT_FALSE(parse_topic_changes(request_id{"X"}, R"({"add":["a"],"also":1})"));
  EXPECT_TRUE(parse_topic_changes(request_id{"X"}, R"({"add":["a"],"remove":[]})"));
  EXPECT_FALSE(parse_topic_changes(request_id{"X"}, R"({"add":[],"remove":[]})"));
}

} // namespace
} // namespace herald
