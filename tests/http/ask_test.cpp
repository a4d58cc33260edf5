#include "http/ask.hpp"

#include <chrono>

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

} // namespace
} // namespace herald
