#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/asked_application.hpp"
#include "tests/support/bare_listener.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/sse_client.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/token_maker.hpp"

// Streams about which the application is asked, over the real ports.

namespace herald {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using nlohmann::json;

std::int64_t at(std::chrono::seconds from_now) {
  return std::chrono::duration_cast<std::chrono::seconds>(
           (std::chrono::system_clock::now() + from_now).time_since_epoch())
    .count();
}

class StreamsAskedAbout : public ::testing::Test {
protected:
  void begin(std::vector<std::string> more = {}, const char* mode = "required") {
    begin_with(application.url(), std::move(more), mode);
  }
  void begin_with(
    const std::string& url, std::vector<std::string> more = {}, const char* mode = "required") {
    std::vector<std::string> arguments = {"--auth-mode",     mode, "--auth-authorize-url", url,
                                          "--auth-leeway-s", "0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    herald = std::make_unique<herald_process>(std::move(arguments));
    api = std::make_unique<http_client>(herald->api_port());
  }

  sse_client client(const std::string& page, std::string headers = {}, std::string more = {}) {
    return {herald->stream_port(), stream_target(page) + std::move(more), std::move(headers)};
  }
  int status(const std::string& page, std::string headers = {}, std::string more = {}) {
    auto stream = client(page, std::move(headers), std::move(more));
    stream.open();
    return stream.status();
  }
  /// Whether a page is told to come back: an EventSource by a stream that ends, others by 503.
  ::testing::AssertionResult comes_back_later() {
    auto stream = client("p");
    if (!stream.open() || stream.status() != 200 || !stream.wait_for_end() || !stream.retry())
      return ::testing::AssertionFailure() << stream.status() << ' ' << stream.body();
    if (!stream.events().empty() || stream.comments().empty())
      return ::testing::AssertionFailure() << "it has opened";
    http_client other{herald->stream_port()};
    const auto plain = other.get(stream_target("p"));
    if (plain.status != 503 || plain.head.find("retry-after") == std::string::npos)
      return ::testing::AssertionFailure() << plain.status;
    return ::testing::AssertionSuccess();
  }
  int publish(const json& event) { return api->post("/api/events", event.dump()).status; }
  bool wait_for(const std::string& series, double value) {
    return eventually([&] { return metric(*api, series) == value; });
  }

  asked_application application;
  std::unique_ptr<herald_process> herald;
  std::unique_ptr<http_client> api;
};

TEST_F(StreamsAskedAbout, HearWhatTheApplicationGrants) {
  begin();
  application.answer_with(R"({"subject":"ann","roles":["ops"],"topics":["orders/*"]})");
  EXPECT_EQ(status("p", {}, "&topic=rooms/7"), 403);
  auto stream = client("p", "Cookie: session=7\r\n", "&topic=orders/1");
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(publish({{"event", "note"}, {"subject", "ann"}, {"data", 1}}), 202);
  EXPECT_EQ(publish({{"event", "note"}, {"subject", "bob"}, {"data", 2}}), 202);
  EXPECT_EQ(publish({{"event", "note"}, {"role", "ops"}, {"data", 3}}), 202);
  EXPECT_EQ(publish({{"event", "note"}, {"topic", "orders/1"}, {"data", 4}}), 202);
  EXPECT_EQ(publish({{"event", "note"}, {"request_id", "p"}, {"data", 5}}), 202);
  for (const auto* data : {"1", "3", "4", "5"})
    EXPECT_EQ(stream.next("note")->data, data);
  EXPECT_EQ(metric(*api, R"(herald_auth_questions_total{result="granted"})"), 2);
  application.answer_with(R"({"subject":"bob"})");
  EXPECT_EQ(status("p"), 403) << "it is ann's page";
}

TEST_F(StreamsAskedAbout, ArePutAsTheirPagesCameOverOneConnection) {
  begin({"--auth-authorize-connections", "1"});
  application.hold();
  std::vector<sse_client> pages;
  for (const auto* page : {"p", "q", "r"})
    pages.push_back(client(
      page, "Cookie: session=7\r\nAuthorization: Bearer a.b.c\r\nX-Forwarded-For: 10.9.8.7\r\n",
      "&broadcast=false"));
  ASSERT_TRUE(wait_for("herald_auth_questions", 3));
  application.let_go();
  for (auto& page : pages)
    EXPECT_TRUE(page.open());
  const auto asked = application.questions();
  ASSERT_EQ(asked.size(), 3u);
  const auto& first = asked.front();
  EXPECT_EQ(first.method, "GET");
  EXPECT_EQ(first.get_header_value("Cookie"), "session=7");
  EXPECT_EQ(first.get_header_value("Authorization"), "Bearer a.b.c");
  EXPECT_NE(first.get_header_value("X-Original-URI").find("&broadcast=false"), std::string::npos);
  EXPECT_EQ(first.get_header_value("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(first.get_header_value_count("X-Forwarded-For"), 1u);
  EXPECT_EQ("http://" + first.get_header_value("Host") + "/authorize", application.url());
  for (const auto& one : asked)
    EXPECT_EQ(one.remote_port, first.remote_port);
  EXPECT_EQ(metric(*api, "herald_auth_question_connections_total"), 1);
}

TEST_F(StreamsAskedAbout, AreToldWhereTheyComeFromByAProxyThatIsTrusted) {
  begin({"--stream-trusted-proxies", "127.0.0.1"});
  EXPECT_EQ(
    status("p", "X-Forwarded-For: 10.9.8.7, 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"), 200);
  const auto asked = application.questions();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].get_header_value("X-Forwarded-For"), "203.0.113.9");
  EXPECT_EQ(asked[0].get_header_value("X-Forwarded-Proto"), "https");
}

TEST_F(StreamsAskedAbout, AreRefusedAsTheApplicationSays) {
  begin();
  application.answer_by([](const httplib::Request& asked, httplib::Response& reply) {
    reply.status = asked.has_header("Cookie") ? 403 : 401;
    reply.set_content("<html>a page of the application</html>", "text/html");
  });
  auto refused = client("p");
  EXPECT_FALSE(refused.open());
  EXPECT_EQ(refused.status(), 401);
  EXPECT_EQ(refused.header("www-authenticate"), R"(Bearer realm="herald")");
  EXPECT_EQ(refused.body().find("html"), std::string::npos) << refused.body();
  EXPECT_EQ(status("p", "Cookie: session=7\r\n"), 403);
  application.answer_by([](const httplib::Request&, httplib::Response& reply) {
    reply.status = 401;
    reply.set_header("WWW-Authenticate", R"(Basic realm="app")");
  });
  auto challenged = client("p");
  EXPECT_FALSE(challenged.open());
  EXPECT_EQ(challenged.header("www-authenticate"), R"(Basic realm="app")");
  EXPECT_EQ(metric(*api, R"(herald_auth_total{port="stream",result="refused"})"), 3);
  EXPECT_EQ(metric(*api, R"(herald_auth_questions_total{result="refused"})"), 3);
  EXPECT_EQ(json_of(api->get("/api/connections"))["total"], 0);
}

TEST_F(StreamsAskedAbout, ComeBackLaterWhileThereIsNoAnswerThatCounts) {
  begin({"--auth-authorize-timeout-ms", "20000", "--auth-authorize-max-answer-bytes", "1024"});
  const std::vector<asked_application::rule> rules = {
    [](const httplib::Request&, httplib::Response& reply) { reply.set_redirect("/elsewhere"); },
    [](const httplib::Request&, httplib::Response& reply) { reply.status = 500; },
    [](const httplib::Request&, httplib::Response& reply) { reply.status = 404; },
    [](const httplib::Request&, httplib::Response& reply) { reply.set_content("{", "text/plain"); },
    [](const httplib::Request&, httplib::Response& reply) {
      reply.set_content("{}", "text/plain");
    },
    [](const httplib::Request&, httplib::Response& reply) {
      reply.set_content(
        R"({"subject":"ann","x":")" + std::string(10'000'000, 'x') + "\"}", "text/plain");
    }};
  for (const auto& rule : rules) {
    application.answer_by(rule);
    EXPECT_TRUE(comes_back_later());
  }
  for (const auto& asked : application.questions())
    EXPECT_EQ(asked.path, "/authorize") << "no redirect is followed";
  EXPECT_EQ(metric(*api, R"(herald_auth_questions_total{result="bad_answer"})"), 12);
  EXPECT_EQ(metric(*api, R"(herald_stream_refused_total{reason="application_away"})"), 12);
  EXPECT_EQ(metric(*api, "herald_auth_questions_failing"), 1);
  EXPECT_TRUE(herald->logs("warning auth-questions not_answered"));
  application.answer_with(R"({"subject":"ann"})");
  EXPECT_EQ(status("p"), 200);
  EXPECT_EQ(metric(*api, "herald_auth_questions_failing"), 0);
}

TEST_F(StreamsAskedAbout, ComeBackLaterFromAnApplicationThatHangs) {
  const bare_listener silent;
  begin_with(silent.url(), {"--auth-authorize-timeout-ms", "50"});
  EXPECT_TRUE(comes_back_later());
  EXPECT_EQ(metric(*api, R"(herald_auth_questions_total{result="timed_out"})"), 2);
  EXPECT_EQ(api->get("/readyz").status, 200);
}

TEST_F(StreamsAskedAbout, OpenOnceAnApplicationIsThereThatWasNotAtTheStart) {
  const auto port = free_port();
  begin_with("http://127.0.0.1:" + std::to_string(port) + "/authorize?key=hunter2");
  EXPECT_TRUE(comes_back_later());
  const asked_application late{port};
  EXPECT_EQ(status("p"), 200);
  EXPECT_EQ(late.count(), 1u);
  EXPECT_EQ(late.questions()[0].get_param_value("key"), "hunter2");
  EXPECT_EQ(herald->log().find("hunter2"), std::string::npos);
}

TEST_F(StreamsAskedAbout, StayWhileTheApplicationIsAwayUntilTheyExpire) {
  const auto port = free_port();
  auto app = std::make_unique<asked_application>(port);
  begin_with("http://127.0.0.1:" + std::to_string(port) + "/authorize", {"--auth-renew-s", "60"});
  app->answer_by([](const httplib::Request&, httplib::Response& reply) {
    reply.set_content(json{{"subject", "ann"}, {"expires_at", at(3s)}}.dump(), "application/json");
  });
  auto ending = client("p");
  ASSERT_TRUE(ending.open());
  app->answer_with(R"({"subject":"ann"})");
  auto staying = client("q");
  ASSERT_TRUE(staying.open());
  app.reset();
  EXPECT_TRUE(comes_back_later());
  EXPECT_TRUE(ending.next("expired"));
  EXPECT_TRUE(ending.wait_for_end());
  EXPECT_EQ(publish({{"event", "note"}, {"subject", "ann"}, {"data", 1}}), 202);
  EXPECT_EQ(staying.next("note")->data, "1");
}

TEST_F(StreamsAskedAbout, EndWhenTheirSubjectIsRevoked) {
  begin();
  auto stream = client("p");
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(api->post("/api/revocations", R"({"sub":"ann"})").status, 204);
  EXPECT_TRUE(stream.wait_for_end());
  const json later = {{"sub", "ann"}, {"issued_before", at(1h)}};
  EXPECT_EQ(api->post("/api/revocations", later.dump()).status, 204);
  EXPECT_EQ(status("p"), 401);
  application.answer_with(R"({"subject":"bob"})");
  EXPECT_EQ(status("q"), 200);
}

TEST_F(StreamsAskedAbout, AreAskedAboutSoManyAtOnceAndTheOthersComeBackLater) {
  begin({"--auth-authorize-connections", "1", "--auth-authorize-max-waiting", "1"});
  application.hold();
  auto first = client("p");
  ASSERT_TRUE(application.wait_for_questions(1));
  auto second = client("q");
  ASSERT_TRUE(wait_for("herald_auth_questions", 2));
  auto third = client("r");
  ASSERT_TRUE(third.open());
  EXPECT_TRUE(third.wait_for_end());
  EXPECT_EQ(metric(*api, R"(herald_auth_questions_total{result="no_room"})"), 1);
  EXPECT_EQ(metric(*api, R"(herald_stream_refused_total{reason="too_many_questions"})"), 1);
  application.let_go();
  EXPECT_TRUE(first.open());
  EXPECT_TRUE(second.open());
}

TEST_F(StreamsAskedAbout, CostNothingMoreOnceTheyHaveLeft) {
  begin({"--auth-authorize-connections", "1"});
  application.hold();
  auto first = client("p");
  ASSERT_TRUE(application.wait_for_questions(1));
  auto second = client("q");
  ASSERT_TRUE(wait_for("herald_auth_questions", 2));
  auto third = client("r");
  ASSERT_TRUE(wait_for("herald_auth_questions", 3));
  second.close();
  first.close();
  ASSERT_TRUE(wait_for("herald_auth_questions", 2));
  application.let_go();
  EXPECT_TRUE(third.open());
  EXPECT_EQ(application.count(), 2u) << "nobody was asked about the second";
  EXPECT_EQ(json_of(api->get("/api/connections"))["total"], 1);
}

TEST_F(StreamsAskedAbout, DoNotKeepHeraldFromEnding) {
  begin();
  application.hold();
  auto stream = client("p");
  ASSERT_TRUE(application.wait_for_questions(1));
  herald->signal(SIGTERM);
  ASSERT_TRUE(stream.open()) << "it is told to come back";
  EXPECT_TRUE(stream.retry());
  EXPECT_EQ(herald->wait(), exited(0));
  EXPECT_EQ(herald->log().find("shutdown_overdue"), std::string::npos);
}

TEST_F(StreamsAskedAbout, AreNotAskedAboutForAHeadOrOptions) {
  begin();
  http_client streams{herald->stream_port()};
  EXPECT_EQ(streams.send("HEAD", stream_target("p")).status, 401);
  EXPECT_EQ(streams.send("OPTIONS", stream_target("p")).status, 204);
  EXPECT_EQ(streams.send("GET", "/api/sse/stream").status, 400) << "nor what is no stream";
  EXPECT_EQ(status("p", "Cookie: session=7\r\nSec-Fetch-Site: cross-site\r\n"), 403)
    << "nor for a page of another site";
  EXPECT_EQ(application.count(), 0u);
}

TEST_F(StreamsAskedAbout, AreThoseWithoutATokenWhereThereAreKeys) {
  temporary_folder folder;
  const auto secret = std::string(32, 's');
  begin(
    {"--auth-secret-file", folder.write("secret", secret), "--auth-issuer", "https://app.example",
     "--auth-audience", "herald"});
  const auto bearer = [&](std::chrono::seconds lifetime) {
    return "Authorization: Bearer "
           + signing_key::secret(secret).token(
             {{"iss", "https://app.example"},
              {"aud", "herald"},
              {"sub", "ann"},
              {"exp", at(lifetime)}})
           + "\r\n";
  };
  EXPECT_EQ(status("p", bearer(1h)), 200);
  EXPECT_EQ(status("p", bearer(-1s)), 401);
  const auto ticket = json_of(api->post("/api/tickets", R"({"subject":"ann"})"))["ticket"];
  EXPECT_EQ(status("p", {}, "&ticket=" + ticket.get<std::string>()), 200);
  EXPECT_EQ(application.count(), 0u);
  EXPECT_EQ(status("p"), 200);
  EXPECT_EQ(application.count(), 1u);
}

TEST_F(StreamsAskedAbout, OfNobodyHearWhatIsForEveryoneWhereItIsOptional) {
  begin({"--auth-public-topics", "news/*"}, "optional");
  application.answer_with(R"({"topics":["rooms/*"]})");
  EXPECT_EQ(status("p", {}, "&topic=orders/1"), 403);
  auto stream = client("p", {}, "&topic=news/1&topic=rooms/7");
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(publish({{"event", "note"}, {"request_id", "p"}, {"data", 1}}), 202);
  EXPECT_EQ(publish({{"event", "note"}, {"topic", "rooms/7"}, {"data", 2}}), 202);
  EXPECT_EQ(publish({{"event", "note"}, {"topic", "news/1"}, {"data", 3}}), 202);
  EXPECT_EQ(stream.next("note")->data, "2");
  EXPECT_EQ(stream.next("note")->data, "3");
}

TEST(AskingTheApplication, IsHeldToItsRulesAtTheStart) {
  for (const auto& [arguments, rule] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
         {{"--auth-authorize-url", "https://app.example/a"},
          "auth.mode must be optional or required where auth.authorize_url is set"},
         {{"--auth-mode", "required", "--auth-authorize-url", "http://app.example/a"},
          "auth.authorize_url must be https, or auth.authorize_plain=true written down"},
         {{"--auth-mode", "required", "--auth-authorize-url", "app.example"}, "auth.authorize_url"},
         {{"--auth-mode", "required", "--auth-authorize-url", "https://app.example/a",
           "--callback-url", "http://backend"},
          "auth.mode is for streams that herald lets in itself"}}) {
    auto all = arguments;
    all.insert(all.end(), {"--check-config"});
    const auto ended = run_herald(all);
    EXPECT_EQ(ended.status, exited(2)) << rule;
    EXPECT_NE(ended.standard_error.find(rule), std::string::npos) << ended.standard_error;
  }
}

} // namespace
} // namespace herald
