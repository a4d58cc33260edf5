#include "http/access/authorizer.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/asked_application.hpp"
#include "tests/support/bare_listener.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/tls_backend.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::asked_application;
using testing::eventually;
using testing::patience;

class Authorizer : public ::testing::Test {
protected:
  Authorizer() {
    options.mode = auth_mode::required;
    options.authorize_url = application.url();
    options.authorize_timeout_ms = patience;
  }
  ~Authorizer() override {
    application.let_go();
    asks.reset();
  }

  void use() { asks = std::make_unique<authorizer>(options, numbers); }

  std::optional<authorizer::number> ask(const std::string& name, const header_list& headers = {}) {
    if (!asks)
      use();
    auto more = headers;
    more.emplace_back("X-Page", name);
    return asks->ask(more, [this, name](authorize_verdict said) {
      const std::lock_guard lock{mutex};
      answered.emplace_back(name, std::move(said));
      changed.notify_all();
    });
  }
  void wait_for_answers(std::size_t count) {
    std::unique_lock lock{mutex};
    EXPECT_TRUE(changed.wait_for(lock, patience, [&] { return answered.size() >= count; }));
  }
  authorize_verdict answer(const std::string& name) {
    const auto before = answers();
    EXPECT_TRUE(ask(name));
    wait_for_answers(before + 1);
    const std::lock_guard lock{mutex};
    return answered.back().second;
  }
  /// Why there is no answer that counts.
  std::string fault() {
    const auto said = answer("p");
    const auto* const nothing = std::get_if<no_answer>(&said);
    return nothing == nullptr ? "it counts" : nothing->why;
  }
  std::size_t answers() {
    const std::lock_guard lock{mutex};
    return answered.size();
  }
  std::string names() {
    const std::lock_guard lock{mutex};
    std::string all;
    for (const auto& [name, _] : answered)
      all += name;
    return all;
  }
  [[nodiscard]] double result(const std::string& which) const {
    return testing::metric(numbers, "herald_auth_questions_total{result=\"" + which + "\"}");
  }
  [[nodiscard]] double metric(const std::string& name) const {
    return testing::metric(numbers, name);
  }

  metrics numbers;
  asked_application application;
  auth_options options;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::pair<std::string, authorize_verdict>> answered;
  std::unique_ptr<authorizer> asks;
};

TEST_F(Authorizer, AsksOverOneConnectionAfterAnother) {
  options.authorize_connections = 1;
  application.hold();
  const auto begun = std::chrono::steady_clock::now();
  for (const auto* name : {"p", "q", "r"})
    EXPECT_TRUE(ask(name));
  application.let_go();
  wait_for_answers(3);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun;
  EXPECT_EQ(std::get<stream_grant>(answered.back().second).subject, "ann");
  const auto asked = application.questions();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].method, "GET");
  EXPECT_EQ(asked[0].get_header_value("X-Page"), "p");
  EXPECT_EQ(asked[2].remote_port, asked[0].remote_port);
  EXPECT_EQ(metric("herald_auth_question_connections_total"), 1);
  EXPECT_EQ(result("granted"), 3);
  EXPECT_EQ(metric("herald_auth_question_seconds_count"), 3);
  EXPECT_LE(metric("herald_auth_question_seconds_sum"), 3 * seconds.count())
    << "none can take longer than all of them";
  EXPECT_EQ(metric("herald_auth_questions"), 0);
  EXPECT_EQ(metric("herald_auth_question_bytes"), 0);
}

TEST_F(Authorizer, PassesOnThatTheApplicationSaysNo) {
  application.answer_by([](const httplib::Request&, httplib::Response& reply) {
    reply.status = 401;
    reply.set_header("WWW-Authenticate", "Bearer realm=\"app\"");
  });
  EXPECT_EQ(std::get<turned_down>(answer("p")).challenge, "Bearer realm=\"app\"");
  application.answer_by([](const httplib::Request&, httplib::Response& reply) {
    reply.status = 403;
    reply.set_content(std::string(1000, 'x'), "text/html");
  });
  EXPECT_EQ(std::get<turned_down>(answer("p")).status, 403);
  application.answer_by([](const httplib::Request&, httplib::Response& reply) {
    reply.status = 403;
    reply.set_content(std::string(1'000'000, 'x'), "text/html");
  });
  EXPECT_EQ(std::get<turned_down>(answer("p")).status, 403) << "whatever its body";
  EXPECT_EQ(result("refused"), 3);
  EXPECT_EQ(metric("herald_auth_questions_failing"), 0);
}

TEST_F(Authorizer, FollowsNoRedirect) {
  for (const int status : {301, 302, 303, 307, 308}) {
    application.answer_by([status](const httplib::Request&, httplib::Response& reply) {
      reply.set_redirect("/elsewhere", status);
    });
    EXPECT_EQ(fault(), "the answer was " + std::to_string(status));
  }
  for (const auto& asked : application.questions())
    EXPECT_EQ(asked.path, "/authorize");
  EXPECT_EQ(result("bad_answer"), 5);
  EXPECT_EQ(metric("herald_auth_questions_failing"), 1);
}

TEST_F(Authorizer, ReadsNoAnswerThatIsTooLarge) {
  options.authorize_max_answer_bytes = 1000;
  const auto large =
    std::string{R"({"subject":"ann","x":")"} + std::string(10'000'000, 'x') + "\"}";
  application.answer_with(large);
  EXPECT_EQ(fault(), "the answer is too large");
  application.answer_by([&](const httplib::Request&, httplib::Response& reply) {
    reply.set_chunked_content_provider(
      "application/json",
      [&](std::size_t, httplib::DataSink& sink) { return sink.write(large.data(), large.size()); });
  });
  EXPECT_EQ(fault(), "the answer is too large");
  application.answer_by([](const httplib::Request&, httplib::Response& reply) {
    for (int i = 0; i < 100; ++i)
      reply.headers.emplace("X-Filler", std::string(1000, 'x'));
    reply.set_content(R"({"subject":"ann"})", "application/json");
  });
  EXPECT_EQ(fault(), "the answer is too large") << "nor a head of 100 KB";
  application.answer_with(R"({"subject":"ann","x":")" + std::string(900, 'x') + "\"}");
  EXPECT_EQ(fault(), "it counts");
  EXPECT_EQ(result("bad_answer"), 3);
}

TEST_F(Authorizer, GivesUpWhoDoesNotAnswerInTime) {
  const testing::bare_listener silent;
  options.authorize_url = silent.url();
  options.authorize_timeout_ms = 50ms;
  EXPECT_EQ(fault(), "no answer in time");
  EXPECT_EQ(result("timed_out"), 1);
}

TEST_F(Authorizer, SaysThatNobodyIsThere) {
  options.authorize_url = "http://127.0.0.1:" + std::to_string(testing::free_port());
  EXPECT_NE(fault(), "it counts");
  EXPECT_EQ(result("unreachable"), 1);
  EXPECT_EQ(metric("herald_auth_questions_failing"), 1);
}

TEST_F(Authorizer, LogsAFailureASecondAndHowManyItLeftOut) {
  const testing::log_capture log;
  options.authorize_url = "http://127.0.0.1:" + std::to_string(testing::free_port());
  std::size_t asked = 0;
  ASSERT_TRUE(eventually([&] {
    EXPECT_NE(fault(), "it counts");
    ++asked;
    return log.lines("not_answered").size() == 2;
  }));
  const auto lines = log.lines("not_answered");
  EXPECT_TRUE(lines[0].ends_with(" unlogged=0")) << lines[0];
  EXPECT_TRUE(lines[1].ends_with(" unlogged=" + std::to_string(asked - 2))) << lines[1];
}

TEST_F(Authorizer, AsksOverTlsWhomTheAuthoritiesOfTheSettingVouchFor) {
  const testing::tls_backend backend;
  options.authorize_url = backend.url("/text/%7B%22subject%22:%22ann%22%7D");
  EXPECT_NE(fault().find("certificate"), std::string::npos);
  EXPECT_TRUE(backend.requests().empty());
  options.ca_file = backend.ca_file();
  use();
  EXPECT_EQ(fault(), "it counts");
}

TEST_F(Authorizer, AsksSoManyAtOnceAndTheOthersInTheirOrder) {
  options.authorize_connections = 1;
  options.authorize_max_waiting = 2;
  application.hold();
  EXPECT_TRUE(ask("a"));
  ASSERT_TRUE(application.wait_for_questions(1));
  EXPECT_TRUE(ask("b"));
  EXPECT_TRUE(ask("c"));
  EXPECT_FALSE(ask("d")) << "there is no room for it";
  EXPECT_EQ(result("no_room"), 1);
  EXPECT_EQ(metric("herald_auth_questions"), 3);
  EXPECT_GT(metric("herald_auth_question_bytes"), 0);
  EXPECT_EQ(application.count(), 1u);
  application.let_go();
  wait_for_answers(3);
  EXPECT_EQ(names(), "abc");
  EXPECT_TRUE(ask("e")) << "and there is room again";
}

TEST_F(Authorizer, TakesNoMoreBytesThanItMay) {
  options.authorize_max_bytes = 4000;
  application.hold();
  const header_list large = {{"Cookie", std::string(2000, 'x')}};
  EXPECT_TRUE(ask("a", large));
  EXPECT_FALSE(ask("b", large));
  EXPECT_TRUE(ask("c"));
  application.let_go();
  wait_for_answers(2);
  EXPECT_TRUE(ask("d", large));
}

TEST_F(Authorizer, PutsNoQuestionThatNobodyWaitsFor) {
  options.authorize_connections = 1;
  application.hold();
  const auto first = ask("a");
  const auto second = ask("b");
  EXPECT_TRUE(ask("c"));
  ASSERT_TRUE(application.wait_for_questions(1));
  asks->forget(*second);
  asks->forget(*first);
  asks->forget(99);
  EXPECT_EQ(result("given_up"), 1);
  EXPECT_EQ(metric("herald_auth_questions"), 2);
  application.let_go();
  wait_for_answers(1);
  EXPECT_EQ(names(), "c");
  EXPECT_EQ(application.count(), 2u) << "a's was put before it left";
  EXPECT_EQ(metric("herald_auth_question_bytes"), 0) << "all of them have left their room";
}

TEST_F(Authorizer, AnswersTooLateThoseThatOthersKeptFromTheirTurn) {
  const testing::bare_listener silent;
  options.authorize_url = silent.url();
  options.authorize_connections = 1;
  options.authorize_timeout_ms = 50ms;
  for (const auto* name : {"a", "b", "c", "d"})
    EXPECT_TRUE(ask(name));
  wait_for_answers(4);
  EXPECT_EQ(names(), "abcd");
  EXPECT_EQ(result("timed_out"), 4);
  EXPECT_EQ(metric("herald_auth_questions"), 0);
  EXPECT_EQ(metric("herald_auth_question_bytes"), 0);
}

/// With these schemes a server takes the connection for the client's.
TEST_F(Authorizer, SharesNoConnectionThatIsSomebodys) {
  for (const auto* scheme : {"Negotiate", "NTLM"}) {
    const auto before = answers();
    EXPECT_TRUE(ask("p", {{"authorization", std::string{scheme} + " YWJj"}}));
    wait_for_answers(before + 1);
    static_cast<void>(answer("q"));
  }
  auto asked = application.questions();
  ASSERT_EQ(asked.size(), 4u);
  for (const std::size_t its : {0U, 2U})
    for (std::size_t other = 0; other < asked.size(); ++other)
      EXPECT_EQ(asked[other].remote_port == asked[its].remote_port, other == its);
}

TEST_F(Authorizer, EndsWithQuestionsOut) {
  options.authorize_connections = 1;
  application.hold();
  EXPECT_TRUE(ask("a"));
  EXPECT_TRUE(ask("b"));
  ASSERT_TRUE(application.wait_for_questions(1));
  asks.reset();
  EXPECT_EQ(answers(), 0u);
}

} // namespace
} // namespace herald
