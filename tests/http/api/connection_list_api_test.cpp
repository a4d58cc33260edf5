#include "http/api/connection_list_api.hpp"

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/api_routes.hpp"

namespace herald {
namespace {

using nlohmann::json;

/// A list of streams that several reach.
class ConnectionListApi : public testing::api_routes {
protected:
  ConnectionListApi() {
    add_connection_list_route(
      routes, system(),
      spawn<connection_lister_actor>([this](const list_connections&) { return listed; }));
  }

  /// Whoever reaches streams, and is asked how far behind they are.
  template <class Answer>
  delivery_actor reaches(Answer answer) {
    const auto unexpected = [](const auto&) {
      ADD_FAILURE() << "nobody asked for it";
    };
    return spawn<delivery_actor>(
      [=](const attach_stream& m) { unexpected(m); },
      [=](const refuse_stream& m) { unexpected(m); }, [=](const close_stream& m) { unexpected(m); },
      [=](const change_reach& m) { unexpected(m); },
      [=](const get_backlogs& m) -> result<stream_backlogs> { return answer(m); },
      [=](const deliver& m) { unexpected(m); });
  }

  void add(const char* page, const delivery_actor& via) {
    connection_view one;
    one.id = request_id{page};
    one.stream = token::from_text(std::string{"stream of "} + page);
    one.via = via;
    listed.connections.push_back(std::move(one));
  }

  /// `behind` of each row.
  json behind() {
    const auto reply = call("GET", "/api/connections");
    EXPECT_EQ(reply.status, 200) << reply.body;
    json all;
    const auto list = json::parse(reply.body);
    for (const auto& row : list["connections"])
      all.push_back(row["behind"]);
    return all;
  }

  connection_page listed;
};

json row(std::size_t events, std::size_t bytes, const json& unacknowledged, bool replaying) {
  return {
    {"events", events},
    {"bytes", bytes},
    {"unacknowledged_bytes", unacknowledged},
    {"replaying", replaying}};
}

TEST_F(ConnectionListApi, SaysOfEachStreamWhatThoseKnowWhoReachThem) {
  std::vector<std::vector<token>> asked;
  const auto loop = reaches([&asked](const get_backlogs& query) {
    asked.push_back(query.streams);
    return stream_backlogs{{stream_backlog{2, 30, 500, false}, std::nullopt}};
  });
  const auto shard = reaches([](const get_backlogs&) {
    return stream_backlogs{{stream_backlog{7, 0, std::nullopt, true}}};
  });
  add("a", loop);
  add("b", shard);
  add("c", loop);
  add("d", {});
  EXPECT_EQ(behind(), (json{row(2, 30, 500, false), row(7, 0, nullptr, true), nullptr, nullptr}));
  ASSERT_EQ(asked.size(), 1u) << "once for all of its streams";
  EXPECT_EQ(
    asked[0],
    (std::vector<token>{token::from_text("stream of a"), token::from_text("stream of c")}));
}

TEST_F(ConnectionListApi, KnowsNothingOfStreamsOfThoseWhoDoNotAnswer) {
  add("a", reaches([](const get_backlogs&) { return fail(ec::overloaded, "not now"); }));
  add("b", reaches([](const get_backlogs&) { return stream_backlogs{}; }));
  add("c", reaches([](const get_backlogs&) {
        return stream_backlogs{{stream_backlog{1, 1, 1, false}, stream_backlog{2, 2, 2, false}}};
      }));
  EXPECT_EQ(behind(), (json{nullptr, nullptr, row(1, 1, 1, false)}));
}

TEST_F(ConnectionListApi, WaitsForNobodyWhoStandsStill) {
  add(
    "a", spawn<delivery_actor>(
           [](const attach_stream&) {}, [](const refuse_stream&) {}, [](const close_stream&) {},
           [](const change_reach&) {},
           [](const get_backlogs&) -> result<stream_backlogs> {
             return caf::delegated<stream_backlogs>{};
           },
           [](const deliver&) {}));
  add("b", reaches([](const get_backlogs&) {
        return stream_backlogs{{stream_backlog{1, 1, 1, false}}};
      }));
  EXPECT_EQ(behind(), (json{nullptr, row(1, 1, 1, false)}))
    << "others have their share of the time";
}

TEST_F(ConnectionListApi, RefusesNamesThatBreakTheirRule) {
  for (const auto* name : {"topic", "subject", "role"}) {
    api_request request;
    request.query[name] = std::string{"a\nb"};
    const auto reply = call("GET", "/api/connections", std::move(request));
    EXPECT_EQ(reply.status, 400) << name;
    EXPECT_NE(reply.body.find(std::string{R"("field":")"} + name), std::string::npos) << reply.body;
  }
}

} // namespace
} // namespace herald
