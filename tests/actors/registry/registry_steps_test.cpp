#include <string>
#include <tuple>
#include <vector>

#include "actors/registry/connection_registry.hpp"
#include "tests/support/actor_test.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

/// A registry with a journal that answers when it is told to, a stream, and an author of steps.
class RegistrySteps : public testing::actor_test {
protected:
  RegistrySteps() {
    log = mock<journal_actor>(
      [this](const record_entries& m) {
        messages.push_back(m.entries);
        if (m.ticket != 0) {
          listener = m.listener;
          last = m.ticket;
        }
      },
      [](const flush&) {});
    via = mock<delivery_actor>(
      [this](const attach_stream& m) {
        auto missed = m.missed;
        while (const auto what = missed.next())
          got.push_back(what->data);
      },
      [](const refuse_stream&) {}, [](const close_stream&) {},
      [](const change_reach&) { ADD_FAILURE() << "nobody asked for it"; },
      [](const get_backlogs&) { return stream_backlogs{}; },
      [this](const deliver& m) {
        for (const auto& item : *m.batch) {
          got.push_back(item.what->data);
          EXPECT_LT(last_id, item.what->id) << "out of order";
          last_id = item.what->id;
        }
      });
    author = mock<step_listener_actor>([this](const step_published& m) {
      heard.push_back(std::to_string(m.number) + " " + std::string{to_string(m.why.code)});
    });
    registry_memory memory;
    memory.journal = log;
    memory.last_id = {1000};
    memory.history_floor = {1000};
    memory.ids_reserved = {1000 + 4 * id_source::lead};
    registry = own(connection_registry_actor{spawn_connection_registry(
      system(), {"connection-registry", {}, nullptr}, {{1000, 1 << 20, 1h}}, numbers,
      std::move(memory))});
    tell(registry, connect("s"));
  }

  open_connection connect(const char* stream, std::optional<std::string> cursor = {}) {
    return {
      request_id{"page"}, token::from_text(stream), "", transport_kind::embedded, via, nullptr,
      std::move(cursor)};
  }

  publish_step step(std::uint64_t number, const char* data) {
    task_kept task;
    task.task.id = task_id{data};
    return {number, task, {"task_event", data, {}, service_type::task}, author};
  }

  static publish event(const char* data) {
    publish command;
    command.drafts.push_back({"note", data, {}, service_type::event});
    return command;
  }

  void answer(ec code = ec::none) { tell(listener, entries_recorded{1, last, {code, "disk", {}}}); }

  /// What the journal was given of steps: the task, the event's data, its id.
  std::vector<std::tuple<std::string, std::string, event_id>> steps() const {
    std::vector<std::tuple<std::string, std::string, event_id>> found;
    for (const auto& entries : messages)
      for (const auto& entry : entries)
        if (const auto* one = std::get_if<step_kept>(&entry))
          found.emplace_back(
            one->task.task.id.str(), one->told.events.at(0).what->data,
            one->told.events.at(0).what->id);
    return found;
  }

  metrics numbers;
  journal_actor log;
  delivery_actor via;
  step_listener_actor author;
  connection_registry_actor registry;
  std::vector<std::vector<journal_entry>> messages;
  journal_listener_actor listener;
  ticket_id last = 0;
  lines got;
  lines heard;
  event_id last_id;
};

TEST_F(RegistrySteps, AreToldOnceTheyAreWrittenWithTheirTask) {
  tell(registry, step(1, "a"));
  ASSERT_EQ(steps().size(), 1u);
  EXPECT_EQ(std::get<0>(steps()[0]), "a");
  EXPECT_TRUE(got.empty());
  EXPECT_TRUE(heard.empty());
  answer();
  EXPECT_EQ(got, (lines{"a"}));
  EXPECT_EQ(heard, (lines{"1 none"}));
  EXPECT_EQ(std::get<2>(steps()[0]), last_id) << "the id that is in the file";
}

TEST_F(RegistrySteps, HoldUpNobodyAndComeInTheOrderOfIds) {
  tell(registry, step(1, "a"));
  tell(registry, event("1"));
  tell(registry, step(2, "b"));
  tell(registry, event("2"));
  EXPECT_EQ(got, (lines{"1", "2"}));
  answer();
  EXPECT_EQ(got, (lines{"1", "2", "a"}));
  tell(registry, event("3"));
  answer();
  EXPECT_EQ(got, (lines{"1", "2", "a", "3", "b"}));
  EXPECT_EQ(heard, (lines{"1 none", "2 none"}));
}

TEST_F(RegistrySteps, AreWrittenAgainUnderTheSameIdUntilTheyAreInTheFile) {
  tell(registry, step(1, "a"));
  answer(ec::storage_full);
  EXPECT_TRUE(got.empty());
  EXPECT_EQ(heard, (lines{"1 storage_full"}));
  advance(1s);
  answer();
  EXPECT_EQ(got, (lines{"a"}));
  EXPECT_EQ(heard, (lines{"1 storage_full", "1 none"}));
  ASSERT_EQ(steps().size(), 2u);
  EXPECT_EQ(steps()[0], steps()[1]) << "it may have been written the first time";
}

TEST_F(RegistrySteps, AreWrittenAgainWhereTheJournalHasLostThem) {
  tell(registry, step(1, "a"));
  tell(registry, event("1"));
  tell(listener, entries_recorded{last, last, {ec::none, {}, {}}});
  EXPECT_EQ(got, (lines{"1"}));
  advance(1s);
  answer();
  EXPECT_EQ(got, (lines{"1", "a"}));
}

TEST_F(RegistrySteps, AreTakenOnce) {
  tell(registry, step(1, "a"));
  tell(registry, step(1, "a"));
  answer();
  answer();
  EXPECT_EQ(got, (lines{"a"}));
}

TEST_F(RegistrySteps, AskForIdsWhereTooFewAreReserved) {
  for (std::uint64_t i = 1; i <= 8; ++i) {
    tell(registry, step(i, "a"));
    answer();
    answer();
  }
  EXPECT_EQ(got.size(), 8u);
}

TEST_F(RegistrySteps, AreInTheHistoryForWhoComesBack) {
  tell(registry, event("1"));
  const auto cursor = to_string(last_id);
  tell(registry, step(1, "a"));
  tell(registry, event("2"));
  answer();
  got.clear();
  tell(registry, connect("s2", cursor));
  EXPECT_EQ(got, (lines{"2", "a"}));
}

TEST_F(RegistrySteps, RecordWhatGoesWithEventsInOneMessage) {
  publish_recorded both{event("1"), {}};
  both.entries.emplace_back(version_kept{request_id{"page"}, {"1", std::nullopt}});
  caf::scoped_actor who{system(), true};
  auto pending = who->request(registry, caf::infinite, both);
  drain();
  ASSERT_EQ(messages.size(), 1u);
  ASSERT_GE(messages[0].size(), 2u);
  EXPECT_TRUE(std::holds_alternative<version_kept>(messages[0][0]));
  EXPECT_TRUE(std::holds_alternative<events_kept>(messages[0][1]));
  EXPECT_EQ(got, (lines{"1"})) << "not held up by the disk";
  EXPECT_FALSE(who->has_next_message());
  answer();
  pending.receive(
    [](const publish_receipt& r) { EXPECT_EQ(r.recipients, 1u); },
    [](const caf::error&) { FAIL(); });
}

TEST_F(RegistrySteps, RecordWhatGoesWithEventsAlsoWhereThoseAreRefused) {
  tell(registry, begin_shutdown{});
  publish_recorded both{event("1"), {}};
  both.entries.emplace_back(version_kept{request_id{"page"}, {"1", std::nullopt}});
  EXPECT_EQ(
    describe(ask<publish_receipt>(registry, std::move(both)).error()).code, ec::shutting_down);
  EXPECT_TRUE(got.empty());
  ASSERT_EQ(messages.size(), 1u);
  ASSERT_EQ(messages[0].size(), 1u);
  EXPECT_TRUE(std::holds_alternative<version_kept>(messages[0][0]));
}

} // namespace
} // namespace herald
