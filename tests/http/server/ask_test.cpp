#include "http/server/ask.hpp"

#include <chrono>
#include <memory>
#include <set>
#include <vector>

#include "tests/support/api_routes.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

/// Asks real actors: the asker is a thread.
class Ask : public testing::api_routes {
protected:
  template <class Handler>
  publisher_actor publisher(Handler answer) {
    return spawn<publisher_actor>(answer);
  }

  static ec code_of(const caf::expected<publish_receipt>& answer) {
    return answer ? ec::none : describe(answer.error()).code;
  }
};

TEST_F(Ask, GivesTheAnswer) {
  const auto asked = publisher([](const publish&) {
    publish_receipt receipt;
    receipt.recipients = 3;
    return receipt;
  });
  const auto answer = ask<publish_receipt>(system(), asked, publish{});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->recipients, 3u);
}

TEST_F(Ask, GivesTheErrorThatWasAnswered) {
  const auto asked = publisher(
    [](const publish&) -> result<publish_receipt> { return fail(ec::storage_full, "no room"); });
  EXPECT_EQ(code_of(ask<publish_receipt>(system(), asked, publish{})), ec::storage_full);
}

TEST_F(Ask, WaitsNoLongerThanItsDeadline) {
  const auto asked = publisher(
    [](const publish&) -> result<publish_receipt> { return caf::delegated<publish_receipt>{}; });
  EXPECT_EQ(code_of(ask<publish_receipt>(system(), asked, publish{}, 1ms)), ec::timed_out);
}

TEST_F(Ask, IsToldThatNobodyIsThere) {
  const auto asked = publisher([](const publish&) { return publish_receipt{}; });
  caf::anon_send_exit(asked, caf::exit_reason::kill);
  EXPECT_EQ(code_of(ask<publish_receipt>(system(), asked, publish{})), ec::actor_failed);
}

/// Asks within a scope, an actor that answers only when it is told to, and notes who asks.
class AskerScope : public testing::api_routes {
protected:
  using asked_actor = publisher_actor::extend<caf::reacts_to<publish_receipt>>;

  AskerScope() {
    asked = system().spawn([this](asked_actor::pointer self) -> asked_actor::behavior_type {
      auto promises = std::make_shared<std::vector<caf::typed_response_promise<publish_receipt>>>();
      return {
        [this, self, promises](const publish& question) -> result<publish_receipt> {
          askers.insert(self->current_sender()->id());
          promises->push_back(self->make_response_promise<publish_receipt>());
          if (question.wait)
            answer_all(*promises, 2);
          return promises->back();
        },
        [promises, this](const publish_receipt& late) {
          answer_all(*promises, late.recipients);
        }};
    });
  }
  ~AskerScope() override { caf::anon_send_exit(asked, caf::exit_reason::kill); }

  static void answer_all(
    std::vector<caf::typed_response_promise<publish_receipt>>& promises, std::size_t recipients) {
    publish_receipt receipt;
    receipt.recipients = recipients;
    for (auto& promise : promises)
      if (promise.pending())
        promise.deliver(receipt);
  }

  /// Recipients in the answer; 0 where there was none in time.
  std::size_t question(bool answered, std::chrono::milliseconds deadline = 20s) {
    publish what;
    what.wait = answered;
    const auto answer = ask<publish_receipt>(system(), asked, std::move(what), deadline);
    return answer ? answer->recipients : 0;
  }

  asked_actor asked;
  /// Of that actor, while nobody asks.
  std::set<caf::actor_id> askers;
};

TEST_F(AskerScope, HasOneAskerForAllQuestions) {
  const asker_scope scope;
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(question(true), 2u);
  EXPECT_EQ(askers.size(), 1u);
}

TEST_F(AskerScope, EndsWithItsAsker) {
  {
    const asker_scope scope;
    EXPECT_EQ(question(true), 2u);
    const asker_scope inner;
    EXPECT_EQ(question(true), 2u);
  }
  EXPECT_EQ(question(true), 2u);
  EXPECT_EQ(question(true), 2u);
  EXPECT_EQ(askers.size(), 4u);
}

TEST_F(AskerScope, TakesNoLateAnswerForThatOfTheNextQuestion) {
  const asker_scope scope;
  EXPECT_EQ(question(false, 1ms), 0u);
  publish_receipt late;
  late.recipients = 1;
  caf::anon_send(asked, late);
  EXPECT_EQ(question(true), 2u);
  EXPECT_EQ(question(true), 2u);
  EXPECT_EQ(askers.size(), 2u) << "the one that had an answer to come is gone with it";
}

} // namespace
} // namespace herald
