#include "actors/webhooks/webhook_json.hpp"

#include <array>
#include <chrono>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

const wall_time noon = wall_time{} + std::chrono::milliseconds{1'738'324'800'007};

TEST(WebhookJson, TellsOfAStream) {
  const stream_facts ann{token::from_text("t"), request_id{"p\"1"}, "ann",
                         {"a/*", "b"},          "10.0.0.7",         noon};
  EXPECT_EQ(
    opened_json(ann),
    R"({"request_id":"p\"1","token":"t","subject":"ann","topics":["a/*","b"],"address":"10.0.0.7"})");
  EXPECT_EQ(
    closed_json(ann, "replaced", noon + 61'042ms),
    R"({"request_id":"p\"1","token":"t","subject":"ann","topics":["a/*","b"],"address":"10.0.0.7",)"
    R"("reason":"replaced","duration_s":61.042})");
}

TEST(WebhookJson, SaysWhatIsNotKnown) {
  const stream_facts nobody{token::from_text("t"), {}, {}, {}, {}, noon};
  EXPECT_EQ(
    closed_json(nobody, "error", noon - 5s),
    R"({"request_id":null,"token":"t","subject":null,"topics":[],"address":null,)"
    R"("reason":"error","duration_s":0.000})")
    << "a clock that was set back makes no stream end before it began";
}

TEST(WebhookJson, PutsEventsIntoABatch) {
  const webhook_event first{7, "topic.occupied", noon, topic_json("a/b")};
  const webhook_event second{9, "topic.vacant", noon + 1s, topic_json("a/b")};
  const std::array events = {&first, &second};
  EXPECT_EQ(
    batch_json(events),
    R"({"type":"batch","timestamp":"2025-01-31T12:00:01.007Z","events":[)"
    R"({"id":"evt_7","type":"topic.occupied","timestamp":"2025-01-31T12:00:00.007Z",)"
    R"("data":{"topic":"a/b"}},)"
    R"({"id":"evt_9","type":"topic.vacant","timestamp":"2025-01-31T12:00:01.007Z",)"
    R"("data":{"topic":"a/b"}}]})");
}

} // namespace
} // namespace herald
