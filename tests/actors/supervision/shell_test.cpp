#include "actors/supervision/shell.hpp"

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "tests/support/actor_test.hpp"
#include "tests/support/log_capture.hpp"

namespace herald {
namespace {

using std::string;
using strings = std::vector<string>;

/// What an inside is told, and what goes wrong in it.
struct diary {
  strings seen;
  /// How often the handler of this text throws before it does anything.
  std::map<string, int> poison;
  /// What waiting clients were told in place of a stream.
  static inline strings refused;
  /// What happens, once, while it is being asked whether a publisher may be refused.
  static inline std::function<void()> meanwhile;

  void note(const string& text) {
    if (auto& doses = poison[text]; doses > 0) {
      --doses;
      throw std::runtime_error("poisoned");
    }
    seen.push_back(text);
  }
};

/// An inside with one message of each kind.
class notary {
public:
  using interface = typed_actor<
    // `on`
    result<void>(connection_closed),
    // `repeatable`
    result<void>(connections_opened),
    // `refusable`
    result<pending_version>(get_pending_version),
    // `refusable`, but only those of outside
    result<publish_receipt>(publish),
    // `refusable`, and somebody else waits
    result<void>(open_connection)>;
  using shell_type = shell<interface, notary>;

  notary(self_pointer<interface> self, diary& notes) : self_(self), notes_(notes) {
    notes_.note("build");
  }

  static shell_type::behavior_type behavior(shell_type& s) {
    return {
      s.on(&notary::closed),
      s.repeatable(&notary::opened),
      s.refusable(&notary::get),
      s.refusable(
        &notary::publish, {.applies =
                             [](const herald::publish& p) {
                               if (const auto happens = std::exchange(diary::meanwhile, nullptr))
                                 happens();
                               return !p.wait;
                             }}),
      s.refusable(
        &notary::open, {.tell =
                          [](const open_connection& c, const failure& why) {
                            diary::refused.push_back(
                              c.id.str() + " " + string{to_string(why.code)});
                          }}),
      s.control(),
    };
  }

  void closed(const connection_closed& fact) { notes_.note(fact.id.str()); }
  void opened(const connections_opened& facts) { notes_.note(facts.all.at(0).id.str()); }

  result<pending_version> get(const get_pending_version& query) {
    if (query.id.str() == "promised") {
      // Makes a promise, then throws.
      const auto promise = self_->make_response_promise<pending_version>();
      throw std::runtime_error("promised");
    }
    notes_.note(query.id.str());
    return pending_version{query.id.str(), {}};
  }

  publish_receipt publish(const herald::publish& command) {
    notes_.note(command.wait ? "inner" : "outer");
    return {};
  }

  result<void> open(const open_connection& command) {
    if (command.id.str() == "asks") {
      // The handler of the answer throws.
      self_->request(self_pointer_to_self(), caf::infinite, get_pending_version{request_id{"b"}})
        .then([](const pending_version&) { throw std::runtime_error("answered"); });
      return caf::unit;
    }
    notes_.note(command.id.str());
    return caf::unit;
  }

private:
  interface self_pointer_to_self() {
    return caf::actor_cast<interface>(self_);
  }

  self_pointer<interface> self_;
  diary& notes_;
};

connections_opened opened(const char* id) {
  return {{{request_id{id}}}};
}
connection_closed closed(const char* id) {
  return {request_id{id}, end_reason::client_closed};
}
get_pending_version get(const char* id) {
  return {request_id{id}};
}
open_connection open(const char* id) {
  open_connection command;
  command.id = request_id{id};
  return command;
}

constexpr auto restart = inside_order::kind::restart;
constexpr auto stop = inside_order::kind::stop;

class Shell : public testing::actor_test {
protected:
  using notary_actor = supervised<notary::interface>;

  Shell() {
    diary::refused.clear();
    supervisor = mock<supervisor_actor>(
      [this](const child_started& fact) { started.push_back(fact); },
      [this](const child_failed& fact) { failures.push_back(fact); },
      [this](const child_restarted&) { ++restarts; },
      [](const get_actor_status&) { return actor_tree{}; },
      [](const stop_children&) { return stop_report{}; }, [](const stop_overdue&) {});
  }

  notary_actor spawn(const shell_options& options) {
    return own(spawn_supervised<notary::interface, notary>(
      system(), options, [this](auto* self) { return std::make_unique<notary>(self, notes); }));
  }

  /// Under the supervisor, who orders nothing by itself.
  notary_actor spawn(mailbox_limit limit = {}) {
    return spawn({"notary", supervisor, &numbers, limit});
  }

  void order(const notary_actor& to, inside_order::kind what) {
    tell(to, inside_order{what, failures.back().generation});
  }

  /// One whose inside is gone.
  notary_actor spawn_down(mailbox_limit limit = {}) {
    notes.poison["poison"] = 1;
    auto spawned = spawn(limit);
    tell(spawned, closed("poison"));
    return spawned;
  }

  /// Puts a request into a mailbox; `answers` gets the code of its failure, or the version.
  template <class Message>
  void request(const notary_actor& to, Message message) {
    auto* const all = &answers;
    own(system().spawn([=](caf::event_based_actor* self) {
      self->request(caf::actor_cast<caf::actor>(to), caf::infinite, message)
        .then(
          [all](const pending_version& v) { all->push_back(v.version); },
          [all](const caf::error& e) { all->emplace_back(to_string(describe(e).code)); });
    }));
  }

  bool shows(const string& line) { return numbers.render().find(line) != string::npos; }

  /// The inside's notes, but for its building.
  strings seen() const {
    strings result;
    for (const auto& text : notes.seen)
      if (text != "build")
        result.push_back(text);
    return result;
  }
  std::ptrdiff_t built() const { return std::count(notes.seen.begin(), notes.seen.end(), "build"); }

  metrics numbers;
  diary notes;
  supervisor_actor supervisor;
  std::vector<child_started> started;
  std::vector<child_failed> failures;
  int restarts = 0;
  strings answers;
};

TEST_F(Shell, LosesOnlyTheMessageThatThrew) {
  notes.poison["poison"] = 2;
  auto notary = spawn({"notary"});
  for (const auto* id : {"a", "poison", "b", "poison", "c"})
    inject(notary, closed(id));
  drain();
  EXPECT_EQ(seen(), (strings{"a", "b", "c"}));
  EXPECT_EQ(built(), 3);
}

TEST_F(Shell, AnswersTheMessageThatThrewWithAnError) {
  const testing::log_capture log;
  notes.poison["poison"] = 1;
  auto notary = spawn({"notary"});
  const auto answer = ask<pending_version>(notary, get("poison"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(describe(answer.error()).code, ec::actor_failed);
  ASSERT_EQ(log.lines("handler_failed").size(), 1u);
  EXPECT_EQ(log.lines("handler_failed")[0].find("error notary handler_failed what="), 0u);
  EXPECT_NE(log.lines("handler_failed")[0].find(" generation=1"), std::string::npos);
}

TEST_F(Shell, AnswersItEvenIfItsHandlerHadMadeAPromise) {
  auto notary = spawn({"notary"});
  const auto answer = ask<pending_version>(notary, get("promised"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(describe(answer.error()).code, ec::actor_failed);
}

TEST_F(Shell, TellsWhoeverElseWaitsForWhatThrew) {
  notes.poison["poison"] = 1;
  auto notary = spawn({"notary"});
  tell(notary, open("poison"));
  EXPECT_EQ(diary::refused, (strings{"poison actor_failed"}));
}

TEST_F(Shell, KeepsTheMailboxInOrderUntilTheSupervisorOrdersTheRestart) {
  auto notary = spawn_down();
  tell(notary, closed("a"));
  tell(notary, opened("b"));
  tell(notary, closed("c"));
  EXPECT_TRUE(seen().empty());
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].name, "notary");
  EXPECT_EQ(failures[0].what, "poisoned");
  EXPECT_FALSE(failures[0].damaged);

  tell(notary, inside_order{restart, failures[0].generation + 1});
  EXPECT_TRUE(seen().empty()) << "an order for another generation is stale";

  inject(notary, closed("d"));
  order(notary, restart);
  EXPECT_EQ(seen(), (strings{"a", "b", "c", "d"}));
  EXPECT_EQ(built(), 2);
  EXPECT_EQ(restarts, 1);

  order(notary, restart);
  EXPECT_EQ(built(), 2) << "a second order for the same failure changes nothing";
}

TEST_F(Shell, RestartsBeforeItHasLookedAtAllThatWaits) {
  auto notary = spawn_down();
  for (int i = 0; i < 50; ++i)
    inject(notary, closed("x"));
  caf::anon_send<caf::message_priority::high>(notary, inside_order{restart, 1});
  drain();
  EXPECT_EQ(seen().size(), 50u);
}

TEST_F(Shell, KeepsWhatIsLeftWhereOneOfTheKeptThrows) {
  auto notary = spawn_down();
  notes.poison["again"] = 1;
  for (const auto* id : {"a", "again", "b"})
    tell(notary, closed(id));
  order(notary, restart);
  EXPECT_EQ(seen(), (strings{"a"}));
  tell(notary, closed("c"));
  order(notary, restart);
  EXPECT_EQ(seen(), (strings{"a", "b", "c"}));
}

TEST_F(Shell, HandlesARepeatableMessageAgain) {
  notes.poison["fact"] = 1;
  auto notary = spawn();
  for (const auto* id : {"a", "fact", "b"})
    tell(notary, opened(id));
  order(notary, restart);
  EXPECT_EQ(seen(), (strings{"a", "fact", "b"})) << "in its place";
}

TEST_F(Shell, GivesARepeatableMessageUpAfterFiveAttempts) {
  notes.poison["fact"] = 5;
  auto notary = spawn();
  tell(notary, opened("fact"));
  tell(notary, opened("b"));
  for (int i = 1; i < 5; ++i)
    order(notary, restart);
  EXPECT_EQ(failures.size(), 5u);
  EXPECT_TRUE(seen().empty());
  order(notary, restart);
  EXPECT_EQ(seen(), (strings{"b"}));
  EXPECT_TRUE(shows("herald_actor_messages_lost_total{actor=\"notary\"} 1"));
}

TEST_F(Shell, AnswersARepeatableRequestFromTheSecondAttempt) {
  notes.poison["fact"] = 1;
  auto notary = spawn({"notary"});
  EXPECT_TRUE(ask<void>(notary, opened("fact")));
}

TEST_F(Shell, SurvivesAnAnswerWhoseHandlerThrows) {
  auto notary = spawn();
  tell(notary, open("asks"));
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].what, "answered");
  tell(notary, closed("a"));
  order(notary, restart);
  EXPECT_EQ(seen(), (strings{"b", "a"}));
}

TEST_F(Shell, ReportsAnInsideThatCannotBeBuilt) {
  auto notary = spawn_down();
  notes.poison["build"] = 1;
  tell(notary, closed("a"));
  order(notary, restart);
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(failures[1].generation, 2u);
  EXPECT_EQ(restarts, 0);
  order(notary, restart);
  EXPECT_EQ(seen(), (strings{"a"}));
}

TEST_F(Shell, ReportsStateThatIsDamaged) {
  auto broken = own(spawn_supervised<notary::interface, notary>(
    system(), {"notary", supervisor, &numbers},
    [](auto*) -> std::unique_ptr<notary> { throw state_damaged("out of step"); }));
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_TRUE(failures[0].damaged);
  EXPECT_EQ(failures[0].what, "out of step");
}

TEST_F(Shell, AnswersWhoeverAsksOnceItIsStopped) {
  auto notary = spawn_down();
  request(notary, get("kept"));
  tell(notary, open("kept"));
  EXPECT_TRUE(answers.empty());
  order(notary, stop);
  EXPECT_EQ(answers, (strings{"not_ready"}));
  EXPECT_EQ(diary::refused, (strings{"kept not_ready"}));

  request(notary, get("later"));
  tell(notary, closed("later"));
  EXPECT_EQ(answers, (strings{"not_ready", "not_ready"}));
  EXPECT_TRUE(seen().empty());
  EXPECT_TRUE(shows("herald_actor_refused_total{actor=\"notary\",why=\"stopped\"} 4"));

  order(notary, restart);
  EXPECT_EQ(built(), 1) << "there is no way back";
}

TEST_F(Shell, AnswersWhatItHasKeptWhenItEnds) {
  auto notary = spawn_down();
  request(notary, get("kept"));
  caf::anon_send_exit(notary, caf::exit_reason::user_shutdown);
  drain();
  EXPECT_EQ(answers, (strings{"shutting_down"}));
}

TEST_F(Shell, RefusesRequestsAtTheDoorWhileTooManyMessagesWait) {
  auto notary = spawn({2, when_full::reject});
  inject(notary, closed("a"));
  inject(notary, closed("b"));
  caf::scoped_actor self{system()};
  auto pending = self->request(notary, caf::infinite, get("c"));
  pending.receive(
    [](const pending_version&) { FAIL(); },
    [](const caf::error& e) { EXPECT_EQ(describe(e).code, ec::overloaded); });
  EXPECT_TRUE(seen().empty()) << "refused without waiting for the actor";
  EXPECT_TRUE(shows("herald_actor_refused_total{actor=\"notary\",why=\"rejected\"} 1"));
  drain();
  EXPECT_EQ(seen(), (strings{"a", "b"}));
  EXPECT_TRUE(ask<pending_version>(notary, get("d"))) << "there is room again";
}

TEST_F(Shell, HasRoomAgainThoughItWasEmptiedWhileItRefused) {
  auto notary = spawn({1, when_full::reject});
  inject(notary, closed("a"));
  caf::scoped_actor publisher{system()};
  const auto publish_now = [&] {
    publisher->request(notary, caf::infinite, publish{})
      .receive(
        [](const publish_receipt&) { FAIL(); },
        [](const caf::error& e) { EXPECT_EQ(describe(e).code, ec::overloaded); });
  };
  // Two publishers are at the door when the actor comes to what waits.
  diary::meanwhile = [&] {
    diary::meanwhile = [&] {
      drain();
    };
    publish_now();
  };
  publish_now();
  EXPECT_EQ(seen(), (strings{"a"}));
  EXPECT_TRUE(ask<pending_version>(notary, get("b")));
  EXPECT_TRUE(shows("herald_actor_mailbox_depth{actor=\"notary\"} 0"));
}

TEST_F(Shell, TakesFactsInHoweverManyMessagesWait) {
  auto notary = spawn({1, when_full::reject});
  for (const auto* id : {"a", "b", "c"})
    inject(notary, closed(id));
  inject(notary, opened("d"));
  drain();
  EXPECT_EQ(seen(), (strings{"a", "b", "c", "d"}));
}

TEST_F(Shell, RefusesWhatNobodyAskedForOnlyIfSomebodyIsTold) {
  auto notary = spawn({1, when_full::reject});
  inject(notary, closed("a"));
  inject(notary, open("told"));
  inject(notary, get("nobody hears"));
  EXPECT_EQ(diary::refused, (strings{"told overloaded"}));
  drain();
  EXPECT_EQ(seen(), (strings{"a", "nobody hears"}));
}

TEST_F(Shell, RefusesOnlyMessagesOfAKindThatApply) {
  auto notary = spawn({1, when_full::drop_oldest});
  publish inner;
  inner.wait = true;
  inject(notary, publish{});
  inject(notary, inner);
  inject(notary, closed("a"));
  drain();
  EXPECT_EQ(seen(), (strings{"inner", "a"}));
}

TEST_F(Shell, DropsTheOldestWhereThatIsWanted) {
  auto notary = spawn({2, when_full::drop_oldest});
  for (const auto* id : {"a", "b", "c", "d"})
    inject(notary, get(id));
  drain();
  EXPECT_EQ(seen(), (strings{"b", "c", "d"})) << "one at hand, and two that wait";
  EXPECT_TRUE(shows("herald_actor_refused_total{actor=\"notary\",why=\"dropped\"} 1"));
}

TEST_F(Shell, DropsNoFactsHoweverManyWait) {
  auto notary = spawn({1, when_full::drop_oldest});
  for (const auto* id : {"a", "b", "c"})
    inject(notary, closed(id));
  drain();
  EXPECT_EQ(seen(), (strings{"a", "b", "c"}));
}

TEST_F(Shell, AnswersARequestThatItDrops) {
  auto notary = spawn({1, when_full::drop_oldest});
  caf::scoped_actor self{system()};
  auto pending = self->request(notary, caf::infinite, get("a"));
  inject(notary, closed("b"));
  inject(notary, closed("c"));
  drain();
  pending.receive(
    [](const pending_version&) { FAIL(); },
    [](const caf::error& e) { EXPECT_EQ(describe(e).code, ec::overloaded); });
}

TEST_F(Shell, BoundsWhatItKeepsWithoutAnInside) {
  auto notary = spawn_down({2, when_full::reject});
  for (const auto* id : {"a", "b"})
    tell(notary, closed(id));
  request(notary, get("c"));
  drain();
  EXPECT_EQ(answers, (strings{"overloaded"}));
  order(notary, restart);
  EXPECT_EQ(seen(), (strings{"a", "b"}));
}

TEST_F(Shell, DropsTheOldestOfWhatItKeeps) {
  auto notary = spawn_down({2, when_full::drop_oldest});
  tell(notary, closed("fact"));
  for (const auto* id : {"a", "b", "c"})
    tell(notary, get(id));
  order(notary, restart);
  EXPECT_EQ(seen(), (strings{"fact", "c"}));
}

TEST_F(Shell, HasNoLimitWhereNoneIsSet) {
  auto notary = spawn({0, when_full::reject});
  for (int i = 0; i < 1000; ++i)
    inject(notary, get("a"));
  drain();
  EXPECT_EQ(seen().size(), 1000u);
}

TEST_F(Shell, TellsTheSupervisorWhoItIs) {
  spawn(one_of_many({"notary", supervisor, &numbers}, 3));
  ASSERT_FALSE(started.empty());
  EXPECT_EQ(started[0].name, "notary-3");
  EXPECT_EQ(started[0].kind, "notary");
}

TEST_F(Shell, ShowsHowManyMessagesWait) {
  auto notary = spawn();
  ASSERT_FALSE(started.empty());
  mailbox_depth const* depth = nullptr;
  for (const auto& fact : started)
    if (fact.depth)
      depth = fact.depth.get();
  ASSERT_NE(depth, nullptr);
  for (int i = 0; i < 3; ++i)
    inject(notary, closed("a"));
  EXPECT_EQ(*depth, 3);
  EXPECT_TRUE(shows("herald_actor_mailbox_depth{actor=\"notary\"} 3"));
  step();
  drain();
  EXPECT_EQ(*depth, 0);
  EXPECT_TRUE(shows("herald_actor_mailbox_depth{actor=\"notary\"} 0"));
}

TEST_F(Shell, CountsWhatItKeepsAsWaiting) {
  auto notary = spawn_down();
  for (const auto* id : {"a", "b"})
    tell(notary, closed(id));
  EXPECT_TRUE(shows("herald_actor_mailbox_depth{actor=\"notary\"} 2"));
}

TEST_F(Shell, CountsFailuresAndTimesHandlers) {
  auto notary = spawn_down();
  EXPECT_TRUE(shows("herald_actor_failures_total{actor=\"notary\"} 1"));
  EXPECT_TRUE(shows("herald_actor_handling_seconds_count{actor=\"notary\"} 1"));
  order(notary, restart);
  tell(notary, closed("a"));
  EXPECT_TRUE(shows("herald_actor_handling_seconds_count{actor=\"notary\"} 2"));
}

} // namespace
} // namespace herald
