#include "http/streams/loop_inbox.hpp"

#include <memory>
#include <optional>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <gtest/gtest.h>

#include <poll.h>

namespace herald {
namespace {

class LoopInbox : public ::testing::Test {
protected:
  [[nodiscard]] bool awake() const {
    pollfd wake{inbox->wake_descriptor(), POLLIN, 0};
    return ::poll(&wake, 1, 0) == 1;
  }

  caf::actor_system_config config;
  caf::actor_system system{config};
  std::optional<loop_inbox> inbox{std::in_place, system};
};

TEST_F(LoopInbox, KeepsTheOrderOfMessagesAndOrders) {
  EXPECT_FALSE(awake());
  caf::anon_send(inbox->address(), attach_stream{token::from_text("a")});
  inbox->put(drain_loop{});
  caf::anon_send(inbox->address(), refuse_stream{token::from_text("b"), {}, 0});
  caf::anon_send(inbox->address(), close_stream{token::from_text("c"), {}, nullptr});
  caf::anon_send(inbox->address(), deliver{nullptr, 7});
  inbox->put(stop_loop{});
  EXPECT_TRUE(awake());
  const auto taken = inbox->take_orders();
  ASSERT_EQ(taken.size(), 6u);
  EXPECT_EQ(std::get<attach_stream>(taken[0]).stream, token::from_text("a"));
  EXPECT_TRUE(std::holds_alternative<drain_loop>(taken[1]));
  EXPECT_EQ(std::get<refuse_stream>(taken[2]).stream, token::from_text("b"));
  EXPECT_EQ(std::get<close_stream>(taken[3]).stream, token::from_text("c"));
  EXPECT_EQ(std::get<deliver>(taken[4]).ticket, 7u);
  EXPECT_TRUE(std::holds_alternative<stop_loop>(taken[5]));
  EXPECT_FALSE(awake());
  EXPECT_TRUE(inbox->take_orders().empty());
}

TEST_F(LoopInbox, ShowsHowManyOrdersTheLoopIsNotDoneWith) {
  metrics numbers;
  auto& shown = numbers.gauge("depth", "");
  loop_inbox busy{system, &shown};
  const auto depth = busy.as_child("stream-loop-0", "stream-loop").depth;
  caf::anon_send(busy.address(), attach_stream{token::from_text("a")});
  busy.put(drain_loop{});
  EXPECT_EQ(busy.take_orders().size(), 2u);
  EXPECT_EQ(shown.Value(), 2) << "taken is not done";
  EXPECT_EQ(depth->load(), 2);
  busy.handled(2);
  EXPECT_EQ(shown.Value(), 0);
}

TEST_F(LoopInbox, PassesAQueryOnAndItsAnswerBack) {
  caf::scoped_actor asker{system, true};
  auto pending =
    asker->request(inbox->address(), caf::infinite, get_backlogs{{token::from_text("a")}});
  const auto taken = inbox->take_orders();
  ASSERT_EQ(taken.size(), 1u);
  const auto& query = std::get<backlog_query>(taken[0]);
  EXPECT_EQ(query.streams, std::vector<token>{token::from_text("a")});
  // The inbox may be no more when the loop comes to it.
  inbox.reset();
  query.answer({{stream_backlog{1, 2, 3, false}}});
  stream_backlogs found;
  pending.receive(
    [&](stream_backlogs& answer) { found = std::move(answer); },
    [](const caf::error&) { ADD_FAILURE() << "no answer"; });
  ASSERT_EQ(found.of.size(), 1u);
  EXPECT_EQ(found.of[0], (stream_backlog{1, 2, 3, false}));
}

TEST_F(LoopInbox, LeavesSendersAloneOnceItIsGone) {
  const auto address = inbox->address();
  inbox.reset();
  auto batch = std::make_shared<const std::vector<delivery>>();
  const std::weak_ptr kept{batch};
  caf::anon_send(address, deliver{std::move(batch), 1});
  EXPECT_TRUE(kept.expired()) << "nobody is there to keep it";
  caf::scoped_actor watcher{system};
  watcher->monitor(address);
  bool told = false;
  watcher->receive([&](const caf::down_msg&) { told = true; });
  EXPECT_TRUE(told);
}

} // namespace
} // namespace herald
