#include "actors/stand_in/stand_in_front.hpp"

#include <map>
#include <string>
#include <vector>

#include "messages/wire/callback_json.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using strings = std::vector<std::string>;

/// A gateway front between a transport and a backend that note what they are told.
class StandInFront : public testing::actor_test {
protected:
  StandInFront() {
    transport = mock<delivery_actor>(
      [this](const attach_stream& m) { wire.push_back("attach " + name_of(m.stream)); },
      [this](const refuse_stream& m) {
        wire.push_back(
          "refuse " + name_of(m.stream) + " " + std::string{to_string(m.why.code)} + " "
          + std::to_string(m.upstream_status));
      },
      [this](const close_stream& m) { wire.push_back("close " + name_of(m.stream)); },
      [](const change_reach&) { ADD_FAILURE() << "nobody asked for it"; },
      [](const get_backlogs&) { return stream_backlogs{}; },
      [this](const deliver& m) {
        EXPECT_EQ(m.ticket, 0u);
        for (const auto& d : *m.batch) {
          EXPECT_EQ(d.what->id.value, 0u);
          EXPECT_EQ(d.what->service, service_type::event);
          wire.push_back(name_of(d.only.value()) + " gets " + d.what->name + "=" + d.what->data);
        }
      });
    backend = mock<backend_caller_actor>([this](const call_backend& m) {
      calls.push_back(render_callback(m));
      listener = m.listener;
    });
    front = own(spawn_stand_in_front(
      system(), {"gateway-front", {}, &numbers},
      {.stream_events = 2, .stream_bytes = 100, .total_bytes = 1000, .identity_bytes = 300},
      backend, numbers));
  }

  ~StandInFront() override { listener = backend_listener_actor{}; }

  static std::string name_of(const token& t) { return std::to_string(t.low()); }

  void client_comes(const token& stream) {
    open_connection request;
    request.stream = stream;
    request.url = "/s?request_id=x";
    request.transport = transport_kind::embedded;
    request.via = transport;
    request.headers =
      std::make_shared<const header_list>(header_list{{"Host", "h"}, {"A", "1"}, {"a", "2"}});
    tell(front, request);
  }

  void backend_answers(const token& stream, ec code = ec::none, std::uint16_t status = 200) {
    tell(listener, backend_answered{callback_action::connect, stream, {code, "", ""}, status});
  }

  void disconnect_answered(const token& stream) {
    tell(listener, backend_answered{callback_action::disconnect, stream, {ec::none, "", ""}, 200});
  }

  void open(const token& stream) {
    client_comes(stream);
    backend_answers(stream);
    wire.clear();
    calls.clear();
  }

  void client_leaves(const token& stream, end_reason reason = end_reason::client_closed) {
    tell(front, stream_closed{stream, reason});
  }

  static send_to_stream command(const token& stream, const char* name, bool close = false) {
    return {stream, send_to_stream::message{name, "d"}, close};
  }

  void backend_says(const token& stream, const char* body) {
    tell(listener, connect_answer_read{stream, body});
  }

  connection_page list() { return *ask<connection_page>(front, list_connections{}); }

  std::string send(const token& stream, const char* name, bool close = false) {
    return answer_to(command(stream, name, close));
  }
  std::string probe(const token& stream) { return answer_to({stream, {}, false}); }
  std::string end(const token& stream) { return answer_to({stream, {}, true}); }

  std::string answer_to(const send_to_stream& what) {
    const auto answer = ask<send_status>(front, what);
    if (!answer)
      return std::string{to_string(describe(answer.error()).code)};
    return *answer == send_status::sent ? "sent" : "buffered";
  }

  static std::string disconnect_of(const token& stream, const char* reason) {
    return R"({"action":"disconnect","reason":")" + std::string{reason} + R"(","token":")"
           + stream.str()
           + R"(","request":{"url":"/s?request_id=x","headers":{"host":"h","a":"1, 2"}}})";
  }

  metrics numbers;
  strings wire;
  strings calls;
  delivery_actor transport;
  backend_caller_actor backend;
  backend_listener_actor listener;
  supervised<stand_in_front_actor> front;
  const token a = token::from_bits(0, 1);
  const token b = token::from_bits(0, 2);
};

TEST_F(StandInFront, CallsBackAndOpensOnSuccess) {
  client_comes(a);
  EXPECT_EQ(
    calls, (strings{R"({"action":"connect","token":"00000000-0000-0000-0000-000000000001",)"
                    R"("request":{"url":"/s?request_id=x","headers":{"host":"h","a":"1, 2"}}})"}));
  EXPECT_TRUE(wire.empty()) << "the stream opens only when the backend has answered";
  backend_answers(a);
  EXPECT_EQ(wire, strings{"attach 1"});
}

TEST_F(StandInFront, PassesOtherStatusesOn) {
  client_comes(a);
  backend_answers(a, ec::upstream_refused, 403);
  EXPECT_EQ(wire, strings{"refuse 1 upstream_refused 403"});
  EXPECT_EQ(probe(a), "no_such_stream");
  client_leaves(a);
  EXPECT_EQ(calls.size(), 1u) << "a stream that never opened is not reported";
}

TEST_F(StandInFront, RefusesWhenTheBackendCannotBeReached) {
  client_comes(a);
  backend_answers(a, ec::upstream_unavailable, 0);
  client_comes(b);
  backend_answers(b, ec::upstream_timed_out, 0);
  EXPECT_EQ(wire, (strings{"refuse 1 upstream_unavailable 0", "refuse 2 upstream_timed_out 0"}));
}

TEST_F(StandInFront, CallsBackForManyStreamsAtOnce) {
  client_comes(a);
  client_comes(b);
  EXPECT_EQ(calls.size(), 2u);
  backend_answers(b);
  backend_answers(a);
  EXPECT_EQ(wire, (strings{"attach 2", "attach 1"}));
}

TEST_F(StandInFront, SendsToAnOpenStream) {
  open(a);
  open(b);
  EXPECT_EQ(send(a, "x"), "sent");
  EXPECT_EQ(probe(a), "sent");
  EXPECT_EQ(wire, strings{"1 gets x=d"});
}

TEST_F(StandInFront, KnowsNoOtherToken) {
  open(a);
  EXPECT_EQ(send(b, "x"), "no_such_stream");
  EXPECT_EQ(end(b), "no_such_stream");
  EXPECT_EQ(probe(b), "no_such_stream");
  EXPECT_TRUE(wire.empty());
}

TEST_F(StandInFront, DeliversInOrderWhatWasSentDuringTheCallback) {
  client_comes(a);
  EXPECT_EQ(send(a, "x"), "buffered");
  EXPECT_EQ(send(a, "y"), "buffered");
  EXPECT_EQ(probe(a), "buffered");
  EXPECT_TRUE(wire.empty());
  // The answer and the next event are under way together.
  inject(listener, backend_answered{callback_action::connect, a, {ec::none, "", ""}, 200});
  inject(front, command(a, "z"));
  drain();
  EXPECT_EQ(wire, (strings{"attach 1", "1 gets x=d", "1 gets y=d", "1 gets z=d"}));
}

TEST_F(StandInFront, ClosesAStreamThatWasToldSoDuringTheCallback) {
  client_comes(a);
  EXPECT_EQ(send(a, "x", true), "buffered");
  EXPECT_EQ(send(a, "y"), "no_such_stream");
  backend_answers(a);
  EXPECT_EQ(wire, (strings{"attach 1", "1 gets x=d", "close 1"}));
  client_leaves(a, end_reason::server_closed);
  EXPECT_EQ(calls.back(), disconnect_of(a, "server_closed"));
}

TEST_F(StandInFront, DropsWhatWasSentToAStreamThatIsThenRefused) {
  client_comes(a);
  EXPECT_EQ(send(a, "x"), "buffered");
  backend_answers(a, ec::upstream_refused, 401);
  EXPECT_EQ(wire, strings{"refuse 1 upstream_refused 401"});
}

TEST_F(StandInFront, RefusesToKeepTooMuchAndCountsIt) {
  client_comes(a);
  EXPECT_EQ(send(a, "x"), "buffered");
  EXPECT_EQ(send(a, "y"), "buffered");
  EXPECT_EQ(send(a, "z"), "overloaded");
  EXPECT_NE(numbers.render().find("herald_callback_buffer_refused_total 1"), std::string::npos);
  backend_answers(a);
  EXPECT_EQ(wire, (strings{"attach 1", "1 gets x=d", "1 gets y=d"}));
}

TEST_F(StandInFront, RefusesAStreamWhoseRequestItCannotKeepAndCountsIt) {
  front = own(spawn_stand_in_front(
    system(), {"gateway-front", {}, &numbers}, {2, 100, 1000, 100}, backend, numbers));
  client_comes(a);
  const auto one =
    render_callback_request("/s?request_id=x", {{"Host", "h"}, {"A", "1, 2"}}).size();
  ASSERT_GT(2 * one, 100u) << "two would fit";
  client_comes(b);
  EXPECT_EQ(wire, strings{"refuse 2 overloaded 0"});
  EXPECT_EQ(calls.size(), 1u) << "the backend was asked";
  EXPECT_NE(numbers.render().find("herald_callback_streams_refused_total 1"), std::string::npos);
  backend_answers(a);
  client_leaves(a, end_reason::client_closed);
  client_comes(b);
  EXPECT_EQ(calls.size(), 3u);
}

TEST_F(StandInFront, WritesTheEventBeforeItCloses) {
  open(a);
  EXPECT_EQ(send(a, "x", true), "sent");
  EXPECT_EQ(wire, (strings{"1 gets x=d", "close 1"}));
  EXPECT_EQ(send(a, "y"), "no_such_stream");
  EXPECT_TRUE(calls.empty()) << "the backend hears of it once the stream is gone";
  client_leaves(a, end_reason::server_closed);
  EXPECT_EQ(calls, strings{disconnect_of(a, "server_closed")});
}

TEST_F(StandInFront, ReportsOnceWhyAStreamIsGone) {
  for (const auto reason : {end_reason::client_closed, end_reason::error}) {
    open(a);
    client_leaves(a, reason);
    client_leaves(a, reason);
    tell(front, delivery_failed{a, "gone"});
    EXPECT_EQ(calls, strings{disconnect_of(a, std::string{to_string(reason)}.c_str())});
    EXPECT_EQ(probe(a), "no_such_stream");
  }
}

TEST_F(StandInFront, ReportsAStreamThatCouldNotBeWritten) {
  open(a);
  tell(front, delivery_failed{a, "gone"});
  client_leaves(a);
  EXPECT_EQ(calls, strings{disconnect_of(a, "error")});
}

TEST_F(StandInFront, ReportsNothingOfAClientThatLeavesDuringTheCallback) {
  client_comes(a);
  EXPECT_EQ(send(a, "x"), "buffered");
  client_leaves(a);
  EXPECT_EQ(send(a, "y"), "no_such_stream");
  backend_answers(a);
  EXPECT_TRUE(wire.empty());
  EXPECT_EQ(calls.size(), 1u);
}

TEST_F(StandInFront, SendsADisconnectOnlyAfterItsConnectWasAnswered) {
  client_comes(a);
  // Answer and end cross: both are in the mailbox, the answer first.
  inject(listener, backend_answered{callback_action::connect, a, {ec::none, "", ""}, 200});
  inject(front, stream_closed{a, end_reason::client_closed});
  drain();
  EXPECT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls.back(), disconnect_of(a, "client_closed"));
}

TEST_F(StandInFront, IgnoresAFailureReportedBeforeTheStreamIsOpen) {
  client_comes(a);
  tell(front, delivery_failed{a, "stale"});
  backend_answers(a);
  EXPECT_EQ(wire, strings{"attach 1"});
  EXPECT_EQ(send(a, "x"), "sent");
}

TEST_F(StandInFront, IgnoresASecondStreamWithATokenThatIsHeld) {
  open(a);
  const testing::log_capture log;
  client_comes(a);
  EXPECT_EQ(
    log.lines("token_in_use"),
    (strings{"error gateway-front token_in_use token=00000000-0000-0000-0000-000000000001"}));
  EXPECT_TRUE(calls.empty());
  EXPECT_EQ(send(a, "x"), "sent");
}

TEST_F(StandInFront, RefusesNewStreamsWhileShuttingDown) {
  open(a);
  EXPECT_TRUE(ask<void>(front, begin_shutdown{}));
  client_comes(b);
  EXPECT_EQ(wire, strings{"refuse 2 shutting_down 0"});
  EXPECT_TRUE(calls.empty());
  EXPECT_EQ(send(a, "x"), "sent");
}

TEST_F(StandInFront, AnswersTheShutdownWhenNoStreamIsCallingBack) {
  client_comes(a);
  bool done = false;
  caf::scoped_actor self{system(), true};
  auto pending = self->request(front, std::chrono::seconds{1}, begin_shutdown{});
  drain();
  EXPECT_FALSE(self->has_next_message());
  backend_answers(a);
  ASSERT_TRUE(self->has_next_message());
  pending.receive([&] { done = true; }, [](const caf::error&) {});
  EXPECT_TRUE(done);
}

TEST_F(StandInFront, AnswersTheShutdownWhenTheLastClientLeavesDuringItsCallback) {
  client_comes(a);
  caf::scoped_actor self{system(), true};
  auto pending = self->request(front, std::chrono::seconds{1}, begin_shutdown{});
  drain();
  EXPECT_FALSE(self->has_next_message());
  client_leaves(a);
  ASSERT_TRUE(self->has_next_message()) << "it waits for a callback that concerns nobody";
  pending.receive([] {}, [](const caf::error& e) { ADD_FAILURE() << describe(e).detail; });
}

TEST_F(StandInFront, AnswersAFlushWhenNoCallbackIsUnderWay) {
  EXPECT_TRUE(ask<void>(front, flush{}));
  open(a);
  client_leaves(a);
  bool done = false;
  caf::scoped_actor self{system(), true};
  auto pending = self->request(front, std::chrono::seconds{1}, flush{});
  drain();
  EXPECT_FALSE(self->has_next_message());
  disconnect_answered(a);
  ASSERT_TRUE(self->has_next_message());
  pending.receive([&] { done = true; }, [](const caf::error&) {});
  EXPECT_TRUE(done);
}

TEST_F(StandInFront, CountsStreams) {
  open(a);
  client_comes(b);
  EXPECT_NE(numbers.render().find("sse_gateway_active_connections 1\n"), std::string::npos);
  EXPECT_NE(numbers.render().find("herald_callback_waiting_streams 1\n"), std::string::npos);
  client_leaves(a);
  client_leaves(b);
  const auto text = numbers.render();
  EXPECT_NE(text.find("sse_gateway_connections_total{action=\"connect\"} 1\n"), std::string::npos);
  EXPECT_NE(
    text.find("sse_gateway_connections_total{action=\"disconnect\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("sse_gateway_active_connections 0\n"), std::string::npos);
}

TEST_F(StandInFront, ShowsWhatItKeepsOfStreamsAtOnce) {
  client_comes(a);
  EXPECT_EQ(send(a, "name"), "buffered");
  EXPECT_EQ(testing::metric(numbers, "herald_callback_buffered_bytes"), 5);
  backend_says(a, R"({"subject":"ann"})");
  EXPECT_GT(testing::metric(numbers, "herald_callback_identity_bytes"), 0);
  client_leaves(a);
  EXPECT_EQ(testing::metric(numbers, "herald_callback_buffered_bytes"), 0);
  EXPECT_EQ(testing::metric(numbers, "herald_callback_identity_bytes"), 0);
}

/// A gateway of the generation that tells pages when they are ready.
class ReadyFront : public StandInFront {
protected:
  ReadyFront() {
    front = own(spawn_stand_in_front(
      system(), {"gateway-front", {}, &numbers}, {2, 100, 1000}, backend, numbers,
      gateway_format::v2));
  }
};

TEST_F(ReadyFront, SaysReadyBehindWhatWasSentWhileTheBackendDecided) {
  client_comes(a);
  EXPECT_EQ(send(a, "early"), "buffered");
  backend_answers(a);
  EXPECT_EQ(wire, (strings{"attach 1", "1 gets early=d", "1 gets ready="}));
}

TEST_F(ReadyFront, SaysNotReadyWhereTheBackendHasEndedTheStreamMeanwhile) {
  client_comes(a);
  EXPECT_EQ(send(a, "last", true), "buffered");
  backend_answers(a);
  EXPECT_EQ(wire, (strings{"attach 1", "1 gets last=d", "close 1"}));
}

TEST_F(StandInFront, TellsItsWatcherOfStreamsThatAreOpenForTheBackend) {
  strings told;
  wall_time opened;
  const auto watcher = mock<watcher_actor>(
    [&](const streams_changed& m) {
      for (const auto& change : m.all) {
        if (change.what == stream_change::kind::opened)
          opened = change.at;
        EXPECT_EQ(change.stream.opened_at, opened);
        told.push_back(
          (change.what == stream_change::kind::opened ? "opened " : "closed ")
          + name_of(change.stream.stream) + " " + change.stream.id.str() + " "
          + change.stream.address + change.reason);
      }
    },
    [](const task_ended&) { ADD_FAILURE() << "there are no tasks"; });
  front = own(spawn_stand_in_front(
    system(), {"gateway-front", {}, &numbers}, {2, 100, 1000}, backend, numbers, gateway_format::v1,
    watcher));
  const auto refused = token::from_bits(0, 1);
  client_comes(refused);
  backend_answers(refused, ec::upstream_refused, 403);
  EXPECT_EQ(told, strings{}) << "it was never open";
  open_connection request;
  request.id = request_id{"a"};
  request.stream = token::from_bits(0, 2);
  request.via = transport;
  request.client = std::make_shared<const client_details>(client_details{"10.0.0.7", {}});
  tell(front, request);
  backend_answers(request.stream);
  EXPECT_EQ(told, (strings{"opened 2 a 10.0.0.7"}));
  tell(front, stream_closed{request.stream, end_reason::client_closed});
  EXPECT_EQ(told, (strings{"opened 2 a 10.0.0.7", "closed 2 a 10.0.0.7client_closed"}));
  EXPECT_GT(opened, wall_time{});
}

TEST_F(StandInFront, ListsItsStreamsWithWhatTheBackendSaysOfThem) {
  client_comes(a);
  backend_says(a, R"({"subject":"ann","roles":["editor"],"bindings":["subject.616e6e"]})");
  EXPECT_EQ(list().total, 0u) << "it is not open";
  backend_answers(a);
  open(b);
  auto page = list();
  ASSERT_EQ(page.connections.size(), 2u);
  const auto& one = page.connections[0];
  EXPECT_EQ(one.stream, a);
  EXPECT_EQ(one.url, "/s") << "its query may hold secrets";
  EXPECT_EQ(one.via, transport);
  EXPECT_EQ(one.hears.subject, "ann");
  EXPECT_EQ(one.hears.roles, strings{"editor"});
  EXPECT_FALSE(one.hears.broadcast) << "bindings are named, and broadcast is not among them";
  EXPECT_EQ(one.bindings, strings{"subject.616e6e"});
  EXPECT_EQ(page.connections[1].bindings, std::nullopt);
  EXPECT_TRUE(page.connections[1].hears.broadcast);
  backend_says(b, R"({"subject":"bob"})");
  EXPECT_EQ(list().connections[1].hears.subject, "bob") << "the body came behind the status";
}

TEST_F(StandInFront, OpensStreamsWhateverTheBodyOfTheAnswer) {
  const auto& refused = numbers.counter("herald_callback_identities_refused_total", "");
  client_comes(a);
  backend_says(a, R"({"subject":42})");
  backend_answers(a);
  EXPECT_EQ(wire, strings{"attach 1"});
  EXPECT_EQ(refused.Value(), 1);
  backend_says(a, "OK");
  EXPECT_EQ(refused.Value(), 1) << "many backends say so";
  const auto much = R"({"subject":")" + std::string(200, 's') + R"("})";
  backend_says(a, much.c_str());
  EXPECT_EQ(refused.Value(), 1);
  EXPECT_EQ(list().connections[0].hears.subject.size(), 200u);
  open(b);
  backend_says(b, much.c_str());
  EXPECT_EQ(refused.Value(), 2) << "more than is kept of all";
  EXPECT_EQ(list().connections[1].hears.subject, "");
  backend_says(token::from_bits(0, 3), R"({"subject":"gone"})");
  EXPECT_EQ(refused.Value(), 2);
}

} // namespace
} // namespace herald
