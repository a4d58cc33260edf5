#include "actors/registry/connection_registry.hpp"

#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/actor_test.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

/// What a transport was told, one line for each message.
using transcript = std::vector<std::string>;

class ConnectionRegistry : public testing::actor_test {
protected:
  ConnectionRegistry() {
    registry = own(spawn_connection_registry(
      system(), {"connection-registry", {}, &numbers}, {{20, 1 << 20, 1h}}, numbers));
  }

  /// A transport that notes everything; settles what carries a ticket if `settles`.
  delivery_actor transport(transcript& told, bool settles = true) {
    return mock<delivery_actor>(
      [this, &told](const attach_stream& m) {
        told.push_back("attach " + m.stream.str());
        cursors.push_back(m.cursor);
        auto missed = m.missed;
        while (const auto what = missed.next())
          told.push_back(what->name + "=" + what->data + " to " + m.stream.str());
      },
      [&told](const refuse_stream& m) { told.push_back("refuse " + m.stream.str()); },
      [&told](const close_stream& m) {
        told.push_back(
          "close " + m.stream.str() + " " + std::string{to_string(m.reason)}
          + (m.farewell ? " after " + m.farewell->name : ""));
      },
      [](const change_reach&) { ADD_FAILURE() << "nobody asked for it"; },
      [](const get_backlogs&) { return stream_backlogs{}; },
      [this, &told, settles](const deliver& m) {
        for (const auto& item : *m.batch) {
          told.push_back(
            item.what->name + "=" + item.what->data + " to "
            + (item.only ? item.only->str() : "all"));
          ids.push_back(item.what->id);
        }
        if (m.ticket != 0 && settles)
          inject(registry, delivery_settled{m.ticket, m.batch->size()});
      });
  }

  observer_actor observer(std::vector<std::string>& told) {
    return mock<observer_actor>(
      [&told](const connections_opened& m) {
        for (const auto& one : m.all)
          told.push_back("opened " + one.id.str());
      },
      [&told](const connection_closed& m) {
        told.push_back("closed " + m.id.str() + " " + std::string{to_string(m.reason)});
      });
  }

  static open_connection connect(const char* id, const char* tok, const delivery_actor& via) {
    return {
      request_id{id},
      token::from_text(tok),
      std::string{"/api/sse/stream?request_id="} + id,
      transport_kind::embedded,
      via,
      nullptr};
  }

  static publish event_for(std::optional<std::string> id, const char* data, bool wait = false) {
    draft d;
    d.name = "note";
    d.data = data;
    if (id)
      d.to = audience_of_page(request_id{*id});
    publish command;
    command.drafts.push_back(std::move(d));
    command.wait = wait;
    return command;
  }

  connection_page connections() { return *ask<connection_page>(registry, list_connections{}); }

  double metric(std::string_view series) { return testing::metric(numbers, series); }

  metrics numbers;
  connection_registry_actor registry;
  std::vector<event_id> ids;
  /// Where each stream became live.
  std::vector<event_id> cursors;
};

TEST_F(ConnectionRegistry, RegistersAConnect) {
  transcript told;
  EXPECT_TRUE(ask<void>(registry, connect("a", "t1", transport(told))));
  EXPECT_EQ(told, (transcript{"attach t1"}));
  const auto page = connections();
  ASSERT_EQ(page.total, 1u);
  EXPECT_EQ(page.connections[0].id.str(), "a");
  EXPECT_EQ(page.connections[0].stream.str(), "t1");
  EXPECT_EQ(metric("sse_gateway_active_connections"), 1);
  EXPECT_EQ(metric("sse_gateway_connections_total{action=\"connect\"}"), 1);
}

TEST_F(ConnectionRegistry, ClosesTheReplacedStreamThroughItsOwnTransport) {
  transcript first;
  transcript second;
  tell(registry, connect("a", "t1", transport(first)));
  tell(registry, connect("a", "t2", transport(second)));
  EXPECT_EQ(first, (transcript{"attach t1", "close t1 replaced after replaced"}));
  EXPECT_EQ(second, (transcript{"attach t2"}));
  const auto page = connections();
  ASSERT_EQ(page.total, 1u);
  EXPECT_EQ(page.connections[0].stream.str(), "t2");
}

TEST_F(ConnectionRegistry, CountsACallbackThatComesAgainOnce) {
  transcript told;
  const auto via = transport(told);
  tell(registry, connect("a", "t1", via));
  tell(registry, connect("a", "t1", via));
  EXPECT_EQ(connections().total, 1u);
  EXPECT_EQ(metric("sse_gateway_connections_total{action=\"connect\"}"), 1);
  // The same stream for another page: the first page has none any more.
  tell(registry, connect("b", "t1", via));
  EXPECT_EQ(connections().total, 1u);
  EXPECT_EQ(metric("sse_gateway_connections_total{action=\"connect\"}"), 2);
  EXPECT_EQ(metric("sse_gateway_connections_total{action=\"disconnect\"}"), 1);
  EXPECT_EQ(metric("sse_gateway_connections_total{action=\"replace\"}"), 0);
}

TEST_F(ConnectionRegistry, OpensManyAtOnceAsItDoesOneByOne) {
  transcript told;
  std::vector<std::string> facts;
  tell(registry, add_observer{observer(facts)});
  const auto via = transport(told);
  tell(
    registry,
    open_connections{{connect("a", "t1", via), connect("b", "t2", via), connect("a", "t3", via)}});
  EXPECT_EQ(
    told, (transcript{"attach t1", "attach t2", "attach t3", "close t1 replaced after replaced"}));
  EXPECT_EQ(facts, (std::vector<std::string>{"opened a", "opened b", "opened a"}));
  EXPECT_EQ(connections().total, 2u);
  EXPECT_EQ(metric("sse_gateway_active_connections"), 2);
  EXPECT_EQ(metric("sse_gateway_connections_total{action=\"connect\"}"), 3);
}

TEST_F(ConnectionRegistry, TellsOfThoseThatOpenTogetherInOneMessage) {
  transcript told;
  std::vector<std::size_t> messages;
  tell(
    registry, add_observer{mock<observer_actor>(
                [&](const connections_opened& m) { messages.push_back(m.all.size()); },
                [](const connection_closed&) {})});
  const auto via = transport(told);
  tell(
    registry,
    open_connections{{connect("a", "t1", via), connect("b", "t2", via), connect("c", "t3", via)}});
  tell(registry, connect("d", "t4", via));
  EXPECT_EQ(messages, (std::vector<std::size_t>{3, 1}));
}

TEST_F(ConnectionRegistry, IgnoresStaleUnknownAndDoubleDisconnects) {
  transcript told;
  std::vector<std::string> facts;
  tell(registry, add_observer{observer(facts)});
  const auto via = transport(told);
  tell(registry, connect("a", "t1", via));
  tell(registry, connect("a", "t2", via));
  tell(registry, stream_closed{token::from_text("t1")});
  tell(registry, stream_closed{token::from_text("never")});
  EXPECT_EQ(connections().total, 1u);
  tell(registry, stream_closed{token::from_text("t2")});
  tell(registry, stream_closed{token::from_text("t2")});
  EXPECT_EQ(connections().total, 0u);
  EXPECT_EQ(facts, (std::vector<std::string>{"opened a", "opened a", "closed a client_closed"}));
  EXPECT_EQ(metric("sse_gateway_connections_total{action=\"disconnect\"}"), 1);
}

TEST_F(ConnectionRegistry, KeepsTheNewerConnectionWhenALateFailureNamesTheReplacedToken) {
  transcript told;
  const auto via = transport(told);
  tell(registry, connect("a", "t1", via));
  tell(registry, connect("a", "t2", via));
  tell(registry, delivery_failed{token::from_text("t1"), "404"});
  EXPECT_EQ(connections().total, 1u);
  tell(registry, delivery_failed{token::from_text("t2"), "404"});
  EXPECT_EQ(connections().total, 0u);
}

TEST_F(ConnectionRegistry, BroadcastsToAllTransportsThatHaveStreams) {
  transcript one;
  transcript two;
  transcript idle;
  tell(registry, connect("a", "t1", transport(one)));
  tell(registry, connect("b", "t2", transport(two)));
  tell(registry, connect("c", "t3", transport(idle)));
  tell(registry, stream_closed{token::from_text("t3")});
  const auto receipt = ask<publish_receipt>(registry, event_for({}, "1"));
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->recipients, 2u);
  EXPECT_EQ(one.back(), "note=1 to all");
  EXPECT_EQ(two.back(), "note=1 to all");
  EXPECT_EQ(idle, (transcript{"attach t3"}));
}

TEST_F(ConnectionRegistry, ReportsABroadcastToNobodyAsNotDelivered) {
  const auto receipt = ask<publish_receipt>(registry, event_for({}, "1"));
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->recipients, 0u);
  EXPECT_EQ(receipt->ids.size(), 1u);
  EXPECT_TRUE(ask<publish_receipt>(registry, event_for({}, "2", true)))
    << "waiting for nobody ends at once";
}

TEST_F(ConnectionRegistry, SendsATargetedEventToItsStreamOnly) {
  transcript one;
  transcript two;
  tell(registry, connect("a", "t1", transport(one)));
  tell(registry, connect("b", "t2", transport(two)));
  EXPECT_EQ(ask<publish_receipt>(registry, event_for("b", "1"))->recipients, 1u);
  EXPECT_EQ(ask<publish_receipt>(registry, event_for("nobody", "2"))->recipients, 0u);
  EXPECT_EQ(one, (transcript{"attach t1"}));
  EXPECT_EQ(two, (transcript{"attach t2", "note=1 to t2"}));
}

TEST_F(ConnectionRegistry, KeepsTheOrderOfAMixedBatch) {
  transcript one;
  transcript two;
  tell(registry, connect("a", "t1", transport(one)));
  tell(registry, connect("b", "t2", transport(two)));
  publish batch;
  for (const auto* id : {"", "b", "", "a"}) {
    draft d;
    d.name = "n" + std::to_string(batch.drafts.size());
    if (*id != '\0')
      d.to = audience_of_page(request_id{id});
    batch.drafts.push_back(std::move(d));
  }
  const auto receipt = ask<publish_receipt>(registry, std::move(batch));
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->recipients, 6u);
  EXPECT_TRUE(std::is_sorted(receipt->ids.begin(), receipt->ids.end()));
  EXPECT_EQ(one, (transcript{"attach t1", "n0= to all", "n2= to all", "n3= to t1"}));
  EXPECT_EQ(two, (transcript{"attach t2", "n0= to all", "n1= to t2", "n2= to all"}));
}

TEST_F(ConnectionRegistry, AnswersAWaitingPublisherWhenAllTransportsHaveSettled) {
  transcript one;
  transcript two;
  const auto first = transport(one, false);
  tell(registry, connect("a", "t1", first));
  tell(registry, connect("b", "t2", transport(two)));
  caf::scoped_actor self{system(), true};
  auto pending = self->request(registry, caf::infinite, event_for({}, "1", true));
  drain();
  EXPECT_FALSE(self->has_next_message()) << "one transport has not settled";
  tell(registry, delivery_settled{1, 0});
  pending.receive(
    [](const publish_receipt& r) {
      EXPECT_EQ(r.recipients, 2u);
      EXPECT_EQ(r.delivered, 1u);
      EXPECT_EQ(r.failed, 1u);
    },
    [](const caf::error&) { FAIL(); });
}

TEST_F(ConnectionRegistry, AnswersAWaitingPublisherWithWhatIsKnownWhenTheWaitIsOver) {
  transcript told;
  tell(registry, connect("a", "t1", transport(told, false)));
  caf::scoped_actor self{system(), true};
  auto pending = self->request(registry, caf::infinite, event_for({}, "1", true));
  drain();
  advance(publish_wait + std::chrono::seconds{1});
  pending.receive(
    [](const publish_receipt& r) {
      EXPECT_EQ(r.recipients, 1u);
      EXPECT_EQ(r.delivered + r.failed, 0u);
    },
    [](const caf::error&) { FAIL(); });
}

TEST_F(ConnectionRegistry, AddsUpWhatIsPendingOnEachTransport) {
  transcript one;
  transcript two;
  const auto first = transport(one, false);
  const auto second = transport(two, false);
  for (const auto* id : {"a", "b", "c"})
    tell(registry, connect(id, ("t" + std::string{id}).c_str(), first));
  for (const auto* id : {"d", "e"})
    tell(registry, connect(id, ("t" + std::string{id}).c_str(), second));
  caf::scoped_actor self{system(), true};
  auto pending = self->request(registry, caf::infinite, event_for({}, "1", true));
  drain();
  tell(registry, delivery_settled{1, 2, 1});
  EXPECT_FALSE(self->has_next_message()) << "one transport has not answered";
  tell(registry, delivery_settled{1, 1, 0});
  pending.receive(
    [](const publish_receipt& r) {
      EXPECT_EQ(r.recipients, 5u);
      EXPECT_EQ(r.delivered, 3u);
      EXPECT_EQ(r.failed, 1u) << "one is pending";
    },
    [](const caf::error&) { FAIL(); });
}

TEST_F(ConnectionRegistry, TellsTransportsHowLongAPublisherWaits) {
  transcript told;
  std::vector<deliver> orders;
  const auto via = mock<delivery_actor>(
    [](const attach_stream&) {}, [](const refuse_stream&) {}, [](const close_stream&) {},
    [](const change_reach&) { ADD_FAILURE() << "nobody asked for it"; },
    [](const get_backlogs&) { return stream_backlogs{}; },
    [&orders](const deliver& m) { orders.push_back(m); });
  tell(registry, connect("a", "t1", via));
  caf::scoped_actor self{system(), true};
  auto order = event_for({}, "1", true);
  order.longest_wait = std::chrono::milliseconds{50};
  const auto begin = system().clock().now();
  auto pending = self->request(registry, caf::infinite, std::move(order));
  drain();
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_EQ(orders[0].answer_by, begin + std::chrono::milliseconds{50});
  advance(std::chrono::milliseconds{50});
  EXPECT_FALSE(self->has_next_message()) << "the transport has a moment to say how far it has come";
  advance(settle_grace);
  pending.receive(
    [](const publish_receipt& r) { EXPECT_EQ(r.delivered + r.failed, 0u); },
    [](const caf::error&) { FAIL(); });
}

TEST_F(ConnectionRegistry, TellsTheOtherObserverWhenOneFails) {
  auto broken = mock<observer_actor>(
    [](const connections_opened&) { throw std::runtime_error("observer crashed"); },
    [](const connection_closed&) {});
  std::vector<std::string> facts;
  tell(registry, add_observer{broken});
  tell(registry, add_observer{observer(facts)});
  transcript told;
  EXPECT_TRUE(ask<void>(registry, connect("a", "t1", transport(told))));
  EXPECT_EQ(facts, (std::vector<std::string>{"opened a"}));
  EXPECT_EQ(connections().total, 1u);
  tell(registry, connect("b", "t2", transport(told)));
  EXPECT_EQ(facts, (std::vector<std::string>{"opened a", "opened b"}));
}

TEST_F(ConnectionRegistry, TellsNobodyTwiceAndSkipsNobodyWhenAnObserverJoinsAmidst) {
  std::vector<std::string> early;
  std::vector<std::string> late;
  const auto first = observer(early);
  const auto second = observer(late);
  transcript told;
  const auto via = transport(told);
  inject(registry, add_observer{first});
  inject(registry, connect("a", "t1", via));
  inject(registry, add_observer{second});
  inject(registry, add_observer{second});
  inject(registry, connect("b", "t2", via));
  drain();
  EXPECT_EQ(early, (std::vector<std::string>{"opened a", "opened b"}));
  EXPECT_EQ(late, (std::vector<std::string>{"opened b"}));
}

TEST_F(ConnectionRegistry, KeepsAPageAwayForAsLongAsItIsTold) {
  transcript told;
  const auto via = transport(told);
  tell(registry, connect("a", "t1", via));
  EXPECT_TRUE(ask<void>(registry, close_connection{request_id{"a"}, 60s}));
  EXPECT_EQ(told, (transcript{"attach t1", "close t1 requested"}));
  EXPECT_EQ(metric("herald_streams_kept_away"), 1);
  const auto refused = ask<void>(registry, connect("a", "t2", via));
  ASSERT_FALSE(refused);
  EXPECT_EQ(describe(refused.error()).code, ec::kept_away);
  EXPECT_EQ(told.back(), "refuse t2");
  tell(registry, open_connections{{connect("a", "t3", via), connect("b", "t4", via)}});
  EXPECT_EQ(
    told, (transcript{"attach t1", "close t1 requested", "refuse t2", "refuse t3", "attach t4"}));
  EXPECT_EQ(connections().total, 1u);
  advance(60s);
  EXPECT_TRUE(ask<void>(registry, connect("a", "t5", via)));
  EXPECT_EQ(told.back(), "attach t5");
  EXPECT_EQ(metric("herald_streams_kept_away"), 0);
}

/// It may be waiting to come back.
TEST_F(ConnectionRegistry, KeepsAPageAwayThatHasNoStreamAtTheMoment) {
  EXPECT_TRUE(ask<void>(registry, close_connection{request_id{"a"}, 60s}));
  transcript told;
  EXPECT_FALSE(ask<void>(registry, connect("a", "t1", transport(told))));
  EXPECT_EQ(told, (transcript{"refuse t1"}));
}

TEST_F(ConnectionRegistry, KeepsNoMorePagesAwayThanItMay) {
  auto small = own(spawn_connection_registry(
    system(), {"connection-registry", {}, &numbers}, {{20, 1 << 20, 1h}, {}, 1}, numbers));
  EXPECT_TRUE(ask<void>(small, close_connection{request_id{"a"}, 60s}));
  transcript told;
  tell(small, connect("b", "t1", transport(told)));
  const auto refused = ask<void>(small, close_connection{request_id{"b"}, 60s});
  ASSERT_FALSE(refused);
  EXPECT_EQ(describe(refused.error()).code, ec::overloaded);
  EXPECT_EQ(told, (transcript{"attach t1"})) << "refused as a whole";
  advance(60s);
  EXPECT_TRUE(ask<void>(small, close_connection{request_id{"b"}, 60s}));
}

TEST_F(ConnectionRegistry, ClosesAConnectionOnRequest) {
  transcript told;
  std::vector<std::string> facts;
  tell(registry, add_observer{observer(facts)});
  tell(registry, connect("a", "t1", transport(told)));
  EXPECT_TRUE(ask<void>(registry, close_connection{request_id{"a"}}));
  EXPECT_EQ(told.back(), "close t1 requested");
  EXPECT_EQ(facts.back(), "closed a server_closed");
  EXPECT_EQ(connections().total, 0u);
  const auto again = ask<void>(registry, close_connection{request_id{"a"}});
  ASSERT_FALSE(again);
  EXPECT_EQ(describe(again.error()).code, ec::no_such_connection);
}

TEST_F(ConnectionRegistry, SendsByTokenThenCloses) {
  transcript told;
  tell(registry, connect("a", "t1", transport(told)));
  send_to_stream command{token::from_text("t1"), send_to_stream::message{"", "hello"}, true};
  EXPECT_EQ(ask<send_status>(registry, command), send_status::sent);
  EXPECT_EQ(told, (transcript{"attach t1", "=hello to t1", "close t1 requested"}));
  EXPECT_EQ(ids.back(), event_id{}) << "outside of the order of what is published";
  const auto gone = ask<send_status>(registry, command);
  ASSERT_FALSE(gone);
  EXPECT_EQ(describe(gone.error()).code, ec::no_such_stream);
}

TEST_F(ConnectionRegistry, RefusesOnlyEventsFromOutsideWhileShuttingDown) {
  tell(registry, begin_shutdown{});
  const auto refused = ask<publish_receipt>(registry, event_for({}, "1"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(describe(refused.error()).code, ec::shutting_down);
  auto from_task = event_for({}, "2");
  from_task.drafts[0].service = service_type::task;
  EXPECT_TRUE(ask<publish_receipt>(registry, from_task));
}

TEST_F(ConnectionRegistry, GivesIdsThatRiseAcrossPublishers) {
  std::set<event_id> seen;
  event_id last;
  for (int i = 0; i < 100; ++i) {
    const auto receipt = ask<publish_receipt>(registry, event_for({}, "x"));
    EXPECT_GT(receipt->ids[0], last);
    last = receipt->ids[0];
    seen.insert(last);
  }
  EXPECT_EQ(seen.size(), 100u);
}

TEST_F(ConnectionRegistry, ReplaysWhatAStreamHasMissedBeforeItJoinsLive) {
  transcript told;
  const auto via = transport(told);
  const auto first = ask<publish_receipt>(registry, event_for({}, "1"));
  tell(registry, event_for({}, "2"));
  tell(registry, event_for("a", "3"));
  tell(registry, event_for("b", "4"));
  auto back = connect("a", "t1", via);
  back.last_event_id = to_string(first->ids[0]);
  tell(registry, back);
  tell(registry, event_for({}, "5"));
  EXPECT_EQ(told, (transcript{"attach t1", "note=2 to t1", "note=3 to t1", "note=5 to all"}));
}

TEST_F(ConnectionRegistry, SaysWhatIsNotKnownAnyMore) {
  transcript told;
  const auto via = transport(told);
  const auto first = ask<publish_receipt>(registry, event_for({}, "first"));
  for (int i = 0; i < 25; ++i)
    tell(registry, event_for({}, std::to_string(i).c_str()));
  auto back = connect("a", "t1", via);
  back.last_event_id = to_string(first->ids[0]);
  tell(registry, back);
  ASSERT_EQ(told.size(), 2u + 20u);
  EXPECT_EQ(told[1].substr(0, 4), "gap=");
  EXPECT_EQ(told[2], "note=5 to t1");
  EXPECT_EQ(told.back(), "note=24 to t1");
  EXPECT_EQ(metric("herald_history_gaps_total"), 1);
  EXPECT_EQ(metric("herald_history_evicted_total"), 6);
}

TEST_F(ConnectionRegistry, ReportsAGapForACursorThatIsNotOneOfOurs) {
  transcript told;
  auto back = connect("a", "t1", transport(told));
  tell(registry, event_for({}, "1"));
  const auto last = ask<publish_receipt>(registry, event_for({}, "2"))->ids[0];
  const auto future = to_string(event_id{last.value + 1});
  for (const auto* cursor : {"17:4", future.c_str()}) {
    told.clear();
    back.last_event_id = cursor;
    tell(registry, back);
    ASSERT_EQ(told.size(), 2u) << cursor << " is no reason to send all that is kept";
    EXPECT_EQ(told[1].substr(0, 4), "gap=");
    EXPECT_EQ(cursors.back(), last);
    // A stream is known by its token.
    tell(registry, stream_closed{back.stream});
  }
}

TEST_F(ConnectionRegistry, TellsEachStreamFromWhereItIsLive) {
  transcript told;
  const auto via = transport(told);
  tell(registry, connect("a", "t1", via));
  tell(registry, connect("b", "t2", via));
  tell(registry, stream_closed{token::from_text("t1")});
  ASSERT_EQ(cursors.size(), 2u);
  EXPECT_NE(cursors[0], event_id{}) << "before the first event of all";
  tell(registry, event_for({}, "1"));
  tell(registry, event_for("a", "2"));
  const auto last = ask<publish_receipt>(registry, event_for("b", "3"))->ids[0];
  told.clear();

  auto back = connect("a", "t3", via);
  back.last_event_id = to_string(cursors[0]);
  tell(registry, back);
  EXPECT_EQ(told, (transcript{"attach t3", "note=1 to t3", "note=2 to t3"}))
    << "it has had no event, and misses none";
  EXPECT_EQ(cursors.back(), last) << "what was for others is nothing to come back for";
  told.clear();
  tell(registry, connect("c", "t4", via));
  EXPECT_EQ(cursors.back(), last) << "what was published before is not for it";
  EXPECT_EQ(told, (transcript{"attach t4"}));
}

TEST_F(ConnectionRegistry, TakesThePlaceOfAGreetingForAGoodCursor) {
  transcript told;
  const auto via = transport(told);
  tell(registry, connect("a", "t1", via));
  auto greeting = event_for("a", "v");
  greeting.drafts[0].service = service_type::version;
  tell(registry, greeting);
  tell(registry, connect("b", "t2", via));
  told.clear();
  auto back = connect("b", "t3", via);
  back.last_event_id = to_string(cursors.back());
  tell(registry, back);
  EXPECT_EQ(told, (transcript{"attach t3", "close t2 replaced after replaced"}));
}

TEST_F(ConnectionRegistry, KeepsNoGreetingsForReplay) {
  transcript told;
  const auto via = transport(told);
  auto greeting = event_for("a", "v");
  greeting.drafts[0].service = service_type::version;
  const auto before = ask<publish_receipt>(registry, event_for({}, "1"));
  tell(registry, greeting);
  auto back = connect("a", "t1", via);
  back.last_event_id = to_string(before->ids[0]);
  tell(registry, back);
  EXPECT_EQ(told, (transcript{"attach t1"}));
}

/// Random interleavings of connects, closes and publishes: what each stream was sent is exactly
/// what was published while it was registered, in order.
class ConnectionRegistryOrder : public ConnectionRegistry,
                                public ::testing::WithParamInterface<unsigned> {};

TEST_P(ConnectionRegistryOrder, SendsEachStreamWhatWasPublishedWhileItWasOpen) {
  std::mt19937 random{GetParam()};
  const auto pick = [&](unsigned n) {
    return std::uniform_int_distribution<unsigned>{0, n}(random);
  };
  // A transport as loops are: knows its attached streams, in the order of the messages.
  std::map<std::string, std::vector<std::string>> received;
  std::set<std::string> attached;
  const auto via = mock<delivery_actor>(
    [&](const attach_stream& m) { attached.insert(m.stream.str()); }, [](const refuse_stream&) {},
    [&](const close_stream& m) { attached.erase(m.stream.str()); },
    [](const change_reach&) { ADD_FAILURE() << "nobody asked for it"; },
    [](const get_backlogs&) { return stream_backlogs{}; },
    [&](const deliver& m) {
      for (const auto& item : *m.batch) {
        if (item.only)
          received[item.only->str()].push_back(item.what->data);
        else
          for (const auto& stream : attached)
            received[stream].push_back(item.what->data);
      }
    });
  std::map<std::string, std::string> open; // request_id -> token
  std::map<std::string, std::vector<std::string>> expected;
  for (int i = 0; i < 300; ++i) {
    const auto id = "r" + std::to_string(pick(5));
    const auto number = std::to_string(i);
    switch (pick(3)) {
    case 0:
      inject(registry, connect(id.c_str(), ("t" + number).c_str(), via));
      open[id] = "t" + number;
      break;
    case 1:
      if (const auto held = open.find(id); held != open.end()) {
        inject(registry, close_connection{request_id{id}});
        open.erase(held);
      }
      break;
    case 2:
      inject(registry, event_for({}, number.c_str()));
      for (const auto& [_, stream] : open)
        expected[stream].push_back(number);
      break;
    default:
      inject(registry, event_for(id, number.c_str()));
      if (const auto held = open.find(id); held != open.end())
        expected[held->second].push_back(number);
      break;
    }
    // Run a random part of what is waiting: any interleaving of registry and transport.
    for (auto steps = pick(3); steps > 0 && step(); --steps) {
    }
  }
  drain();
  EXPECT_EQ(received, expected);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ConnectionRegistryOrder, ::testing::Range(0u, 50u));

} // namespace
} // namespace herald
