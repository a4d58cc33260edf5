#include "http/api/callback_api.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include <caf/actor_system_config.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <gtest/gtest.h>

#include "http/access/ticket_book.hpp"
#include "http/access/token_judge.hpp"
#include "messages/type_ids.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using nlohmann::json;

/// The routes before a registry that notes what it is told. A handler waits for the registry, so
/// this runs on threads, not step by step; each request's answer comes after what it caused.
class CallbackApi : public ::testing::Test {
protected:
  CallbackApi() {
    owner = system.spawn([this](stream_owner_actor::pointer) -> stream_owner_actor::behavior_type {
      return {
        [this](const open_connection& m) -> result<void> {
          opened.push_back(m);
          if (m.id.str() == "late")
            return fail(ec::shutting_down, "no more streams");
          if (m.id.str() == "theirs")
            return fail(ec::forbidden, "the page is another's");
          return caf::unit;
        },
        [](const open_connections&) {},
        [this](const stream_closed& m) { closed.push_back(m); },
        [](const delivery_failed&) {},
        [](const delivery_settled&) {},
        [](const send_to_stream&) { return send_status::sent; },
      };
    });
    for (int i = 0; i < 3; ++i)
      shards.push_back(system.spawn([this, i](gateway_sender_actor::pointer) {
        return gateway_sender_actor::behavior_type{
          [this](const attach_stream& m) { sent_away.push_back("attach " + m.stream.str()); },
          [](const refuse_stream&) {},
          [this](const close_stream& m) { sent_away.push_back("close " + m.stream.str()); },
          [](const change_reach&) { ADD_FAILURE() << "nobody asked for it"; },
          [](const get_backlogs&) { return stream_backlogs{}; },
          [](const deliver&) {},
          [this, i](const stream_closed& m) { told[i].push_back(m.stream.str()); },
          [](const flush&) {},
          [](const send_next&) {},
          [](const send_ended&) {},
        };
      }));
  }

  ~CallbackApi() override { end(); }

  /// Ends the actors, so that what they have noted can be read.
  void end() {
    caf::anon_send_exit(owner, caf::exit_reason::user_shutdown);
    for (const auto& shard : shards)
      caf::anon_send_exit(shard, caf::exit_reason::user_shutdown);
    system.await_all_actors_done();
  }

  api_reply post(const std::string& body) {
    router routes;
    add_callback_routes(routes, system, owner, shards, options);
    api_request request;
    request.method = "POST";
    request.body = body;
    const auto found = routes.find("POST", "/api/sse/callback");
    return found.found->answer(request);
  }

  static std::string connect(const std::string& url) {
    return json{{"action", "connect"}, {"token", "t1"}, {"request", {{"url", url}}}}.dump();
  }

  static std::string field_of(const api_reply& reply) {
    return json::parse(reply.body).value("field", "");
  }

  std::vector<open_connection> opened;
  std::vector<stream_closed> closed;
  std::vector<std::string> told[3];
  /// By the one shard that has the stream.
  std::vector<std::string> sent_away;
  callback_options options{true};
  caf::actor_system_config config;
  caf::actor_system system{config};
  stream_owner_actor owner;
  std::vector<gateway_sender_actor> shards;
};

TEST_F(CallbackApi, OpensAStreamAndAnswersItsRequestId) {
  const auto reply = post(connect("/api/sse/stream?key=hush&request_id=a%20b+c%C3%A4"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(
    json::parse(reply.body), (json{
                               {"request_id", "6120622063c3a4~t1"},
                               {"bindings", {"broadcast", "connection.6120622063c3a4"}}}));
  end();
  ASSERT_EQ(opened.size(), 1u);
  EXPECT_EQ(opened[0].id.str(), "a b c\u00e4");
  EXPECT_EQ(opened[0].stream.str(), "t1");
  EXPECT_EQ(opened[0].transport, transport_kind::gateway);
  EXPECT_EQ(opened[0].url, "/api/sse/stream?request_id=a%20b+c%C3%A4") << "of the query no more";
  EXPECT_TRUE(opened[0].via);
}

TEST_F(CallbackApi, PassesARefusalOnAndTakesTheStreamBack) {
  const auto reply = post(connect("/s?request_id=late"));
  EXPECT_EQ(reply.status, 503);
  end();
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].stream.str(), "t1");
}

TEST_F(CallbackApi, TellsRegistryAndShardOfADisconnect) {
  for (int i = 0; i < 2; ++i) {
    const auto reply = post(R"({"action":"disconnect","reason":"client_closed","token":"t9"})");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "{}");
  }
  end();
  ASSERT_EQ(closed.size(), 2u);
  EXPECT_EQ(closed[0].stream.str(), "t9");
  EXPECT_EQ(closed[0].reason, end_reason::client_closed);
  EXPECT_EQ(told[0].size() + told[1].size() + told[2].size(), 2u);
}

TEST_F(CallbackApi, RefusesABadRequestId) {
  for (const auto* url :
       {"/s", "", "/s?request_id=", "/s?request_id=a:b", "/s?request_id=a%3Ab", "/s?request_id=%0a",
        "/s?request_id=%zz"}) {
    const auto reply = post(connect(url));
    EXPECT_EQ(reply.status, 400) << url;
    EXPECT_EQ(field_of(reply), "request.url") << url;
  }
  EXPECT_EQ(post(connect("/s?request_id=" + std::string(129, 'x'))).status, 400);
  end();
  EXPECT_TRUE(opened.empty());
  EXPECT_EQ(closed.size(), 8u) << "each may have been open before";
}

TEST_F(CallbackApi, RefusesWhatIsNoCallback) {
  EXPECT_EQ(post("").status, 400);
  EXPECT_EQ(post("{").status, 400);
  EXPECT_EQ(field_of(post(R"({"action":"x","token":"t"})")), "action");
  EXPECT_EQ(field_of(post(R"({"action":"disconnect"})")), "token");
}

TEST_F(CallbackApi, IsNotThereWithoutAnExternalGateway) {
  options.enabled = false;
  const auto reply = post(connect("/s?request_id=a"));
  EXPECT_EQ(reply.status, 404);
  EXPECT_NE(reply.body.find("gateway.url"), std::string::npos);
}

/// Knows `ann`; who has another token is to come back.
class ann_alone final : public token_judge {
public:
  verdict judge(std::string_view token, wall_time, fetch_over) override {
    if (token == "ann")
      return right_of({"ann", {}, {"orders/*"}, ends, std::nullopt, "7"}, {});
    if (token == "slow")
      return refusal::soon;
    return token == "bob" ? refusal::invalid : refusal::later;
  }

  static constexpr wall_time ends{std::chrono::hours{1'000'000}};
};

class CallbackApiWithTokens : public CallbackApi {
protected:
  CallbackApiWithTokens() {
    stream_options rules;
    rules.auth.mode = auth_mode::required;
    rules.make_judge = [] {
      return std::make_unique<ann_alone>();
    };
    rules.tickets = tickets;
    rules.last_place = [] {
      return event_id{1};
    };
    options.access = std::make_shared<callback_access>(rules, numbers);
    options.query.tickets = true;
  }

  api_reply come(const char* token, const std::string& more = {}, const char* id = "p") {
    const json request{
      {"url", "/s?request_id=" + std::string{id} + more},
      {"headers", {{"authorization", "Bearer " + std::string{token}}}}};
    return post(json{{"action", "connect"}, {"token", "t1"}, {"request", request}}.dump());
  }

  [[nodiscard]] std::string ticket_of_ann() const {
    stream_grant grant;
    grant.subject = "ann";
    const auto now = std::chrono::system_clock::now();
    grant.expires_at = now + std::chrono::hours{1};
    return tickets->issue(grant, request_id{}, now).value();
  }

  metrics numbers;
  std::shared_ptr<ticket_book> tickets =
    std::make_shared<ticket_book>(ticket_book::limits{10, 10'000}, numbers);
};

TEST_F(CallbackApiWithTokens, OpensAStreamByTheRightOfItsPage) {
  EXPECT_EQ(json::parse(come("ann", "&topic=orders/1").body)["subject"], "ann");
  end();
  ASSERT_EQ(opened.size(), 1u);
  EXPECT_EQ(opened[0].by->subject, "ann");
  EXPECT_EQ(opened[0].asks->subject, "ann");
  EXPECT_EQ(opened[0].asks->patterns, std::vector<std::string>{"orders/1"});
  EXPECT_EQ(opened[0].expires_at, ann_alone::ends);
}

TEST_F(CallbackApiWithTokens, RefusesAPageWithoutARight) {
  EXPECT_EQ(come("bob").status, 401);
  EXPECT_EQ(come("ann", "&topic=rooms/1").status, 403);
  EXPECT_EQ(come("a\nb").status, 400);
  EXPECT_EQ(field_of(come("a\nb")), "request.headers");
  end();
  EXPECT_EQ(opened.size(), 0u);
}

TEST_F(CallbackApiWithTokens, ForgetsAStreamWhosePageIsRefusedAsItComesAgain) {
  EXPECT_EQ(come("ann").status, 200);
  EXPECT_EQ(come("bob").status, 401);
  EXPECT_EQ(come("unknown key").status, 200);
  end();
  ASSERT_EQ(closed.size(), 2u);
  EXPECT_EQ(closed[0].stream.str() + closed[1].stream.str(), "t1t1");
}

TEST_F(CallbackApiWithTokens, OpensNothingForAPageThatHasLeftMeanwhile) {
  int status = 0;
  std::thread connects{[&] {
    status = come("slow").status;
  }};
  EXPECT_TRUE(testing::eventually(
    [&] { return testing::metric(numbers, "herald_auth_waiting_callbacks") == 1; }));
  EXPECT_EQ(post(R"({"action":"disconnect","token":"t1"})").status, 200);
  connects.join();
  EXPECT_EQ(status, 200);
  end();
  EXPECT_EQ(opened.size(), 0u);
  EXPECT_EQ(closed.size(), 1u);
  EXPECT_EQ(sent_away.size(), 0u) << "there is nothing to end";
}

TEST_F(CallbackApiWithTokens, ReadsNoHeadersWhereNobodyIsAsked) {
  options.access = nullptr;
  EXPECT_EQ(come("a\nb").status, 200);
}

TEST_F(CallbackApiWithTokens, RefusesTwoTickets) {
  const auto reply = post(connect("/s?request_id=p&ticket=a&ticket=b"));
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(field_of(reply), "ticket");
}

TEST_F(CallbackApiWithTokens, SendsAPageAwayOfWhichNobodyCanSayItNow) {
  EXPECT_EQ(come("unknown key").status, 200);
  end();
  EXPECT_EQ(opened.size(), 0u);
  EXPECT_EQ(sent_away, (std::vector<std::string>{"attach t1"}));
}

TEST_F(CallbackApiWithTokens, GivesATicketBackWhoseStreamDoesNotOpen) {
  const auto ticket = ticket_of_ann();
  const auto come_with = [&](const char* id) {
    return post(connect("/s?request_id=" + std::string{id} + "&ticket=" + ticket)).status;
  };
  EXPECT_EQ(come_with("late"), 503);
  EXPECT_EQ(come_with("p"), 200);
  EXPECT_EQ(come_with("q"), 401);
}

TEST_F(CallbackApiWithTokens, KeepsATicketThatTheOwnerRefuses) {
  const auto ticket = ticket_of_ann();
  EXPECT_EQ(post(connect("/s?request_id=theirs&ticket=" + ticket)).status, 403);
  EXPECT_EQ(post(connect("/s?request_id=p&ticket=" + ticket)).status, 401);
  EXPECT_EQ(
    testing::metric(numbers, R"(herald_auth_total{port="gateway",result="other_subject"})"), 1);
}

} // namespace
} // namespace herald
