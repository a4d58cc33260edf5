#include "messages/wire/task_json.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

const wall_time noon = wall_time{} + std::chrono::milliseconds{1'738'324'800'007};

TEST(TaskJson, ShowsTasks) {
  task_view task;
  task.id = task_id{"7"};
  task.type = "demo";
  EXPECT_EQ(
    to_json(task),
    R"({"task_id":"7","type":"demo","status":"pending","start_time":null,"end_time":null,)"
    R"("progress":0,"progress_text":null,"result":null,"error":null,"seq":0})");
  task.status = task_status::failed;
  task.start_time = noon;
  task.end_time = noon;
  task.progress = 0.1;
  task.progress_text = "half";
  task.result_json = R"({"n":1.0})";
  task.error = "e";
  EXPECT_EQ(
    to_json(task_page{{task}, 1, 7}),
    R"({"tasks":[{"task_id":"7","type":"demo","status":"failed",)"
    R"("start_time":"2025-01-31T12:00:00.007Z","end_time":"2025-01-31T12:00:00.007Z",)"
    R"("progress":0.1,"progress_text":"half","result":{"n":1.0},"error":"e","seq":0}],"total":1,"next":"7"})");
}

TEST(TaskJson, ShowsWhoIsToldOfATask) {
  task_view task;
  task.seq = 3;
  const auto end_of = [&] {
    const auto text = to_json(task);
    return text.substr(text.find(R"("seq":)"));
  };
  EXPECT_EQ(end_of(), R"("seq":3})");
  task.to = std::make_shared<const audience>(
    audience{request_id{"mine"}, "ann", {}, {"orders/42"}, {request_id{"other"}}});
  EXPECT_EQ(
    end_of(),
    R"("seq":3,"request_id":"mine","topic":"orders/42","subject":"ann","except":["other"]})");
  task.to = nullptr;
  task.told = false;
  EXPECT_EQ(end_of(), R"("seq":3,"audience":"none"})");
}

TEST(TaskJson, TellsWhoeverStartsATaskItsId) {
  task_view task;
  task.id = task_id{"7"};
  EXPECT_EQ(started_json(task), R"({"task_id":"7","status":"pending"})");
}

TEST(TaskJson, ShowsTaskEvents) {
  EXPECT_EQ(
    to_json(task_event{task_event_type::task_started, task_id{"7"}, noon, "null"}),
    R"({"event_type":"task_started","task_id":"7","timestamp":"2025-01-31T12:00:00.007Z","data":null})");
  EXPECT_EQ(
    to_json(task_event{task_event_type::task_started, task_id{"7"}, noon, "null", 12}),
    R"({"event_type":"task_started","task_id":"7","seq":12,)"
    R"("timestamp":"2025-01-31T12:00:00.007Z","data":null})");
}

TEST(TaskJson, ShowsTheDataOfEvents) {
  task_view task;
  task.progress = 0.25;
  task.progress_text = "a\"b";
  EXPECT_EQ(progress_json(task), R"({"text":"a\"b","value":0.25})");
  EXPECT_EQ(error_json("no"), R"({"error":"no"})");
}

} // namespace
} // namespace herald
