#include "actors/journal/journal.hpp"

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/actor_test.hpp"
#include "tests/support/journal_entries.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using testing::make_events;
using lines = std::vector<std::string>;

std::string text_of(const journal_entry& entry) {
  if (const auto* events = std::get_if<events_kept>(&entry))
    return "event " + to_string(events->events.front().what->id);
  if (const auto* version = std::get_if<version_kept>(&entry))
    return "version " + version->id.str() + "=" + version->version.version;
  if (const auto* reserved = std::get_if<ids_reserved>(&entry))
    return "reserved " + to_string(reserved->upto);
  return "other";
}

/// A store that notes what it is given and answers as it is told.
struct scripted_store final : journal_store {
  struct script {
    std::vector<lines> written;
    ec answer = ec::none;
    bool throws = false;
    bool perhaps = false;
    int tidied = 0;
    std::size_t size = 7;
    std::string copying;
    int pieces = 3;
  };

  explicit scripted_store(script& s) : told(s) {}

  failure write(std::span<const journal_entry> entries) override {
    if (std::exchange(told.throws, false))
      throw std::runtime_error("store broke");
    lines group;
    for (const auto& entry : entries)
      group.push_back(text_of(entry));
    told.written.push_back(group);
    return {told.answer, told.answer == ec::none ? "" : "no luck", {}};
  }
  bool perhaps_written() const override { return told.perhaps; }
  void tidy() override { ++told.tidied; }
  std::size_t bytes() const override { return told.size; }
  failure begin_copy(const std::string& name) override {
    told.copying = name;
    return {told.answer, {}, {}};
  }
  copy_progress copy_piece() override {
    if (std::exchange(told.throws, false))
      throw std::runtime_error("store broke");
    told.written.push_back({"piece of " + told.copying});
    if (told.pieces-- > 1)
      return {};
    return {
      {told.answer, "no luck", {}},
      told.answer == ec::none ? std::optional{journal_backup{told.copying, 9}} : std::nullopt};
  }

  script& told;
};

class Journal : public testing::actor_test {
protected:
  Journal() {
    journal_options options;
    options.max_group_bytes = 100'000;
    spawn(options);
  }

  void spawn(const journal_options& options) {
    const auto spawned = spawn_supervised<journal::interface, journal>(
      system(), {"journal", {}, &numbers},
      journal::builder(std::make_unique<scripted_store>(store), options, numbers));
    log = own(file_journal_actor{spawned});
  }

  journal_listener_actor listener(lines& heard) {
    return mock<journal_listener_actor>([&heard](const entries_recorded& m) {
      heard.push_back(
        std::to_string(m.first) + "-" + std::to_string(m.last) + " "
        + std::string{to_string(m.why.code)} + (m.perhaps ? ", perhaps" : ""));
    });
  }

  static record_entries
  say(journal_entry entry, ticket_id ticket = 0, journal_listener_actor who = {}) {
    record_entries command;
    command.entries.push_back(std::move(entry));
    command.ticket = ticket;
    command.listener = std::move(who);
    return command;
  }

  static version_kept version(const char* id, const char* text) {
    return {request_id{id}, {text, std::nullopt}};
  }

  double metric(std::string_view series) { return testing::metric(numbers, series); }

  metrics numbers;
  scripted_store::script store;
  file_journal_actor log;
};

TEST_F(Journal, WritesAVersionLaterTogetherWithItsBroadcast) {
  store.answer = ec::storage_full;
  auto both = say(version("a", "1"));
  both.entries.emplace_back(version_dropped{request_id{"b"}});
  both.entries.push_back(make_events(1, 1));
  both.entries.push_back(make_events(2, 2));
  tell(log, both);
  tell(log, both);
  store.answer = ec::none;
  store.written.clear();
  advance(std::chrono::seconds{1});
  EXPECT_EQ(store.written, (std::vector<lines>{{"version a=1", "other", "event 1"}}));
}

TEST_F(Journal, KeepsNoStepThatCouldNotBeWritten) {
  lines heard;
  const auto who = listener(heard);
  step_kept step;
  step.told.events.push_back(testing::make_event(1));
  store.answer = ec::storage_full;
  inject(log, say(step, 1, who));
  inject(log, say(version("a", "1")));
  drain();
  EXPECT_EQ(heard, (lines{"1-1 storage_full"}));
  store.answer = ec::none;
  store.written.clear();
  advance(std::chrono::seconds{1});
  EXPECT_EQ(store.written, (std::vector<lines>{{"version a=1"}})) << "its author asks again";
}

TEST_F(Journal, IsCopiedPieceByPieceWhileItIsWritten) {
  const lines piece = {"piece of name"};
  inject(log, back_up_journal{"name"});
  step();
  inject(log, say(make_events(1, 1)));
  drain();
  EXPECT_EQ(store.written, (std::vector<lines>{piece, piece, {"event 1"}, piece}));
  store.pieces = 1;
  const testing::log_capture told;
  const auto made = ask<journal_backup>(log, back_up_journal{"other"});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->name, "other");
  EXPECT_EQ(made->bytes, 9u);
  EXPECT_EQ(told.lines("copied"), (lines{"info journal copied file=other bytes=9"}));
}

TEST_F(Journal, SaysWhyThereIsNoCopy) {
  const testing::log_capture told;
  store.pieces = 1;
  inject(log, back_up_journal{"name"});
  step();
  store.answer = ec::storage_full;
  drain();
  EXPECT_EQ(
    told.lines("copy_failed"),
    (lines{"error journal copy_failed error=storage_full detail=\"no luck\""}));
  const auto refused = ask<journal_backup>(log, back_up_journal{"name"});
  ASSERT_FALSE(refused) << "it cannot begin";
  EXPECT_EQ(describe(refused.error()).code, ec::storage_full);
}

TEST_F(Journal, GoesOnWithACopyOverARestart) {
  inject(log, back_up_journal{"name"});
  step();
  store.throws = true;
  step();
  EXPECT_TRUE(store.written.empty());
  drain();
  EXPECT_EQ(store.written.size(), 3u);
}

TEST_F(Journal, WritesInOneTransactionWhatHasGathered) {
  lines heard;
  const auto who = listener(heard);
  for (std::uint64_t i = 1; i <= 5; ++i)
    inject(log, say(make_events(i, i), i, who));
  drain();
  EXPECT_EQ(
    store.written, (std::vector<lines>{{"event 1", "event 2", "event 3", "event 4", "event 5"}}));
  EXPECT_EQ(heard, (lines{"1-5 none"}));
  tell(log, say(make_events(6, 6), 6, who));
  EXPECT_EQ(store.written.size(), 2u);
  EXPECT_EQ(heard.back(), "6-6 none");
  EXPECT_EQ(store.tidied, 2) << "after the answers";
  EXPECT_EQ(metric("herald_journal_groups_total"), 2);
}

TEST_F(Journal, ShowsHowLargeItIs) {
  EXPECT_EQ(metric("herald_journal_bytes"), 7);
  store.size = 70;
  tell(log, say(make_events(1, 1)));
  EXPECT_EQ(metric("herald_journal_bytes"), 70);
}

TEST_F(Journal, ShowsInSecondsHowLongItWrites) {
  const std::vector<journal_entry> many(10'000, version("a", "1"));
  record_entries command;
  command.entries = many;
  const auto before = std::chrono::steady_clock::now();
  tell(log, std::move(command));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
  EXPECT_EQ(metric("herald_journal_write_seconds_count"), 1);
  EXPECT_LE(metric("herald_journal_write_seconds_sum"), took.count()) << "it is part of it";
}

TEST_F(Journal, AnswersEachListenerForItsOwn) {
  lines one;
  lines two;
  const auto first = listener(one);
  const auto second = listener(two);
  inject(log, say(make_events(1, 1), 7, first));
  inject(log, say(version("a", "1")));
  inject(log, say(version("b", "1"), 1, second));
  inject(log, say(make_events(2, 2), 9, first));
  drain();
  EXPECT_EQ(one, (lines{"7-9 none"}));
  EXPECT_EQ(two, (lines{"1-1 none"}));
  EXPECT_EQ(
    store.written, (std::vector<lines>{{"event 1", "version a=1", "version b=1", "event 2"}}));
}

TEST_F(Journal, AnswersATicketThatComesAfterWhatItWaitsFor) {
  lines heard;
  const auto who = listener(heard);
  store.answer = ec::storage_full;
  tell(log, say(version("a", "1")));
  store.answer = ec::none;
  record_entries command;
  command.ticket = 3;
  command.listener = who;
  tell(log, command);
  EXPECT_EQ(store.written.back(), (lines{"version a=1"})) << "what is owed is part of it";
  EXPECT_EQ(heard, (lines{"3-3 none"}));
}

TEST_F(Journal, WritesBeforeAGroupGetsTooLarge) {
  for (std::uint64_t i = 1; i <= 5; ++i)
    inject(log, say(make_events(i, i, std::string(60'000, 'x'))));
  drain();
  ASSERT_EQ(store.written.size(), 3u);
  EXPECT_EQ(store.written[0].size(), 2u);
  EXPECT_EQ(store.written[2], (lines{"event 5"}));
}

TEST_F(Journal, SaysWhatCouldNotBeWritten) {
  const testing::log_capture told;
  lines heard;
  const auto who = listener(heard);
  store.answer = ec::storage_full;
  inject(log, say(make_events(1, 1), 1, who));
  inject(log, say(make_events(2, 2), 2, who));
  drain();
  EXPECT_EQ(heard, (lines{"1-2 storage_full"}));
  EXPECT_EQ(metric("herald_journal_failing"), 1);
  EXPECT_EQ(metric("herald_journal_failures_total{reason=\"full\"}"), 1);
  EXPECT_EQ(
    told.lines("write_failed"),
    (lines{"error journal write_failed error=storage_full detail=\"no luck\""}));
  store.answer = ec::none;
  tell(log, say(make_events(3, 3), 3, who));
  EXPECT_EQ(heard.back(), "3-3 none");
  EXPECT_EQ(store.written.back(), (lines{"event 3"})) << "who was refused may try again";
  EXPECT_EQ(metric("herald_journal_failing"), 0);
}

TEST_F(Journal, OwesWhatIsNoEvent) {
  store.answer = ec::storage_failed;
  tell(log, say(version("a", "1")));
  tell(log, say(version("a", "2")));
  tell(log, say(ids_reserved{{5}}));
  store.answer = ec::none;
  tell(log, say(make_events(1, 1)));
  EXPECT_EQ(store.written.back(), (lines{"version a=2", "reserved 5", "event 1"}));
}

TEST_F(Journal, TriesAgainByItself) {
  store.answer = ec::storage_full;
  tell(log, say(version("a", "1")));
  const auto before = store.written.size();
  advance(std::chrono::milliseconds{1000});
  EXPECT_EQ(store.written.size(), before + 1);
  store.answer = ec::none;
  advance(std::chrono::milliseconds{1000});
  EXPECT_EQ(store.written.back(), (lines{"version a=1"}));
  EXPECT_EQ(metric("herald_journal_failing"), 0);
  const auto after = store.written.size();
  advance(std::chrono::seconds{10});
  EXPECT_EQ(store.written.size(), after) << "and then no more";
}

TEST_F(Journal, ProvesThatItCanWriteAgainWhereNothingIsOwed) {
  store.answer = ec::storage_full;
  tell(log, say(make_events(1, 1)));
  store.answer = ec::none;
  advance(std::chrono::milliseconds{1000});
  EXPECT_EQ(store.written.back(), (lines{"reserved 0"}));
  EXPECT_EQ(metric("herald_journal_failing"), 0);
}

TEST_F(Journal, AnswersAFlushWhenAllBeforeItIsWritten) {
  EXPECT_TRUE(ask<void>(log, flush{})) << "nothing to wait for";
  EXPECT_TRUE(store.written.empty());
  inject(log, say(make_events(1, 1)));
  EXPECT_TRUE(ask<void>(log, flush{}));
  EXPECT_EQ(store.written, (std::vector<lines>{{"event 1"}}));
  store.answer = ec::storage_full;
  inject(log, say(version("a", "1")));
  EXPECT_TRUE(ask<void>(log, flush{})) << "or could not be";
  EXPECT_TRUE(ask<void>(log, flush{}));
  EXPECT_EQ(store.written.size(), 3u) << "tried once more for each flush";
}

TEST_F(Journal, AnswersAlsoWhereItBreaksAndGoesOn) {
  lines heard;
  const auto who = listener(heard);
  store.throws = true;
  inject(log, say(make_events(1, 1), 1, who));
  inject(log, say(version("a", "1")));
  drain();
  EXPECT_EQ(heard, (lines{"1-1 actor_failed, perhaps"}));
  tell(log, say(make_events(2, 2), 2, who));
  EXPECT_EQ(heard.back(), "2-2 none");
  EXPECT_EQ(store.written, (std::vector<lines>{{"version a=1"}, {"event 2"}}));
}

TEST_F(Journal, SaysWhereAGroupMayBeInTheFileAllTheSame) {
  lines heard;
  const auto who = listener(heard);
  store.answer = ec::storage_failed;
  tell(log, say(make_events(1, 1), 1, who));
  store.perhaps = true;
  tell(log, say(make_events(2, 2), 2, who));
  store.answer = ec::none;
  tell(log, say(make_events(3, 3), 3, who));
  EXPECT_EQ(heard, (lines{"1-1 storage_failed", "2-2 storage_failed, perhaps", "3-3 none"}));
}

} // namespace
} // namespace herald
