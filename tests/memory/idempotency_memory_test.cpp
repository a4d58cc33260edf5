#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "actors/idempotency/idempotency.hpp"
#include "tests/memory/each_failure.hpp"
#include "tests/support/actor_test.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::each_allocation;

const claim_key first{1, {"a key whose name takes memory of its own", "hash"}, true};
const claim_key second{2, first.key, false};

entries_recorded written(ticket_id one) {
  return {one, one, {ec::none, {}, {}}};
}

enum class with_journal : std::uint8_t { no, yes };

/// The actor; its journal writes when it is told to.
class key_world : public testing::actor_test {
public:
  explicit key_world(with_journal how = with_journal::yes) {
    log = mock<journal_actor>(
      [this](const record_entries& m) {
        for (const auto& entry : m.entries)
          if (const auto* kept = std::get_if<answer_kept>(&entry))
            orders += kept->answer ? "answer " : "claim ";
        listener = m.listener;
        tickets.push_back(m.ticket);
      },
      [](const flush&) {});
    keeper = mock<claim_keeper_actor>(
      [](const release_claim& m) { caf::anon_send(m.listener, claim_released{m.claim}); });
    book = own(idempotency_actor{spawn_idempotency(
      system(), {"idempotency", {}, nullptr}, {300s, 1 << 20}, numbers, {keeper},
      {how == with_journal::yes ? log : journal_actor{}, {}})});
  }
  void TestBody() override {}

  /// The book handles a message, and its n-th allocation fails. Whether there was one.
  template <class Handle, class Message>
  bool fails(const Handle& to, Message message, std::size_t n) {
    inject(to, std::move(message));
    bool failed = false;
    {
      testing::failing_memory memory{n};
      step();
      failed = memory.failed();
    }
    drain();
    return failed;
  }

  void write_all() {
    while (!tickets.empty()) {
      const auto ticket = tickets.front();
      tickets.erase(tickets.begin());
      tell(listener, written(ticket));
    }
  }

  template <class Answer, class Message>
  caf::expected<Answer> given(Message message) {
    return ask<Answer>(book, std::move(message));
  }
  using testing::actor_test::drain;
  using testing::actor_test::system;
  using testing::actor_test::tell;

  metrics numbers;
  journal_actor log;
  claim_keeper_actor keeper;
  idempotency_actor book;
  journal_listener_actor listener;
  std::vector<ticket_id> tickets;
  std::string orders;
};

/// Nobody is told of the first claim, and it is left.
void leave_a_failed_claim(with_journal how) {
  each_allocation([how](std::size_t n, bool& failed) {
    key_world world{how};
    failed = world.fails(world.book, first, n);
    world.tell(world.book, leave_claim{first.claim});
    world.write_all();
    const auto got = world.given<key_grant>(second);
    EXPECT_TRUE(got) << to_string(got.error()) << " after " << world.orders;
  });
}

TEST(IdempotencyMemory, LeavesNoKeyThatNobodyCanClaimAgain) {
  leave_a_failed_claim(with_journal::yes);
}

TEST(IdempotencyMemory, LeavesNoKeyThatNobodyCanClaimAgainWithoutAJournal) {
  leave_a_failed_claim(with_journal::no);
}

TEST(IdempotencyMemory, TellsWhoeverWaitsForItsRecord) {
  each_allocation([](std::size_t n, bool& failed) {
    key_world world;
    caf::scoped_actor page{world.system(), true};
    auto pending = page->request(world.book, caf::infinite, first);
    world.drain();
    const auto ticket = world.tickets.at(0);
    failed = world.fails(world.listener, written(ticket), n);
    ASSERT_TRUE(page->has_next_message()) << "nobody was told";
    pending.receive(
      [](const key_grant& got) { EXPECT_EQ(got.answer, nullptr); },
      [](const caf::error& why) { ADD_FAILURE() << to_string(why); });
  });
}

TEST(IdempotencyMemory, TellsWhoeverHasSettled) {
  const auto answer = std::make_shared<const kept_answer>(kept_answer{200, "", {}, "a"});
  each_allocation([&](std::size_t n, bool& failed) {
    key_world world;
    world.tell(world.book, first);
    world.write_all();
    caf::scoped_actor page{world.system(), true};
    auto pending = page->request(world.book, caf::infinite, settle_claim{first.claim, answer});
    world.drain();
    const auto ticket = world.tickets.at(0);
    failed = world.fails(world.listener, written(ticket), n);
    ASSERT_TRUE(page->has_next_message()) << "nobody was told";
    pending.receive([] {}, [](const caf::error& why) { ADD_FAILURE() << to_string(why); });
  });
}

} // namespace
} // namespace herald
