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
  page.total = 3;
  page.next = 7;
  EXPECT_EQ(
    to_json(page),
    "{\"connections\":[{\"request_id\":\"X\",\"token\":\"t\",\"url\":\"/s?a=\ufffd\",\"transport\":"
    "\"gateway\",\"connected_at\":\"2025-01-31T12:00:00.007Z\"}],\"total\":3,\"next\":\"7\"}");
  EXPECT_EQ(to_json(connection_page{}), R"({"connections":[],"total":0,"next":null})");
}

} // namespace
} // namespace herald
