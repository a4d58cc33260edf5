#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/registry/connection_registry.hpp"
#include "tests/support/actor_test.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

/// A registry with a journal that answers when it is told to, a stream that hears everything, and
/// publishers with keys.
class RegistryKeyed : public testing::actor_test {
protected:
  /// A publisher that has asked.
  struct publisher {
    explicit publisher(caf::actor_system& system) : self(system, true) {}
    caf::scoped_actor self;
    caf::message_id id;

    /// "1 recipients", the error, or "waits".
    std::string answer() {
      std::string text = "waits";
      if (!self->has_next_message())
        return text;
      caf::blocking_actor::accept_one_cond once;
      self->varargs_receive(
        once, id,
        [&](const publish_receipt& got) {
          text = std::to_string(got.recipients) + " recipients, " + std::to_string(got.delivered)
                 + " delivered";
        },
        [&](const caf::error& why) { text = to_string(describe(why).code); });
      return text;
    }
  };

  RegistryKeyed() {
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
      [](const refuse_stream&) {}, [](const close_stream&) {}, [](const change_reach&) {},
      [](const get_backlogs&) { return stream_backlogs{}; },
      [this](const deliver& m) {
        for (const auto& item : *m.batch) {
          got.push_back(item.what->data);
          EXPECT_LT(last_id, item.what->id) << "out of order";
          last_id = item.what->id;
        }
        if (m.ticket != 0)
          caf::anon_send(registry, delivery_settled{m.ticket, m.batch->size(), 0});
      });
    book = mock<claim_listener_actor>(
      [this](const claim_answered& m) {
        told.push_back(std::to_string(m.claim) + " answered " + m.answer->body);
      },
      [this](const claim_released& m) { told.push_back(std::to_string(m.claim) + " released"); });
    author = mock<step_listener_actor>([this](const step_published& m) {
      told.push_back("step " + std::to_string(m.number) + " " + std::string{to_string(m.why.code)});
    });
    begin(true);
  }

  void begin(bool journal) {
    registry_memory memory;
    memory.last_id = {1000};
    if (journal) {
      memory.journal = log;
      memory.history_floor = {1000};
      memory.ids_reserved = {1000 + 4 * id_source::lead};
    }
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

  static publish event(const char* data) {
    publish command;
    command.drafts.push_back({"note", data, {}, service_type::event});
    return command;
  }

  keyed_publish_ptr once(claim_id claim) {
    keyed_publish made;
    made.key.key = {"key-" + std::to_string(claim), "hash"};
    made.key.claim = claim;
    made.key.listener = book;
    made.answer_of = [](const publish_receipt& receipt) {
      kept_answer answer;
      answer.status = 202;
      answer.body = to_string(receipt.ids.at(0)) + ":" + std::to_string(receipt.recipients);
      return answer;
    };
    return std::make_shared<const keyed_publish>(std::move(made));
  }

  std::unique_ptr<publisher> say(publish command, claim_id claim) {
    command.once = once(claim);
    auto made = std::make_unique<publisher>(system());
    made->id = made->self->request(registry, caf::infinite, std::move(command)).id();
    drain();
    return made;
  }

  publish_step step(std::uint64_t number, const char* data) {
    task_kept task;
    task.task.id = task_id{data};
    return {number, task, {"task_event", data, {}, service_type::task}, author};
  }

  void answer(ec code = ec::none, bool perhaps = false) {
    tell(listener, entries_recorded{1, last, {code, "disk", {}}, perhaps});
  }

  /// What the journal was given with keys: "KEY ID=DATA,..", once for each time.
  lines batches() const {
    lines all;
    for (const auto& entries : messages)
      for (const auto& entry : entries)
        if (const auto* one = std::get_if<batch_kept>(&entry)) {
          auto line = one->answer.key.name;
          for (const auto& each : one->told.events)
            line += " " + std::to_string(each.what->id.value - 1000) + "=" + each.what->data;
          all.push_back(line);
        }
    return all;
  }

  metrics numbers;
  journal_actor log;
  delivery_actor via;
  claim_listener_actor book;
  step_listener_actor author;
  connection_registry_actor registry;
  std::vector<std::vector<journal_entry>> messages;
  journal_listener_actor listener;
  ticket_id last = 0;
  lines got;
  lines told;
  event_id last_id;
};

TEST_F(RegistryKeyed, TellsOfAnEventOnceItIsInTheFileWithItsAnswer) {
  auto first = say(event("a"), 1);
  ASSERT_EQ(batches().size(), 1u);
  EXPECT_EQ(first->answer(), "waits");
  EXPECT_TRUE(got.empty());
  EXPECT_TRUE(told.empty());
  answer();
  EXPECT_EQ(got, (lines{"a"}));
  EXPECT_EQ(told, (lines{"1 answered " + to_string(last_id) + ":1"}));
  EXPECT_EQ(first->answer(), "1 recipients, 0 delivered");
  const auto& kept = std::get<batch_kept>(messages[0][0]);
  EXPECT_EQ(kept.answer.answer->body, to_string(last_id) + ":1");
}

TEST_F(RegistryKeyed, HoldsUpNobodyAndComesInTheOrderOfIds) {
  publish two = event("a");
  two.drafts.push_back(event("b").drafts[0]);
  auto first = say(std::move(two), 1);
  tell(registry, step(1, "task"));
  auto second = say(event("c"), 2);
  tell(registry, event("1"));
  EXPECT_EQ(got, (lines{"1"}));
  answer();
  EXPECT_EQ(got, (lines{"1", "a", "b"}));
  EXPECT_EQ(second->answer(), "waits") << "in the next transaction";
  tell(registry, event("2"));
  answer();
  EXPECT_EQ(got, (lines{"1", "a", "b", "2", "task", "c"}));
  EXPECT_EQ(second->answer(), "1 recipients, 0 delivered");
}

TEST_F(RegistryKeyed, IsRefusedAndForgottenWhereItIsNotInTheFile) {
  auto first = say(event("a"), 1);
  auto second = say(event("b"), 2);
  answer(ec::storage_full);
  EXPECT_EQ(first->answer(), "storage_full");
  EXPECT_EQ(second->answer(), "storage_full") << "not after the time of its request";
  EXPECT_EQ(told, (lines{"1 released", "2 released"}));
  advance(1min);
  answer();
  EXPECT_EQ(batches().size(), 1u) << "not written again";
  EXPECT_TRUE(got.empty());
  auto again = say(event("a"), 3);
  answer();
  EXPECT_EQ(again->answer(), "1 recipients, 0 delivered");
  EXPECT_EQ(got, (lines{"a"}));
}

TEST_F(RegistryKeyed, IsWrittenAgainUnderItsIdWhereItMayBeInTheFile) {
  auto first = say(event("a"), 1);
  auto second = say(event("b"), 2);
  answer(ec::storage_failed, true);
  EXPECT_EQ(first->answer(), "storage_failed");
  EXPECT_EQ(second->answer(), "storage_failed");
  EXPECT_EQ(told, (lines{"2 released"})) << "the journal has not seen that one";
  EXPECT_TRUE(got.empty());
  auto third = say(event("c"), 3);
  EXPECT_EQ(third->answer(), "storage_failed") << "at once";
  tell(registry, release_claim{1, book, {}});
  EXPECT_EQ(told, (lines{"2 released"})) << "it is still to come";
  tell(registry, release_claim{2, book, {}});
  EXPECT_EQ(told, (lines{"2 released", "2 released"}));
  advance(1s);
  answer(ec::storage_failed);
  advance(1s);
  answer();
  ASSERT_EQ(batches().size(), 3u);
  EXPECT_EQ(batches()[0], batches()[2]) << "the same id";
  EXPECT_EQ(batches()[0], batches()[1]);
  EXPECT_EQ(got, (lines{"a"}));
  EXPECT_EQ(told.back(), "1 answered " + to_string(last_id) + ":1");
}

TEST_F(RegistryKeyed, IsWrittenAgainWhereTheJournalHasLostIt) {
  auto first = say(event("a"), 1);
  tell(registry, event("1"));
  tell(listener, entries_recorded{last, last, {ec::none, {}, {}}});
  EXPECT_EQ(first->answer(), "actor_failed");
  EXPECT_EQ(got, (lines{"1"}));
  advance(1s);
  answer();
  EXPECT_EQ(got, (lines{"1", "a"}));
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(RegistryKeyed, LeavesTheIdsOfStepsAsTheyAre) {
  auto first = say(event("a"), 1);
  answer();
  auto second = say(event("b"), 2);
  tell(registry, step(1, "x"));
  tell(registry, step(2, "y"));
  answer();
  auto third = say(event("c"), 3);
  answer(ec::storage_full);
  EXPECT_EQ(third->answer(), "storage_full");
  advance(1s);
  answer();
  EXPECT_EQ(got, (lines{"a", "b", "x", "y"}));
  tell(registry, event("1"));
  EXPECT_EQ(got.back(), "1");
}

TEST_F(RegistryKeyed, WaitsForDeliveryWhereItIsAskedTo) {
  auto command = event("a");
  command.wait = true;
  auto first = say(std::move(command), 1);
  EXPECT_EQ(first->answer(), "waits");
  answer();
  EXPECT_EQ(first->answer(), "1 recipients, 1 delivered");
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(RegistryKeyed, KeepsWhatItIsToldToAndNoMore) {
  auto topic = std::make_shared<audience>();
  topic->topics = {"news"};
  publish command;
  command.drafts.push_back(
    {"note", "kept", topic, service_type::event, 0ms, true, retention::keep});
  command.drafts.push_back({"note", "live", {}, service_type::event, 0ms, false});
  auto first = say(std::move(command), 1);
  const auto& kept = std::get<batch_kept>(messages.back()[0]);
  ASSERT_EQ(kept.told.events.size(), 1u);
  ASSERT_EQ(kept.values.size(), 1u);
  EXPECT_EQ(std::get<value_kept>(kept.values[0]).event.what->data, "kept");
  // Said meanwhile, so before it; the file has them the other way round.
  publish other;
  other.drafts.push_back(
    {"note", "before", topic, service_type::event, 0ms, true, retention::keep});
  tell(registry, std::move(other));
  answer();
  ASSERT_EQ(messages.back().size(), 1u);
  EXPECT_EQ(std::get<value_kept>(messages.back()[0]).event.what->data, "kept");
}

TEST_F(RegistryKeyed, WithoutAJournalTellsAtOnce) {
  begin(false);
  auto first = say(event("a"), 1);
  EXPECT_EQ(got, (lines{"a"}));
  EXPECT_EQ(first->answer(), "1 recipients, 0 delivered");
  EXPECT_EQ(told, (lines{"1 answered " + to_string(last_id) + ":1"}));
}

TEST_F(RegistryKeyed, RecordsTheAnswerWithAVersionAndItsBroadcast) {
  publish_recorded both{event("1"), {}};
  both.what.once = once(1);
  both.entries.emplace_back(version_kept{request_id{"page"}, {"1", std::nullopt}});
  tell(registry, std::move(both));
  ASSERT_EQ(messages.size(), 1u);
  ASSERT_GE(messages[0].size(), 3u);
  EXPECT_TRUE(std::holds_alternative<answer_kept>(messages[0][0]));
  EXPECT_TRUE(std::holds_alternative<version_kept>(messages[0][1]));
  EXPECT_TRUE(std::holds_alternative<events_kept>(messages[0][2]))
    << "a broadcast follows its version";
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(RegistryKeyed, PassesOnTheQuestionWhatIsLeft) {
  tell(registry, release_claim{7, book, {}});
  EXPECT_EQ(told, (lines{"7 released"}));
}

} // namespace
} // namespace herald
