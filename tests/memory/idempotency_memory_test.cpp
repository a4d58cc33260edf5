#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "actors/idempotency/idempotency.hpp"
#include "tests/memory/failing_memory.hpp"
#include "tests/support/actor_test.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

const claim_key first{1, {"a key whose name takes memory of its own", "hash"}, true};
const claim_key second{2, first.key, false};

entries_recorded written(ticket_id one) {
  return {one, one, {ec::none, {}, {}}};
}

/// The actor, with a journal that writes when it is told to.
class key_world : public testing::actor_test {
public:
  key_world() {
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
      system(), {"idempotency", {}, nullptr}, {300s, 1 << 20}, numbers, {keeper}, {log, {}})});
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

/// Makes a world for each allocation of what `operate` does with it.
template <class Operate>
void each_allocation(Operate operate) {
  for (std::size_t n = 1; n < 1000; ++n) {
    SCOPED_TRACE("allocation " + std::to_string(n) + " fails");
    key_world world;
    const bool failed = operate(world, n);
    if (::testing::Test::HasFailure())
      return;
    if (!failed) {
      EXPECT_GT(n, 1U) << "it takes no memory: nothing is tested";
      return;
    }
  }
  FAIL() << "it takes more than 1000 allocations";
}

TEST(IdempotencyMemory, LeavesNoKeyThatNobodyCanClaimAgain) {
  each_allocation([](key_world& world, std::size_t n) {
    const bool failed = world.fails(world.book, first, n);
    world.tell(world.book, leave_claim{first.claim});
    world.write_all();
    const auto got = world.given<key_grant>(second);
    EXPECT_TRUE(got) << to_string(got.error()) << " after " << world.orders;
    return failed;
  });
}

TEST(IdempotencyMemory, TellsWhoeverWaitsForItsRecord) {
  each_allocation([](key_world& world, std::size_t n) {
    caf::scoped_actor page{world.system(), true};
    auto pending = page->request(world.book, caf::infinite, first);
    world.drain();
    const auto ticket = world.tickets.at(0);
    const bool failed = world.fails(world.listener, written(ticket), n);
    if (!page->has_next_message()) {
      ADD_FAILURE() << "nobody was told";
      return failed;
    }
    pending.receive(
      [](const key_grant& got) { EXPECT_EQ(got.answer, nullptr); },
      [](const caf::error& why) { ADD_FAILURE() << to_string(why); });
    return failed;
  });
}

} // namespace
} // namespace herald
