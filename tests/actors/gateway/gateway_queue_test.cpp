#include "actors/gateway/gateway_queue.hpp"

#include <array>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::chrono_literals;

/// Counts what the queue reports.
struct counting final : gateway_queue::listener {
  void sent(service_type) override { ++sent_events; }
  void failed(const token& to, service_type, std::string_view why) override {
    ++failed_events;
    last_failure = to.str() + ": " + std::string{why};
  }
  void lost(service_type, gateway_queue::loss why) override {
    ++lost_events[static_cast<std::size_t>(why)];
  }
  void retried() override { ++retries; }
  void close_lost() override { ++lost_closes; }
  void gone(const token& stream, std::string_view) override { gone_tokens.push_back(stream.str()); }
  void ended(const token& stream) override { gone_tokens.push_back(stream.str()); }
  void settled(const delivery_settled& fact) override { tickets.push_back(fact); }
  void gateway_down(std::string_view) override { ++downs; }
  void gateway_up() override { ++ups; }

  [[nodiscard]] std::size_t lost_for(gateway_queue::loss why) const {
    return lost_events[static_cast<std::size_t>(why)];
  }
  [[nodiscard]] std::size_t ended() const {
    return sent_events + failed_events + lost_events[0] + lost_events[1] + lost_events[2];
  }

  std::size_t sent_events = 0;
  std::size_t failed_events = 0;
  std::string last_failure;
  std::array<std::size_t, gateway_queue::loss_count> lost_events{};
  std::size_t retries = 0;
  std::size_t lost_closes = 0;
  std::vector<std::string> gone_tokens;
  std::vector<delivery_settled> tickets;
  int downs = 0;
  int ups = 0;
};

event_ptr event_of(const std::string& data) {
  event made;
  made.name = "e";
  made.data = data;
  return std::make_shared<const event>(std::move(made));
}

delivery_batch to_all(const std::vector<std::string>& data) {
  std::vector<delivery> batch;
  for (const auto& d : data)
    batch.push_back({event_of(d), std::nullopt});
  return std::make_shared<const std::vector<delivery>>(std::move(batch));
}

delivery_batch to_one(const std::string& to, const std::string& data) {
  return std::make_shared<const std::vector<delivery>>(
    1, delivery{event_of(data), token::from_text(to)});
}

class GatewayQueue : public ::testing::Test {
protected:
  GatewayQueue() { options.random_factor = 0; }

  gateway_queue& queue() {
    if (!queue_)
      queue_.emplace(options, out, [] { return 0.5; });
    return *queue_;
  }

  void attach(const std::vector<std::string>& names) {
    for (const auto& name : names)
      queue().attach(token::from_text(name), now);
    EXPECT_EQ(queue().check(), std::nullopt);
  }

  void deliver(const delivery_batch& batch, ticket_id ticket = 0) {
    queue().deliver(batch, ticket, now);
    EXPECT_EQ(queue().check(), std::nullopt);
  }

  /// What is due now, as "token:data", with "!" for an order to close and "?" for a probe.
  std::string due() {
    const auto what = queue().next(now);
    if (!what)
      return "";
    std::string text = what->to.str();
    if (what->probe())
      return text + "?";
    if (what->what) {
      const auto& json = what->what->json;
      const auto start = json.rfind(":\"") + 2;
      text += ":" + json.substr(start, json.rfind('"') - start);
    }
    return what->close ? text + "!" : text;
  }

  /// Makes the send that is due, and says what it was.
  std::string send(send_result result = send_result::delivered) {
    auto text = due();
    if (const auto what = queue().next(now))
      queue().finish(*what, {result, "why"}, now);
    EXPECT_EQ(queue().check(), std::nullopt);
    return text;
  }

  gateway_options options;
  counting out;
  gateway_queue::time_point now{1h};

private:
  std::optional<gateway_queue> queue_;
};

TEST_F(GatewayQueue, SendsToEveryAttachedStreamInTurns) {
  attach({"a", "b"});
  deliver(to_all({"1", "2"}));
  attach({"late"});
  EXPECT_EQ(send(), "a:1");
  EXPECT_EQ(send(), "b:1");
  EXPECT_EQ(send(), "a:2");
  EXPECT_EQ(send(), "b:2");
  EXPECT_EQ(send(), "");
  EXPECT_EQ(out.sent_events, 4u);
  EXPECT_TRUE(queue().empty());
}

TEST_F(GatewayQueue, TriesAgainInOrderAfterAPauseThatDoubles) {
  attach({"a"});
  deliver(to_all({"1", "2"}));
  EXPECT_EQ(send(send_result::failing), "a:1");
  EXPECT_EQ(due(), "");
  EXPECT_EQ(*queue().next_due(), now + 100ms);
  now += 100ms;
  EXPECT_EQ(send(send_result::failing), "a:1");
  now += 199ms;
  EXPECT_EQ(due(), "");
  now += 1ms;
  EXPECT_EQ(send(), "a:1");
  EXPECT_EQ(send(), "a:2");
  EXPECT_EQ(out.retries, 2u);
}

TEST_F(GatewayQueue, LetsOthersGoOnWhileOneStreamPauses) {
  attach({"bad", "good"});
  deliver(to_all({"1", "2"}));
  EXPECT_EQ(send(send_result::timed_out), "bad:1");
  EXPECT_EQ(send(), "good:1");
  EXPECT_EQ(send(), "good:2");
  now += 100ms;
  EXPECT_EQ(send(), "bad:1");
  EXPECT_EQ(send(), "bad:2");
}

TEST_F(GatewayQueue, PausesAsAWholeWhenTheGatewayIsNotThere) {
  attach({"a", "b"});
  deliver(to_all({"1"}));
  EXPECT_EQ(send(send_result::unreachable), "a:1");
  EXPECT_EQ(due(), "");
  EXPECT_EQ(out.downs, 1);
  now += 100ms;
  EXPECT_EQ(send(send_result::unreachable), "b:1");
  now += 200ms;
  EXPECT_EQ(send(), "a:1");
  EXPECT_EQ(send(), "b:1");
  EXPECT_EQ(out.downs, 1);
  EXPECT_EQ(out.ups, 1);
}

TEST_F(GatewayQueue, TriesAtOnceWhenTheGatewayCallsBack) {
  attach({"old"});
  deliver(to_all({"1"}));
  EXPECT_EQ(send(send_result::unreachable), "old:1");
  EXPECT_EQ(due(), "");
  attach({"new"});
  deliver(to_one("new", "2"));
  EXPECT_EQ(send(), "old:1");
  EXPECT_EQ(send(), "new:2");
}

TEST_F(GatewayQueue, DoesNotTakeAStreamOfAFormerLifeForACall) {
  attach({"old"});
  deliver(to_all({"1"}));
  EXPECT_EQ(send(send_result::unreachable), "old:1");
  queue().attach(token::from_text("former"), now, true);
  EXPECT_EQ(due(), "") << "it tells nothing of the gateway of now";
}

TEST_F(GatewayQueue, LosesAnEventThatCannotBeSentInTimeAndKeepsTheStream) {
  attach({"a"});
  deliver(to_all({"old"}), 7);
  now += 2s;
  deliver(to_all({"young"}));
  for (int i = 0; i < 20; ++i) {
    send(send_result::failing);
    now += 200ms;
  }
  now = *queue().next_due();
  EXPECT_EQ(send(), "a:young");
  EXPECT_EQ(out.lost_for(gateway_queue::loss::expired), 1u);
  EXPECT_EQ(queue().streams(), 1u);
  EXPECT_TRUE(out.gone_tokens.empty());
  ASSERT_EQ(out.tickets.size(), 1u);
  EXPECT_EQ(out.tickets[0].delivered, 0u);
}

TEST_F(GatewayQueue, SendsHoweverLateWhatOnlyHadToWait) {
  attach({"a", "b"});
  deliver(to_all({"1"}));
  EXPECT_EQ(send(), "a:1");
  now += 1min - 1s;
  EXPECT_EQ(send(), "b:1");
  EXPECT_EQ(out.sent_events, 2u);
}

TEST_F(GatewayQueue, DoesNotTakeOneTimeOutForTheEndOfTheGateway) {
  attach({"stuck", "b", "c"});
  deliver(to_all({"1"}));
  now += 5s;
  EXPECT_EQ(send(send_result::timed_out), "stuck:1");
  EXPECT_EQ(out.lost_for(gateway_queue::loss::expired), 1u);
  EXPECT_EQ(out.downs, 0);
  EXPECT_EQ(send(send_result::timed_out), "b:1");
  EXPECT_EQ(out.downs, 1);
  now += 1s;
  EXPECT_EQ(send(), "c?") << "what waited so long is lost; now only the gateway's return counts";
  EXPECT_EQ(out.lost_for(gateway_queue::loss::expired), 3u);
}

TEST_F(GatewayQueue, DropsAStreamThatTheGatewayDoesNotHave) {
  attach({"a", "b"});
  deliver(to_all({"1", "2"}), 7);
  EXPECT_EQ(send(send_result::gone), "a:1");
  EXPECT_EQ(out.gone_tokens, (std::vector<std::string>{"a"}));
  EXPECT_EQ(send(), "b:1");
  EXPECT_EQ(send(), "b:2");
  EXPECT_EQ(out.failed_events, 2u);
  EXPECT_EQ(out.sent_events, 2u);
  ASSERT_EQ(out.tickets.size(), 1u);
  EXPECT_EQ(out.tickets[0].ticket, 7u);
  EXPECT_EQ(out.tickets[0].delivered, 2u);
}

TEST_F(GatewayQueue, GoesOnAfterAnEventThatTheGatewayRefuses) {
  attach({"a"});
  deliver(to_all({"huge", "small"}));
  EXPECT_EQ(send(send_result::refused), "a:huge");
  EXPECT_EQ(send(), "a:small");
  EXPECT_EQ(out.failed_events, 1u);
  EXPECT_TRUE(out.gone_tokens.empty());
  EXPECT_TRUE(out.last_failure.starts_with("a: ")) << out.last_failure;
}

TEST_F(GatewayQueue, FailsAnEventForAStreamThatIsNotAttached) {
  deliver(to_one("x", "1"), 7);
  EXPECT_EQ(out.failed_events, 1u);
  EXPECT_EQ(out.gone_tokens, (std::vector<std::string>{"x"}));
  EXPECT_EQ(out.last_failure, "x: not attached");
  ASSERT_EQ(out.tickets.size(), 1u);
}

TEST_F(GatewayQueue, AnswersATicketAtItsTimeWithWhatIsNotSent) {
  attach({"a", "b", "c"});
  const auto by = now + std::chrono::milliseconds{50};
  queue().deliver(to_all({"1"}), 7, now, by);
  EXPECT_EQ(send(), "a:1");
  EXPECT_EQ(send(send_result::refused), "b:1");
  EXPECT_EQ(queue().answer_due(), by);
  queue().answer_late(by - std::chrono::milliseconds{1});
  EXPECT_TRUE(out.tickets.empty());
  queue().answer_late(by);
  ASSERT_EQ(out.tickets.size(), 1u);
  EXPECT_EQ(out.tickets[0].ticket, 7u);
  EXPECT_EQ(out.tickets[0].delivered, 1u);
  EXPECT_EQ(out.tickets[0].pending, 1u);
  EXPECT_EQ(queue().answer_due(), std::nullopt);
  EXPECT_EQ(send(), "c:1");
  EXPECT_EQ(out.tickets.size(), 1u) << "a ticket is answered once";
}

TEST_F(GatewayQueue, HasNoAnswerDueForATicketThatIsSettled) {
  attach({"a"});
  queue().deliver(to_all({"1"}), 7, now, now + std::chrono::milliseconds{50});
  EXPECT_EQ(send(), "a:1");
  EXPECT_EQ(out.tickets.size(), 1u);
  EXPECT_EQ(queue().answer_due(), std::nullopt);
}

TEST_F(GatewayQueue, SettlesATicketWithoutReceiversAtOnce) {
  deliver(to_all({"1"}), 7);
  ASSERT_EQ(out.tickets.size(), 1u);
  EXPECT_EQ(out.tickets[0].delivered, 0u);
}

TEST_F(GatewayQueue, ClosesWithTheFarewellInOneSendAfterWhatIsDue) {
  attach({"a", "b"});
  deliver(to_one("a", "1"));
  queue().close(token::from_text("a"), event_of("bye"), now);
  deliver(to_all({"2"}));
  EXPECT_EQ(send(), "a:1");
  EXPECT_EQ(send(), "b:2");
  EXPECT_EQ(send(), "a:bye!");
  EXPECT_EQ(queue().streams(), 1u);
  EXPECT_EQ(out.sent_events, 3u);
  EXPECT_EQ(out.failed_events, 0u);
  EXPECT_TRUE(queue().empty());
}

TEST_F(GatewayQueue, ClosesEvenWhenTheFarewellIsRefusedOrTooLate) {
  attach({"a", "b"});
  queue().close(token::from_text("a"), event_of("bye"), now);
  EXPECT_EQ(send(send_result::refused), "a:bye!");
  EXPECT_EQ(send(), "a!");
  queue().close(token::from_text("b"), event_of("bye"), now);
  EXPECT_EQ(send(send_result::failing), "b:bye!");
  now += 6s;
  EXPECT_EQ(send(), "b!") << "the farewell is too old, the order to close is not";
  EXPECT_EQ(queue().streams(), 0u);
  EXPECT_EQ(out.failed_events, 1u);
  EXPECT_EQ(out.lost_for(gateway_queue::loss::expired), 1u);
}

TEST_F(GatewayQueue, GivesUpAnOrderToCloseSoonerWhenSomebodyWaits) {
  attach({"a"});
  queue().close(token::from_text("a"), nullptr, now);
  now += 5s;
  EXPECT_EQ(send(send_result::failing), "a!");
  EXPECT_FALSE(queue().empty());
  queue().hurry(true);
  now += 1s;
  EXPECT_EQ(due(), "");
  EXPECT_TRUE(queue().empty());
  EXPECT_EQ(out.lost_closes, 1u);
}

TEST_F(GatewayQueue, GivesUpAnOrderToCloseAfterItsTime) {
  attach({"a"});
  queue().close(token::from_text("a"), nullptr, now);
  now += options.close_retry - 1s;
  EXPECT_EQ(send(send_result::failing), "a!");
  EXPECT_EQ(queue().streams(), 1u);
  now += 1s;
  EXPECT_EQ(due(), "");
  EXPECT_EQ(queue().streams(), 0u);
  EXPECT_EQ(out.lost_closes, 1u);
}

TEST_F(GatewayQueue, CountsAnOrderToCloseThatIsRefusedAsLost) {
  attach({"a"});
  queue().close(token::from_text("a"), nullptr, now);
  EXPECT_EQ(send(send_result::refused), "a!");
  EXPECT_EQ(queue().streams(), 0u);
  EXPECT_EQ(out.lost_closes, 1u);
}

TEST_F(GatewayQueue, HasNoMoreBytesWaitForAStreamThanMayBe) {
  options.max_stream_bytes = 3 * prepare(*event_of("1"))->json.size() - 1;
  attach({"a"});
  deliver(to_all({"1", "2", "3"}));
  EXPECT_EQ(queue().waiting(), 2u);
  EXPECT_EQ(out.lost_for(gateway_queue::loss::stream_full), 1u);
}

TEST_F(GatewayQueue, KeepsItsLimitsAndCountsWhatIsTooMuch) {
  options.max_stream_events = 2;
  options.max_queue_events = 3;
  attach({"a", "b"});
  deliver(to_one("a", "1"));
  deliver(to_one("a", "2"));
  deliver(to_one("a", "3"));
  EXPECT_EQ(out.lost_for(gateway_queue::loss::stream_full), 1u);
  deliver(to_one("b", "1"));
  deliver(to_one("b", "2"), 7);
  EXPECT_EQ(out.lost_for(gateway_queue::loss::shard_full), 1u);
  EXPECT_EQ(out.tickets.size(), 1u);
  EXPECT_EQ(queue().waiting(), 3u);
}

TEST_F(GatewayQueue, CountsTheBytesOfABroadcastOnce) {
  options.max_queue_bytes = 1500;
  attach({"a", "b", "c"});
  deliver(to_all({std::string(1000, 'x')}));
  EXPECT_EQ(queue().waiting(), 3u);
  deliver(to_all({std::string(1000, 'x')}));
  EXPECT_EQ(out.lost_for(gateway_queue::loss::shard_full), 3u);
  send();
  send();
  EXPECT_GT(queue().waiting_bytes(), 1000u);
  send();
  EXPECT_EQ(queue().waiting_bytes(), 0u);
}

TEST_F(GatewayQueue, FailsWhatWaitsForAStreamThatHasGone) {
  attach({"a"});
  deliver(to_all({"1", "2"}));
  queue().remove(token::from_text("a"));
  queue().remove(token::from_text("never"));
  EXPECT_EQ(out.failed_events, 2u);
  EXPECT_TRUE(queue().empty());
  EXPECT_EQ(queue().waiting_bytes(), 0u);
  EXPECT_FALSE(queue().next_due());
  EXPECT_TRUE(out.gone_tokens.empty()) << "the owner knows";
}

TEST_F(GatewayQueue, ProbesQuietStreamsSpreadOverTheInterval) {
  attach({"a", "b"});
  EXPECT_EQ(due(), "");
  EXPECT_EQ(*queue().next_due(), now + 60s);
  now += 60s;
  EXPECT_EQ(send(), "a?");
  EXPECT_EQ(due(), "");
  now += 30s;
  EXPECT_EQ(send(send_result::gone), "b?");
  EXPECT_EQ(out.gone_tokens, (std::vector<std::string>{"b"}));
  now += 60s;
  EXPECT_EQ(send(), "a?");
}

TEST_F(GatewayQueue, ProbesDoubtfulStreamsFirstAndOneAfterTheOther) {
  attach({"sure"});
  for (const auto* name : {"b", "a"})
    queue().attach(token::from_text(name), now, true);
  deliver(to_all({"1"}));
  EXPECT_EQ(send(), "a:1") << "what there is to say finds out as well";
  EXPECT_EQ(send(), "b:1");
  EXPECT_EQ(send(), "sure:1");
  for (const auto* name : {"d", "c"})
    queue().attach(token::from_text(name), now, true);
  EXPECT_EQ(send(send_result::gone), "c?");
  EXPECT_EQ(due(), "") << "spread";
  now += options.sweep_spacing;
  EXPECT_EQ(send(), "d?");
  now += options.sweep_spacing;
  EXPECT_EQ(due(), "") << "and then no more for a while";
  EXPECT_EQ(queue().streams(), 4u);
}

TEST_F(GatewayQueue, DoesNotProbeAStreamThatWasJustSentTo) {
  attach({"a"});
  now += 59s;
  deliver(to_all({"1"}));
  EXPECT_EQ(send(), "a:1");
  now += 59s;
  EXPECT_EQ(due(), "");
}

TEST_F(GatewayQueue, SweepsAllStreamsWhenTheGatewayComesBack) {
  attach({"a", "b", "c"});
  deliver(to_one("a", "1"));
  EXPECT_EQ(send(send_result::unreachable), "a:1");
  now += 1s;
  EXPECT_EQ(send(), "a:1");
  EXPECT_EQ(send(send_result::gone), "b?");
  EXPECT_EQ(due(), "");
  now += 5ms;
  EXPECT_EQ(send(), "c?");
  now += 1s;
  EXPECT_EQ(due(), "") << "once is enough";
}

TEST_F(GatewayQueue, AsksForTheGatewayWhileItIsDownAndNothingIsDue) {
  attach({"a"});
  deliver(to_all({"1"}));
  now += 5s;
  EXPECT_EQ(send(send_result::unreachable), "a:1");
  EXPECT_TRUE(queue().empty());
  now = *queue().next_due();
  EXPECT_EQ(send(send_result::unreachable), "a?");
  now = *queue().next_due();
  EXPECT_EQ(send(), "a?");
  EXPECT_EQ(out.ups, 1);
}

/// Random streams, events, closes, failures and pauses, against what must hold in any case.
class GatewayQueueAtRandom : public ::testing::TestWithParam<unsigned> {};

TEST_P(GatewayQueueAtRandom, KeepsTheOrderAndAccountsForEveryEvent) {
  std::mt19937 random{GetParam()};
  const auto below = [&](int n) {
    return static_cast<int>(random() % static_cast<unsigned>(n));
  };
  gateway_options options;
  options.max_stream_events = 8;
  options.max_queue_events = 40;
  options.max_queue_bytes = 2000;
  counting out;
  gateway_queue queue{options, out, [&] {
                        return below(100) / 100.0;
                      }};
  gateway_queue::time_point now{1h};

  std::vector<std::string> open;
  std::set<std::string> told_to_close;
  std::map<std::string, int> last_got;
  std::size_t accepted = 0;
  std::size_t delivered = 0;
  std::set<ticket_id> waiting_tickets;
  int next_name = 0;
  int next_event = 0;
  ticket_id next_ticket = 0;

  const auto turn = [&](bool healthy) {
    const auto what = queue.next(now);
    if (!what) {
      const auto due = queue.next_due();
      ASSERT_TRUE(!due || *due > now) << "due, but nothing to send";
      return;
    }
    auto result = send_result::delivered;
    if (!healthy && below(2) == 0)
      result = static_cast<send_result>(below(6));
    const auto name = what->to.str();
    if (what->what && result == send_result::delivered) {
      ++delivered;
      const auto& json = what->what->json;
      const auto number = std::stoi(json.substr(json.rfind(":\"") + 2));
      ASSERT_GT(number, last_got[name]) << "out of order or twice";
      last_got[name] = number;
    }
    ASSERT_EQ(what->close && told_to_close.count(name) == 0, false);
    queue.finish(*what, {result, ""}, now);
  };

  for (int step = 0; step < 3000; ++step) {
    switch (below(8)) {
    case 0:
      open.push_back("s" + std::to_string(next_name++));
      queue.attach(token::from_text(open.back()), now);
      break;
    case 1:
      if (!open.empty()) {
        const auto& name = open[static_cast<std::size_t>(below(static_cast<int>(open.size())))];
        const auto before = queue.streams();
        const auto waiting = queue.waiting();
        queue.close(token::from_text(name), event_of(std::to_string(++next_event)), now);
        accepted += queue.waiting() - waiting;
        told_to_close.insert(name);
        ASSERT_EQ(queue.streams(), before);
      }
      break;
    case 2:
      if (!open.empty() && below(3) == 0)
        queue.remove(token::from_text(open.front()));
      break;
    case 3:
    case 4: {
      const auto ended = out.ended();
      const auto waiting = queue.waiting();
      const auto ticket = below(2) == 0 ? ++next_ticket : 0;
      if (below(2) == 0 || open.empty())
        queue.deliver(to_all({std::to_string(++next_event)}), ticket, now);
      else
        queue.deliver(to_one(open.back(), std::to_string(++next_event)), ticket, now);
      accepted += queue.waiting() - waiting + out.ended() - ended;
      break;
    }
    case 5:
      now += std::chrono::milliseconds{below(3000)};
      break;
    default:
      turn(false);
    }
    ASSERT_EQ(accepted, out.ended() + queue.waiting()) << "step " << step;
    ASSERT_EQ(queue.waiting() == 0, queue.waiting_bytes() == 0);
  }
  for (int i = 0; i < 1000 && !queue.empty(); ++i) {
    now = std::max(now, queue.next_due().value_or(now));
    turn(true);
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(accepted, out.ended());
  EXPECT_EQ(delivered, out.sent_events);
  for (const auto& fact : out.tickets)
    EXPECT_TRUE(waiting_tickets.insert(fact.ticket).second) << "settled twice";
  EXPECT_EQ(waiting_tickets.size(), next_ticket);
}

INSTANTIATE_TEST_SUITE_P(Seeds, GatewayQueueAtRandom, ::testing::Range(1U, 51U));

} // namespace
} // namespace herald
