#include "actors/webhooks/webhook_queue.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;
using ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

class WebhookQueue : public ::testing::Test {
protected:
  /// Pushes events with the data `{"n":1}` and so on, and releases them.
  void push(std::size_t count, std::size_t padding = 0) {
    for (std::size_t i = 0; i < count; ++i)
      queue->push(
        "t", {}, "{\"n\":" + std::to_string(++pushed) + std::string(padding, ' ') + "}", now);
    queue->release(queue->last_number());
  }

  /// "1 2 3": the events of the batch that is to be sent now; empty if there is none.
  std::string take() {
    const auto batch = queue->take(now);
    if (!batch)
      return {};
    last_id = batch->id;
    std::string numbers;
    const auto& body = *batch->body;
    constexpr std::string_view mark = "{\"n\":";
    for (auto at = body.find(mark); at != std::string::npos; at = body.find(mark, at + 1))
      numbers +=
        (numbers.empty() ? "" : " ") + std::to_string(std::stoi(body.substr(at + mark.size())));
    return numbers;
  }

  webhook_limits limits{3, 1 << 20, 1000, 1 << 20, 60s, 100ms, 1000ms};
  std::unique_ptr<webhook_queue> queue = std::make_unique<webhook_queue>(limits, 100);
  webhook_queue::time_point now{1h};
  std::size_t pushed = 0;
  std::string last_id;
};

TEST_F(WebhookQueue, SendsBatchesInOrderOneAtATime) {
  push(5);
  EXPECT_EQ(take(), "1 2 3");
  EXPECT_EQ(last_id, "msg_101_3");
  EXPECT_EQ(take(), "") << "one is under way";
  queue->answered();
  EXPECT_EQ(queue->take_gone(), (ranges{{101, 103}}));
  EXPECT_EQ(take(), "4 5");
  push(1);
  queue->answered();
  EXPECT_EQ(take(), "6");
  queue->answered();
  EXPECT_EQ(take(), "");
  EXPECT_EQ(queue->size(), 0u);
  EXPECT_EQ(queue->bytes(), 0u);
}

TEST_F(WebhookQueue, SendsNothingBeforeItIsReleased) {
  queue->push("t", {}, "{\"n\":1}", now);
  queue->push("t", {}, "{\"n\":2}", now);
  EXPECT_EQ(take(), "");
  queue->release(101);
  EXPECT_EQ(take(), "1");
  queue->answered();
  EXPECT_EQ(take(), "");
  queue->release(102);
  EXPECT_EQ(take(), "2");
}

TEST_F(WebhookQueue, SendsAFailedBatchAgainAsItWasAfterAPauseThatDoubles) {
  push(2);
  EXPECT_EQ(take(), "1 2");
  const auto id = last_id;
  push(1);
  for (const auto pause : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    queue->failed(now, 0);
    EXPECT_EQ(queue->due(), now + pause);
    now += pause - 1ms;
    EXPECT_EQ(take(), "");
    now += 1ms;
    EXPECT_EQ(take(), "1 2") << "without what has come meanwhile";
    EXPECT_EQ(last_id, id);
  }
  queue->answered();
  EXPECT_EQ(take(), "3");
  queue->failed(now, 0);
  EXPECT_EQ(queue->due(), now + 100ms) << "an answer ends the row of failures";
}

TEST_F(WebhookQueue, ShortensAPauseByChance) {
  push(1);
  EXPECT_EQ(take(), "1");
  queue->failed(now, 1);
  EXPECT_EQ(queue->due(), now + 50ms);
}

TEST_F(WebhookQueue, HurriesWhenItIsTold) {
  push(1);
  EXPECT_EQ(take(), "1");
  queue->failed(now, 0);
  EXPECT_EQ(take(), "");
  queue->hurry();
  EXPECT_EQ(take(), "1");
}

TEST_F(WebhookQueue, MakesBatchesOfBoundedBytesButSendsALargeEventAlone) {
  limits.batch_bytes = 100;
  queue = std::make_unique<webhook_queue>(limits, 100);
  push(2, 40);
  push(1, 500);
  push(1);
  EXPECT_EQ(take(), "1 2");
  queue->answered();
  EXPECT_EQ(take(), "3");
  queue->answered();
  EXPECT_EQ(take(), "4");
}

TEST_F(WebhookQueue, MakesABatchOfExactlyTheBytesThatItMayHave) {
  limits.batch_bytes = 2 * std::string_view{"t{\"n\":1}"}.size();
  queue = std::make_unique<webhook_queue>(limits, 100);
  push(3);
  EXPECT_EQ(take(), "1 2");
}

TEST_F(WebhookQueue, LosesTheOldestOfTooMany) {
  limits.queue_events = 4;
  queue = std::make_unique<webhook_queue>(limits, 100);
  push(6);
  EXPECT_EQ(queue->size(), 4u);
  EXPECT_EQ(queue->take_losses().full, 2u);
  EXPECT_EQ(queue->take_losses().full, 0u);
  EXPECT_EQ(queue->take_gone(), (ranges{{101, 102}}));
  EXPECT_EQ(take(), "3 4 5");
  push(2);
  EXPECT_EQ(queue->take_gone(), (ranges{{106, 107}})) << "not what is under way";
  queue->answered();
  EXPECT_EQ(take(), "8");
}

TEST_F(WebhookQueue, LosesTheOldestOfTooManyBytesAndKeepsTheLast) {
  limits.queue_bytes = 2000;
  queue = std::make_unique<webhook_queue>(limits, 100);
  push(3, 600);
  EXPECT_LE(queue->bytes(), 2000u);
  EXPECT_EQ(queue->size(), 2u);
  push(1, 5000);
  EXPECT_EQ(queue->size(), 1u);
  EXPECT_EQ(take(), "4");
  EXPECT_EQ(queue->take_losses().full, 3u);
}

TEST_F(WebhookQueue, SendsWhatIsLeftOfABatchThatHasLostSome) {
  limits.queue_events = 3;
  queue = std::make_unique<webhook_queue>(limits, 100);
  push(3);
  EXPECT_EQ(take(), "1 2 3");
  queue->failed(now, 0);
  push(1);
  queue->hurry();
  EXPECT_EQ(take(), "2 3");
  EXPECT_EQ(last_id, "msg_102_2") << "another batch has another id";
}

TEST_F(WebhookQueue, LosesWhatIsTooOldButNotWhatIsUnderWay) {
  push(1);
  now += 30s;
  push(1);
  EXPECT_EQ(take(), "1 2");
  now += 30s + 1ms;
  queue->expire(now);
  EXPECT_EQ(queue->size(), 2u);
  queue->failed(now, 0);
  EXPECT_EQ(queue->take_losses().old, 1u);
  EXPECT_EQ(queue->take_gone(), (ranges{{101, 101}}));
  queue->hurry();
  EXPECT_EQ(take(), "2");
}

TEST_F(WebhookQueue, IsDueWhenTheOldestIsTooOldThoughItMayNotBeSent) {
  queue->push("t", {}, "{}", now);
  ASSERT_TRUE(queue->due());
  EXPECT_EQ(*queue->due(), now + 60s + 1ms);
  now = *queue->due();
  queue->expire(now);
  EXPECT_EQ(queue->size(), 0u);
  EXPECT_FALSE(queue->due());
}

TEST_F(WebhookQueue, GoesOnWithWhatAFormerLifeHasLeft) {
  queue->restore({250, "t", {}, "{\"n\":1}"}, now - 50s);
  EXPECT_EQ(take(), "1");
  EXPECT_EQ(last_id, "msg_250_1");
  queue->answered();
  push(1);
  EXPECT_EQ(queue->last_number(), 251u) << "no number is given out twice";
  EXPECT_EQ(queue->check(), std::nullopt);
}

TEST_F(WebhookQueue, IgnoresAnswersThatItDoesNotWaitFor) {
  push(1);
  queue->answered();
  queue->failed(now, 0);
  EXPECT_EQ(take(), "1");
  EXPECT_EQ(queue->check(), std::nullopt);
}

} // namespace
} // namespace herald
