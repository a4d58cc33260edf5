#include "actors/webhooks/webhooks.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/actor_test.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;
using kind = stream_change::kind;

const wall_time noon = wall_time{} + 480'000h;

stream_facts stream(const char* page, std::vector<std::string> topics = {}) {
  return {
    token::from_text(std::string{"t-"} + page), request_id{page}, {}, std::move(topics), {}, noon};
}

/// Webhooks with a receiver, and a journal, that answer when they are told to.
class Webhooks : public testing::actor_test {
protected:
  Webhooks() {
    settings.max_batch_events = 3;
    settings.min_backoff_ms = settings.max_backoff_ms = 1000ms;
    settings.max_age_s = 60s;
    log = mock<journal_actor>(
      [this](const record_entries& m) {
        for (const auto& entry : m.entries)
          note(entry);
        if (m.ticket != 0) {
          listener = m.listener;
          tickets.push_back(m.ticket);
        }
      },
      [](const flush&) {});
  }

  void begin(bool with_journal = false, webhook_memory memory = {}) {
    if (with_journal)
      memory.journal = log;
    const auto post =
      [this](const webhook_batch& batch, std::function<void(const webhook_answered&)> done) {
        body = *batch.body;
        sent.push_back(told_by(body));
        ids.push_back(batch.id);
        answer = std::move(done);
      };
    hooks = own(webhooks_actor{spawn_webhooks(
      system(), {"webhooks", {}, &numbers}, settings, post, numbers, std::move(memory))});
  }

  ~Webhooks() override {
    answer = nullptr;
    listener = journal_listener_actor{};
  }

  /// "stream.opened a, topic.vacant x": what a batch tells.
  static std::string told_by(const std::string& body) {
    std::string told;
    const auto batch = nlohmann::json::parse(body);
    for (const auto& event : batch["events"]) {
      const auto& data = event["data"];
      told += (told.empty() ? "" : ", ") + event["type"].get<std::string>();
      for (const auto* name : {"request_id", "topic", "task_id", "reason"})
        if (data.contains(name))
          told += ' ' + data[name].get<std::string>();
    }
    return told;
  }

  void note(const journal_entry& entry) {
    if (const auto* kept = std::get_if<webhooks_kept>(&entry)) {
      for (const auto& event : kept->events)
        recorded.push_back(event.type);
      for (const auto& id : kept->ended)
        recorded.push_back("told of " + id.str());
    } else if (const auto* dropped = std::get_if<webhooks_dropped>(&entry)) {
      recorded.push_back("drops " + std::to_string(dropped->last - dropped->first + 1));
    } else if (const auto* open = std::get_if<told_stream_kept>(&entry)) {
      recorded.push_back("open " + open->stream.stream.str());
    } else if (const auto* gone = std::get_if<told_stream_dropped>(&entry)) {
      recorded.push_back("gone " + gone->stream.str());
    } else {
      ADD_FAILURE() << "not ours";
    }
  }

  void changes(std::vector<stream_change> all) { tell(hooks, streams_changed{std::move(all)}); }
  void opens(const char* page) { changes({{kind::opened, noon, stream(page)}}); }
  void closes(const char* page) {
    changes({{kind::closed, noon + 1s, stream(page), "client_closed"}});
  }

  void receiver_answers(ec code = ec::none, std::uint16_t status = 200) {
    ASSERT_TRUE(answer);
    std::exchange(answer, nullptr)({{code, "why", {}}, status});
    drain();
  }

  void journal_answers(ec code = ec::none) {
    ASSERT_FALSE(tickets.empty());
    tell(listener, entries_recorded{tickets.front(), tickets.back(), {code, "disk", {}}});
    tickets.clear();
  }

  double metric(std::string_view series) { return testing::metric(numbers, series); }

  metrics numbers;
  webhook_settings settings;
  journal_actor log;
  webhooks_actor hooks;
  journal_listener_actor listener;
  std::vector<ticket_id> tickets;
  lines recorded;
  lines sent;
  lines ids;
  /// Of the batch that was sent last.
  std::string body;
  std::function<void(const webhook_answered&)> answer;
};

TEST_F(Webhooks, TellsOfStreamsAndTopicsInTheirOrder) {
  begin();
  changes({{kind::opened, noon, stream("a", {"x"})}, {kind::occupied, noon, {}, {}, "x"}});
  EXPECT_EQ(sent, (lines{"stream.opened a, topic.occupied x"}));
  changes(
    {{kind::closed, noon + 2s, stream("a", {"x"}), "replaced"},
     {kind::opened, noon + 2s, stream("a")},
     {kind::vacated, noon + 2s, {}, {}, "x"}});
  EXPECT_EQ(sent.size(), 1u) << "one batch is under way";
  receiver_answers();
  EXPECT_EQ(sent.back(), "stream.closed a replaced, stream.opened a, topic.vacant x");
  receiver_answers();
  EXPECT_EQ(metric("herald_webhook_events_total"), 5);
  EXPECT_EQ(metric("herald_webhook_batches_total{outcome=\"answered\"}"), 2);
  EXPECT_EQ(metric("herald_webhook_queue_events"), 0);
}

TEST_F(Webhooks, SaysNothingOfWhatOnlyTheJournalMustKnow) {
  begin();
  changes({{kind::retuned, noon, stream("a", {"x"})}});
  EXPECT_TRUE(sent.empty());
}

TEST_F(Webhooks, RecordsTheTopicsThatAPageHasChanged) {
  begin(true);
  changes({{kind::retuned, noon, stream("a", {"x"})}});
  EXPECT_EQ(recorded, (lines{"open t-a"}));
}

TEST_F(Webhooks, TellsOfTasksThatHaveEndedAndWhen) {
  begin();
  task_view task;
  task.id = task_id{"job"};
  task.status = task_status::completed;
  task.end_time = noon;
  tell(hooks, task_ended{task});
  EXPECT_EQ(sent, (lines{"task.ended job"}));
  EXPECT_EQ(nlohmann::json::parse(body)["timestamp"], "2024-10-04T00:00:00.000Z");
}

TEST_F(Webhooks, BeginsWithTheShortestPauseBetweenTwoTries) {
  testing::log_capture log_lines;
  settings.min_backoff_ms = 100ms;
  settings.max_backoff_ms = 50s;
  begin();
  opens("a");
  receiver_answers(ec::upstream_refused, 500);
  advance(100ms);
  EXPECT_EQ(sent.size(), 2u);
}

TEST_F(Webhooks, MeasuresInSecondsHowLongTheReceiverTakes) {
  begin();
  opens("a");
  advance(2s);
  receiver_answers();
  EXPECT_DOUBLE_EQ(metric("herald_webhook_seconds_sum"), 2);
}

TEST_F(Webhooks, TriesAgainUntilItIsAnswered) {
  testing::log_capture log_lines;
  begin();
  opens("a");
  receiver_answers(ec::upstream_refused, 500);
  opens("b");
  EXPECT_EQ(sent.size(), 1u);
  EXPECT_EQ(metric("herald_webhook_failing"), 1);
  advance(1s);
  receiver_answers(ec::upstream_timed_out, 0);
  advance(1s);
  receiver_answers();
  EXPECT_EQ(
    sent, (lines{"stream.opened a", "stream.opened a", "stream.opened a", "stream.opened b"}));
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(ids[0], ids[2]);
  EXPECT_NE(ids[0], ids[3]);
  EXPECT_EQ(metric("herald_webhook_failing"), 0);
  EXPECT_EQ(metric("herald_webhook_batches_total{outcome=\"refused\"}"), 1);
  EXPECT_EQ(metric("herald_webhook_batches_total{outcome=\"failed\"}"), 1);
  EXPECT_EQ(log_lines.lines("receiver_failing").size(), 1u);
  EXPECT_EQ(log_lines.lines("receiver_recovered").size(), 1u);
}

TEST_F(Webhooks, LosesWhatIsTooOldAndSaysSoTogether) {
  testing::log_capture log_lines;
  begin();
  for (const auto* page : {"a", "b", "c", "d", "e"})
    opens(page);
  receiver_answers(ec::upstream_unavailable, 0);
  for (int i = 0; i < 70; ++i) {
    advance(1s);
    if (answer)
      receiver_answers(ec::upstream_unavailable, 0);
  }
  EXPECT_EQ(metric("herald_webhook_lost_total{reason=\"age\"}"), 5);
  EXPECT_EQ(metric("herald_webhook_queue_events"), 0);
  const auto lost = log_lines.lines("events_lost");
  ASSERT_FALSE(lost.empty());
  EXPECT_NE(lost[0].find("webhook.max_age_s"), std::string::npos) << lost[0];
}

TEST_F(Webhooks, KeepsNoMoreThanItMayAndSaysWhatIsLost) {
  testing::log_capture log_lines;
  settings.max_queue_events = 10;
  begin();
  for (int i = 0; i < 1000; ++i)
    opens("a");
  EXPECT_EQ(metric("herald_webhook_queue_events"), 10);
  EXPECT_EQ(metric("herald_webhook_lost_total{reason=\"full\"}"), 990);
  EXPECT_EQ(log_lines.lines("events_lost").size(), 1u) << "one for many";
  advance(10s);
  const auto lost = log_lines.lines("events_lost");
  ASSERT_EQ(lost.size(), 2u) << "and another for the rest";
  EXPECT_NE(lost[1].find("count=989"), std::string::npos) << lost[1];
}

TEST_F(Webhooks, RecordsWhatItTellsBeforeItIsSentAndForgetsItWhenItIsAnswered) {
  begin(true);
  opens("a");
  EXPECT_EQ(recorded, (lines{"stream.opened", "open t-a"}));
  EXPECT_TRUE(sent.empty()) << "a crash must not leave a stream open that nobody closes";
  journal_answers();
  EXPECT_EQ(sent, (lines{"stream.opened a"}));
  recorded.clear();
  closes("a");
  EXPECT_EQ(recorded, (lines{"stream.closed", "gone t-a"}));
  journal_answers();
  recorded.clear();
  receiver_answers();
  EXPECT_EQ(recorded, (lines{"drops 1"}));
  EXPECT_EQ(sent.back(), "stream.closed a client_closed");
}

TEST_F(Webhooks, SendsWhatCannotBeWritten) {
  begin(true);
  opens("a");
  journal_answers(ec::storage_full);
  EXPECT_EQ(sent, (lines{"stream.opened a"}));
}

TEST_F(Webhooks, RecordsThatItHasToldOfTheEndOfATask) {
  begin(true);
  task_view task;
  task.id = task_id{"job"};
  tell(hooks, task_ended{task});
  EXPECT_EQ(recorded, (lines{"task.ended", "told of job"}));
}

TEST_F(Webhooks, TellsWhatAFormerLifeHasLeftBeforeAnythingElse) {
  webhook_memory memory;
  memory.left.events = {
    {5, "topic.occupied", std::chrono::system_clock::now(), R"({"topic":"y"})"}};
  memory.left.streams = {stream("a", {"x", "y"}), stream("b", {"y"})};
  task_view task;
  task.id = task_id{"job"};
  memory.ended = {task};
  settings.max_batch_events = 100;
  begin(true, std::move(memory));
  EXPECT_EQ(sent, (lines{"topic.occupied y"})) << "what is in the file already";
  EXPECT_EQ(
    recorded, (lines{
                "stream.closed", "stream.closed", "topic.vacant", "topic.vacant", "task.ended",
                "told of job", "gone t-a", "gone t-b"}));
  opens("a");
  receiver_answers();
  journal_answers();
  EXPECT_EQ(
    sent.back(), "stream.closed a restart, stream.closed b restart, topic.vacant x, "
                 "topic.vacant y, task.ended job, stream.opened a");
}

TEST_F(Webhooks, LosesWhatAFormerLifeHasLeftOnceItIsTooOld) {
  testing::log_capture log_lines;
  const auto wall = std::chrono::system_clock::now();
  webhook_memory memory;
  memory.left.events = {
    {5, "topic.occupied", wall - 100s, R"({"topic":"x"})"},
    {6, "topic.occupied", wall, R"({"topic":"y"})"}};
  begin(true, std::move(memory));
  EXPECT_EQ(sent, (lines{"topic.occupied y"}));
  EXPECT_EQ(recorded, (lines{"drops 1"}));
  EXPECT_EQ(metric("herald_webhook_lost_total{reason=\"age\"}"), 1);
}

TEST_F(Webhooks, TellsOfNoRestartOfStreamsThatAreOpenStill) {
  webhook_memory memory;
  memory.left.streams = {stream("a", {"x"}), stream("b", {"x", "y"})};
  memory.still_open = {token::from_text("t-a"), token::from_text("t-c")};
  settings.max_batch_events = 100;
  begin(true, std::move(memory));
  recorded.clear();
  changes({{kind::adopted, noon, stream("a", {"x"})}, {kind::adopted, noon, stream("c", {"z"})}});
  EXPECT_EQ(recorded, (lines{"stream.opened", "topic.occupied", "open t-a", "open t-c"}))
    << "the next crash may end each of them";
  journal_answers();
  EXPECT_EQ(
    sent, (lines{"stream.closed b restart, topic.vacant y, stream.opened c, topic.occupied z"}));
}

TEST_F(Webhooks, AnswersAFlushWhenAllIsTold) {
  begin();
  EXPECT_TRUE(ask<void>(hooks, flush{})) << "nothing is to be told";
  opens("a");
  caf::scoped_actor who{system(), true};
  auto pending = who->request(hooks, caf::infinite, flush{});
  drain();
  EXPECT_FALSE(who->has_next_message());
  receiver_answers();
  pending.receive([] {}, [](const caf::error&) { FAIL(); });
}

TEST_F(Webhooks, AnswersAFlushWhenTheReceiverFailsOnceMore) {
  testing::log_capture log_lines;
  begin();
  opens("a");
  receiver_answers(ec::upstream_unavailable, 0);
  EXPECT_EQ(sent.size(), 1u);
  caf::scoped_actor who{system(), true};
  auto pending = who->request(hooks, caf::infinite, flush{});
  drain();
  EXPECT_EQ(sent.size(), 2u) << "at once, whatever the pause";
  receiver_answers(ec::upstream_unavailable, 0);
  pending.receive([] {}, [](const caf::error&) { FAIL(); });
  EXPECT_EQ(metric("herald_webhook_lost_total{reason=\"shutdown\"}"), 1);
  EXPECT_EQ(log_lines.lines("events_lost").size(), 1u);
}

TEST_F(Webhooks, LosesNothingAtTheEndThatIsInTheFile) {
  begin(true);
  opens("a");
  journal_answers();
  caf::scoped_actor who{system(), true};
  auto pending = who->request(hooks, caf::infinite, flush{});
  drain();
  receiver_answers(ec::upstream_unavailable, 0);
  pending.receive([] {}, [](const caf::error&) { FAIL(); });
  EXPECT_EQ(metric("herald_webhook_lost_total{reason=\"shutdown\"}"), 0);
}

} // namespace
} // namespace herald
