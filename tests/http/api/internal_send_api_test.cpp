#include "http/api/internal_send_api.hpp"

#include <string>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include "messages/type_ids.hpp"
#include "tests/support/gateway_facts.hpp"

namespace herald {
namespace {

using namespace testing;

const std::string uuid = "0b0e8a2c-5d0a-4a6e-9f3e-6a1d2c3b4a59";

std::string body_with(const std::string& rest) {
  return R"({"token":")" + uuid + '"' + rest + '}';
}

send_to_stream parsed(const std::string& body) {
  const auto result = parse_internal_send(body);
  const auto* command = std::get_if<send_to_stream>(&result);
  EXPECT_NE(command, nullptr) << body;
  return command != nullptr ? *command : send_to_stream{};
}

std::string code_of(const std::string& body, internal_send_options options = {}) {
  const auto result = parse_internal_send(body, options);
  const auto* refusal = std::get_if<send_refusal>(&result);
  return refusal != nullptr ? std::string{refusal->code} : "accepted";
}

TEST(ParseInternalSend, ReadsEveryField) {
  const auto command =
    parsed(body_with(R"(,"event":{"name":"version","data":"{\"a\":\"\u00e9\"}"},"close":true)"));
  EXPECT_EQ(command.stream, token::from_text(uuid));
  ASSERT_TRUE(command.event);
  EXPECT_EQ(command.event->name, "version");
  EXPECT_EQ(command.event->data, "{\"a\":\"\xc3\xa9\"}");
  EXPECT_TRUE(command.close);
}

TEST(ParseInternalSend, TakesAProbeACloseAndAnUnnamedEvent) {
  EXPECT_FALSE(parsed(body_with("")).event);
  EXPECT_FALSE(parsed(body_with("")).close);
  EXPECT_TRUE(parsed(body_with(R"(,"close":true)")).close);
  EXPECT_FALSE(parsed(body_with(R"(,"close":false)")).close);
  const auto unnamed = parsed(body_with(R"(,"event":{"data":""})"));
  ASSERT_TRUE(unnamed.event);
  EXPECT_EQ(unnamed.event->name, "");
  EXPECT_EQ(unnamed.event->data, "");
}

TEST(ParseInternalSend, KeepsTokensThatAreNoUuid) {
  EXPECT_EQ(parsed(R"({"token":"any text"})").stream.str(), "any text");
}

TEST(ParseInternalSend, IgnoresUnknownFieldsAtAnyDepth) {
  const auto command =
    parsed(R"({"x":{"token":1,"event":{"data":2},"close":3},"y":[{"token":4},[5],"close",true],)"
           R"("token":"t","event":{"x":{"data":6,"name":7},"z":["data"],"data":"d","name":"n"},)"
           R"("name":8,"data":9})");
  EXPECT_EQ(command.stream.str(), "t");
  ASSERT_TRUE(command.event);
  EXPECT_EQ(command.event->name, "n");
  EXPECT_EQ(command.event->data, "d");
  EXPECT_FALSE(command.close);
}

TEST(ParseInternalSend, LetsTheLastOfARepeatedFieldCount) {
  const auto command =
    parsed(R"({"token":1,"token":"t","event":{"name":"n","data":"d"},"event":{"data":"e"}})");
  EXPECT_EQ(command.event->name, "");
  EXPECT_EQ(command.event->data, "e");
}

TEST(ParseInternalSend, TakesAnyNumberOfUnknownFields) {
  std::string unknown;
  for (int i = 0; i != 100; ++i)
    unknown += ",\"x" + std::to_string(i) + "\":" + std::to_string(i);
  const auto command = parsed(body_with(unknown + R"(,"event":{"data":"d")" + unknown + "}"));
  ASSERT_TRUE(command.event);
  EXPECT_EQ(command.event->data, "d");
}

TEST(ParseInternalSend, PassesOverAByteOrderMark) {
  EXPECT_EQ(parsed("\xef\xbb\xbf" + body_with("")).stream, token::from_text(uuid));
  EXPECT_EQ(code_of("\xef\xbb\xbf"), "INVALID_JSON");
}

TEST(ParseInternalSend, NamesTheFirstOfSeveralFaults) {
  EXPECT_EQ(code_of(R"({"token":7,"event":{"data":1},"close":1})"), send_code("token"));
  EXPECT_EQ(code_of(body_with(R"(,"close":1,"event":{"name":1})")), send_code("event.data"));
  EXPECT_EQ(
    code_of(body_with(R"(,"close":1,"event":{"name":"n","data":"12345"})"), {4}),
    "EVENT_TOO_LARGE");
}

TEST(ParseInternalSend, NamesTheRuleOfTheProtocolThatIsBroken) {
  for (const auto& [order, code, message] : broken_orders(uuid)) {
    const auto result = parse_internal_send(order.dump());
    const auto* refusal = std::get_if<send_refusal>(&result);
    ASSERT_NE(refusal, nullptr) << order;
    EXPECT_EQ(refusal->code, code) << order;
    EXPECT_EQ(refusal->message, message) << order;
  }
}

TEST(ParseInternalSend, NamesWhatIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
    {"", send_code("token")},
    {"{}", send_code("token")},
    {"[]", send_code("token")},
    {R"([{"token":"t"}])", send_code("token")},
    {body_with(R"(,"event":{"data":"d","name":"a\nb"})"), send_code("event.name")},
    {body_with(R"(,"event":{"data":"d","name":"a\rb"})"), send_code("event.name")},
    {body_with(R"(,"event":{"data":"d","name":"a\u0000b"})"), send_code("event.name")},
    {"7", send_code("token")},
    {"{", "INVALID_JSON"},
    {"[", "INVALID_JSON"},
    {body_with("") + "x", "INVALID_JSON"},
    {body_with("") + '\0' + "x", "INVALID_JSON"},
    {"{\"token\":\"\xff\"}", "INVALID_JSON"},
  };
  for (const auto& [body, code] : cases)
    EXPECT_EQ(code_of(body), code) << body;
}

TEST(ParseInternalSend, RefusesAnEventThatIsTooLong) {
  EXPECT_EQ(code_of(body_with(R"(,"event":{"data":"1234"})"), {4}), "accepted");
  EXPECT_EQ(code_of(body_with(R"(,"event":{"data":"12345"})"), {4}), "EVENT_TOO_LARGE");
}

TEST(ParseInternalSend, SurvivesDeepNesting) {
  const std::string deep(200'000, '[');
  EXPECT_EQ(code_of(R"({"x":)" + deep), "INVALID_JSON");
}

/// The route, with an owner that answers by what the event's name asks for.
class InternalSendApi : public ::testing::Test {
protected:
  InternalSendApi() : system_(config_) {
    const auto start = [](stream_owner_actor::pointer) -> stream_owner_actor::behavior_type {
      return {
        [](const open_connection&) {},
        [](const open_connections&) {},
        [](const stream_closed&) {},
        [](const delivery_failed&) {},
        [](const delivery_settled&) {},
        [](const send_to_stream& m) -> result<send_status> {
          const auto name = m.event ? m.event->name : "";
          if (name == "unknown")
            return fail(ec::no_such_stream, "x");
          if (name == "full")
            return fail(ec::overloaded, "x");
          if (name == "broken")
            return fail(ec::actor_failed, "x");
          return m.close ? send_status::buffered : send_status::sent;
        },
      };
    };
    owner_ = system_.spawn(start);
    add_internal_send_api(routes_, system_, owner_);
  }

  ~InternalSendApi() override { caf::anon_send_exit(owner_, caf::exit_reason::user_shutdown); }

  api_reply post(const std::string& body) {
    const auto match = routes_.find("POST", "/internal/send");
    EXPECT_NE(match.found, nullptr);
    api_request request;
    request.body = body;
    return match.found->answer(request);
  }

  api_reply post_named(const std::string& name) {
    return post(body_with(R"(,"event":{"data":"d","name":")" + name + R"("})"));
  }

  caf::actor_system_config config_;
  caf::actor_system system_;
  stream_owner_actor owner_;
  router routes_;
};

TEST_F(InternalSendApi, AnswersOkAndBuffered) {
  const auto sent = post(body_with(""));
  const auto ok = send_answer_of("sent");
  EXPECT_EQ(sent.status, ok.status);
  EXPECT_EQ(sent.body, ok.body.dump());
  EXPECT_EQ(sent.content_type, "application/json");
  const auto buffered = post(body_with(R"(,"close":true)"));
  const auto not_open = send_answer_of("not_open_yet");
  EXPECT_EQ(buffered.status, not_open.status);
  EXPECT_EQ(buffered.body, not_open.body.dump());
}

/// Status and code of an error document; its words are herald's own.
std::pair<int, std::string> error_in(const api_reply& reply) {
  const auto error = nlohmann::json::parse(reply.body).at("error");
  EXPECT_EQ(error.size(), 2u) << error;
  EXPECT_FALSE(error.at("message").get<std::string>().empty());
  return {reply.status, error.at("code")};
}

TEST_F(InternalSendApi, AnswersInTheGatewaysErrorDocuments) {
  const auto unknown = send_answer_of("unknown_token");
  EXPECT_EQ(nlohmann::json::parse(post_named("unknown").body), unknown.body);
  EXPECT_EQ(error_in(post_named("unknown")), std::pair(unknown.status, unknown.code()));
  EXPECT_EQ(error_in(post("{}")), std::pair(status_of_broken_order(), send_code("token")));
}

TEST_F(InternalSendApi, AnswersWhatMayBeTriedAgainWithAServerError) {
  EXPECT_EQ(post_named("full").status, 503);
  EXPECT_EQ(post_named("broken").status, 500);
}

} // namespace
} // namespace herald
