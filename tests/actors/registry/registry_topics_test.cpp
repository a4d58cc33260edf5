#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "actors/registry/connection_registry.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

std::string joined(const texts& all) {
  std::string line;
  for (const auto& one : all)
    line += (line.empty() ? "" : ",") + one;
  return line;
}

class RegistryTopics : public testing::actor_test {
protected:
  RegistryTopics() {
    registry_limits limits{{20, 1 << 20, 1h}};
    limits.max_topics = 3;
    limits.max_topic_changes_bytes = 2000;
    limits.max_topics_bytes = 2000;
    limits.retain = {3, 100'000, 2};
    registry = own(spawn_connection_registry(
      system(), {"connection-registry", {}, &numbers}, limits, numbers, {}, place));
    via = mock<delivery_actor>(
      [this](const attach_stream& m) {
        told.push_back(
          "attach " + m.stream.str() + (m.hears ? " to " + joined(m.hears->patterns) : ""));
        auto missed = m.missed;
        while (const auto what = missed.next())
          told.push_back(what->name + "=" + what->data + " to " + m.stream.str());
      },
      [this](const refuse_stream& m) {
        told.push_back("refuse " + m.stream.str() + " " + std::string{to_string(m.why.code)});
      },
      [this](const close_stream& m) { told.push_back("close " + m.stream.str()); },
      [this](const change_reach& m) {
        told.push_back(
          "change " + m.stream.str() + " to " + (m.hears ? joined(m.hears->patterns) : "nothing"));
        for (const auto& value : m.values)
          told.push_back(value->name + "=" + value->data + " to " + m.stream.str());
      },
      [](const get_backlogs&) { return stream_backlogs{}; },
      [this](const deliver& m) {
        places.push_back(m.place);
        for (const auto& one : *m.batch)
          told.push_back(one.what->name + "=" + one.what->data + " to " + whom(one));
      });
  }

  static std::string whom(const delivery& one) {
    if (one.only)
      return one.only->str();
    if (!one.some)
      return "all";
    auto line = one.some->to->everyone() ? "all" : joined(one.some->to->topics);
    if (one.some->page)
      line += "+" + one.some->page->str();
    for (const auto& left_out : one.some->except)
      line += "-" + left_out.str();
    return line;
  }

  void connect(
    const char* id, const char* stream, texts patterns = {},
    std::optional<event_id> cursor = std::nullopt, bool broadcast = true) {
    open_connection opening{
      request_id{id}, token::from_text(stream), "/s", transport_kind::embedded, via, nullptr};
    if (cursor)
      opening.last_event_id = to_string(*cursor);
    reach asks;
    asks.patterns = std::move(patterns);
    asks.broadcast = broadcast;
    if (!asks.plain())
      opening.asks = std::make_shared<const reach>(std::move(asks));
    tell(registry, std::move(opening));
  }

  static draft note(const char* data, const texts& topics, retention value = retention::none) {
    draft d{"note", data, nullptr};
    audience to;
    to.topics = topics;
    if (!topics.empty())
      d.to = std::make_shared<const audience>(std::move(to));
    d.value = value;
    return d;
  }

  publish_receipt say(draft d) {
    publish command;
    command.drafts.push_back(std::move(d));
    const auto receipt = ask<publish_receipt>(registry, std::move(command));
    EXPECT_TRUE(receipt);
    return receipt ? *receipt : publish_receipt{};
  }

  caf::expected<topics_changed> change(const char* id, texts add, texts remove = {}) {
    return ask<topics_changed>(
      registry, change_topics{request_id{id}, std::move(add), std::move(remove)});
  }

  texts take() { return std::exchange(told, {}); }

  metrics numbers;
  std::shared_ptr<event_place> place = std::make_shared<event_place>();
  connection_registry_actor registry;
  delivery_actor via;
  texts told;
  /// That `via` was told, with events or without.
  std::vector<event_id> places;
};

TEST_F(RegistryTopics, CountsEachStreamThatAnEventIsForOnce) {
  connect("p", "t1", {"a/b", "a/*"});
  connect("q", "t2", {"a/*"});
  connect("r", "t3");
  take();
  auto both = note("1", {"a/b", "a/c"});
  EXPECT_EQ(say(both).recipients, 2u);
  audience to = *both.to;
  to.page = request_id{"r"};
  to.except = {request_id{"q"}};
  both.to = std::make_shared<const audience>(to);
  EXPECT_EQ(say(both).recipients, 2u);
  to.page = request_id{"p"};
  both.to = std::make_shared<const audience>(to);
  EXPECT_EQ(say(both).recipients, 1u);
  EXPECT_EQ(say(note("2", {"b"})).recipients, 0u);
  EXPECT_EQ(
    take(), (texts{"note=1 to a/b,a/c", "note=1 to a/b,a/c+t3-t2", "note=1 to a/b,a/c+t1-t2"}));
}

TEST_F(RegistryTopics, LeavesOutOfABroadcastWhoeverWantsNoneOrIsExcepted) {
  connect("p", "t1");
  connect("q", "t2", {"a"}, std::nullopt, false);
  connect("r", "t3");
  take();
  EXPECT_EQ(say(note("1", {})).recipients, 2u);
  auto other = note("2", {});
  audience to;
  to.except = {request_id{"r"}, request_id{"q"}, request_id{"unknown"}};
  other.to = std::make_shared<const audience>(to);
  EXPECT_EQ(say(other).recipients, 1u);
  EXPECT_EQ(take(), (texts{"note=1 to all", "note=2 to all-t3-t2"}));
}

TEST_F(RegistryTopics, ReplaysWhatTheStreamMayHearThen) {
  connect("p", "t1");
  const auto cursor = say(note("0", {})).ids.front();
  say(note("1", {"a"}));
  say(note("2", {"b"}));
  say(note("3", {}));
  auto short_lived = note("4", {"a"});
  short_lived.ttl = 10s;
  say(short_lived);
  auto live = note("5", {"a"});
  live.history = false;
  say(live);
  take();
  connect("p", "t2", {"a"}, cursor);
  EXPECT_EQ(
    take(), (texts{"attach t2 to a", "note=1 to t2", "note=3 to t2", "note=4 to t2", "close t1"}));
  advance(10s);
  connect("p", "t3", {"b"}, cursor, false);
  EXPECT_EQ(take(), (texts{"attach t3 to b", "note=2 to t3", "close t2"}));
}

TEST_F(RegistryTopics, ChangesWhatAStreamHearsAtItsPlaceInTheOrder) {
  connect("p", "t1", {"a"});
  const auto id = say(note("1", {"b"})).ids.front();
  take();
  const auto changed = change("p", {"b", "c/*"}, {"a"});
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->patterns, (texts{"b", "c/*"}));
  EXPECT_EQ(changed->place, id);
  EXPECT_EQ(say(note("2", {"c/d"})).recipients, 1u);
  EXPECT_EQ(say(note("3", {"a"})).recipients, 0u);
  EXPECT_EQ(take(), (texts{"change t1 to b,c/*", "note=2 to c/d"}));
  EXPECT_EQ(describe(change("q", {"a"}).error()).code, ec::no_such_connection);
}

TEST_F(RegistryTopics, KeepsWhatWasChangedForAPageThatComesBack) {
  connect("p", "t1", {"a", "b"});
  const auto cursor = say(note("0", {})).ids.front();
  ASSERT_TRUE(change("p", {"c"}, {"a"}));
  tell(registry, stream_closed{token::from_text("t1")});
  say(note("1", {"a"}));
  say(note("2", {"c"}));
  take();
  connect("p", "t2", {"a", "b"}, cursor);
  EXPECT_EQ(take(), (texts{"attach t2 to b,c", "note=2 to t2"}));
  connect("p", "t3", {"a", "b"});
  EXPECT_EQ(take(), (texts{"attach t3 to a,b", "close t2"}));
  connect("p", "t4", {"a", "b"}, cursor);
  EXPECT_EQ(take(), (texts{"attach t4 to a,b", "note=1 to t4", "close t3"}))
    << "a stream without a cursor has what its URL says";
}

TEST_F(RegistryTopics, ForgetsWhatWasChangedWithTheHistory) {
  connect("p", "t1", {"a"});
  const auto cursor = say(note("0", {})).ids.front();
  ASSERT_TRUE(change("p", {"c"}));
  tell(registry, stream_closed{token::from_text("t1")});
  advance(1h);
  take();
  connect("p", "t2", {"a"}, cursor);
  EXPECT_EQ(take().front(), "attach t2 to a");
}

TEST_F(RegistryTopics, ForgetsWhatWasChangedWithAHistoryThatWasMadeShorter) {
  connect("p", "t1", {"a"});
  const auto cursor = say(note("0", {})).ids.front();
  ASSERT_TRUE(change("p", {"c"}));
  tell(caf::actor_cast<history_keeper_actor>(registry), change_history{{20, 1 << 20, 60s}});
  tell(registry, stream_closed{token::from_text("t1")});
  advance(60s);
  take();
  connect("p", "t2", {"a"}, cursor);
  EXPECT_EQ(take().front(), "attach t2 to a");
}

TEST_F(RegistryTopics, TellsTheMemoryOfWhatPagesHaveChanged) {
  const auto bytes = [this] {
    return testing::metric(numbers, "herald_topic_changes_bytes");
  };
  connect("p", "t1", {"a"});
  EXPECT_EQ(bytes(), 0);
  ASSERT_TRUE(change("p", {"c"}));
  const auto one = bytes();
  EXPECT_GT(one, 0);
  ASSERT_TRUE(change("p", {"d"}));
  EXPECT_GT(bytes(), one);
  connect("p", "t2", {"a"});
  EXPECT_EQ(bytes(), 0) << "a stream without a cursor has what its URL says";
}

TEST_F(RegistryTopics, RefusesMoreTopicsThanAStreamMayHave) {
  connect("p", "t1", {"a", "b"});
  take();
  const auto refused = change("p", {"c", "d"});
  EXPECT_EQ(describe(refused.error()).code, ec::invalid_field);
  EXPECT_EQ(describe(refused.error()).field, "add");
  EXPECT_TRUE(take().empty());
  EXPECT_TRUE(change("p", {"c", "d"}, {"a"}));
}

TEST_F(RegistryTopics, RefusesChangesWhereTooMuchIsKeptForPages) {
  connect("p", "t1");
  const auto refused = change("p", {std::string(255, 'x')});
  ASSERT_TRUE(refused);
  connect("q", "t2");
  take();
  std::size_t pages = 0;
  for (char c = 'a'; c <= 'z'; ++c) {
    const std::string id(1, c);
    connect(id.c_str(), id.c_str());
    const auto answer = change(id.c_str(), {std::string(200, c)});
    if (!answer) {
      EXPECT_EQ(describe(answer.error()).code, ec::overloaded);
      break;
    }
    ++pages;
  }
  EXPECT_LT(pages, 10u);
  EXPECT_EQ(testing::metric(numbers, "herald_topic_changes_refused_total"), 1);
}

TEST_F(RegistryTopics, GivesLastValuesFirstToWhoeverBegins) {
  say(note("1", {"a/x"}, retention::keep));
  say(note("2", {"a/y"}, retention::keep));
  say(note("3", {"a/x"}, retention::keep));
  say(note("4", {"b"}));
  take();
  connect("p", "t1", {"a/*", "b"});
  EXPECT_EQ(take(), (texts{"attach t1 to a/*,b", "note=2 to t1", "note=3 to t1"}));
}

TEST_F(RegistryTopics, GivesAValueOnceToWhoeverComesBack) {
  const auto before = say(note("0", {})).ids.front();
  const auto id = say(note("1", {"a"}, retention::keep)).ids.front();
  connect("p", "t1", {"a"}, before);
  EXPECT_EQ(take().back(), "note=1 to t1") << "in the replay";
  connect("p", "t2", {"a"}, id);
  EXPECT_EQ(take(), (texts{"attach t2 to a", "close t1"})) << "it has had it";
}

TEST_F(RegistryTopics, GivesAValueBehindAGapToo) {
  const auto before = say(note("0", {})).ids.front();
  say(note("1", {"a"}, retention::keep));
  for (int i = 0; i < 25; ++i)
    say(note("x", {"b"}));
  take();
  connect("p", "t1", {"a"}, before);
  const auto all = take();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1], "note=1 to t1");
  EXPECT_TRUE(all[2].starts_with("gap=")) << all[2];
}

TEST_F(RegistryTopics, GivesValuesOfTopicsThatAreAdded) {
  say(note("1", {"a"}, retention::keep));
  say(note("2", {"b/x"}, retention::keep));
  connect("p", "t1", {"b/*"});
  take();
  ASSERT_TRUE(change("p", {"a", "b/x"}));
  EXPECT_EQ(take(), (texts{"change t1 to a,b/*,b/x", "note=1 to t1"})) << "b/x was heard before";
}

TEST_F(RegistryTopics, SaysThatThereAreMoreValuesThanItGives) {
  for (const auto* topic : {"a", "b", "c"})
    say(note(topic, {topic}, retention::keep));
  take();
  connect("p", "t1", {"*"});
  const auto all = take();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[1], "note=b to t1");
  EXPECT_EQ(all[2], "note=c to t1");
  EXPECT_TRUE(all[3].starts_with("gap=")) << all[3];
}

TEST_F(RegistryTopics, CountsAsAGapThatThereAreMoreValuesOfTopicsThatAreAdded) {
  for (const auto* topic : {"a", "b", "c"})
    say(note(topic, {topic}, retention::keep));
  connect("p", "t1");
  take();
  ASSERT_TRUE(change("p", {"*"}));
  const auto all = take();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_TRUE(all[3].starts_with("gap=")) << all[3];
  EXPECT_EQ(testing::metric(numbers, "herald_history_gaps_total"), 1);
}

TEST_F(RegistryTopics, ForgetsValuesOnDemandAndInTime) {
  say(note("1", {"a"}, retention::keep));
  say(note("null", {"a"}, retention::forget));
  auto short_lived = note("2", {"b"}, retention::keep);
  short_lived.ttl = 5s;
  say(short_lived);
  advance(5s);
  take();
  connect("p", "t1", {"*"});
  EXPECT_EQ(take(), (texts{"attach t1 to *"}));
  EXPECT_EQ(testing::metric(numbers, "herald_retained_topics"), 0);
}

TEST_F(RegistryTopics, RefusesMoreValuesThanMayBe) {
  for (const auto* topic : {"a", "b", "c"})
    say(note("1", {topic}, retention::keep));
  publish command;
  command.drafts.push_back(note("1", {"d"}, retention::keep));
  const auto refused = ask<publish_receipt>(registry, std::move(command));
  ASSERT_FALSE(refused);
  EXPECT_EQ(describe(refused.error()).code, ec::storage_full);
  EXPECT_EQ(describe(refused.error()).field, "retain");
  EXPECT_EQ(testing::metric(numbers, "herald_retained_refused_total"), 1);
  EXPECT_EQ(say(note("2", {"a"}, retention::keep)).ids.size(), 1u);
}

TEST_F(RegistryTopics, LooksBackAtWhatIsKept) {
  connect("p", "t1");
  const auto first = say(note("1", {"a"})).ids.front();
  const auto second = say(note("2", {})).ids.front();
  const auto third = say(note("3", {"b"})).ids.front();
  auto all = ask<event_page>(registry, list_events{});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->events.size(), 3u);
  EXPECT_EQ(all->events[0].event.to->topics, (texts{"a"}));
  EXPECT_EQ(all->last, third);
  EXPECT_FALSE(all->gap);

  reach who;
  who.patterns = {"b"};
  list_events some{first, 1, who};
  auto page = ask<event_page>(registry, some);
  ASSERT_EQ(page->events.size(), 1u);
  EXPECT_EQ(page->events[0].event.what->id, second);
  EXPECT_EQ(page->last, second) << "where to go on";
  some.after = page->last;
  page = ask<event_page>(registry, some);
  ASSERT_EQ(page->events.size(), 1u);
  EXPECT_EQ(page->events[0].event.what->id, third);
  list_events old;
  old.after = event_id{1};
  EXPECT_TRUE(ask<event_page>(registry, old)->gap);
}

TEST_F(RegistryTopics, ListsWhoHearsWhat) {
  connect("p", "t1", {"a/*"});
  connect("q", "t2", {"a/b", "a/*"});
  connect("r", "t3", {"a/b"});
  const auto with = [&](connection_filter which, std::uint64_t after = 0, std::size_t limit = 10) {
    const auto page =
      ask<connection_page>(registry, list_connections{after, limit, std::move(which)});
    texts ids;
    for (const auto& one : page->connections)
      ids.push_back(one.id.str());
    return std::pair{ids, page->total};
  };
  EXPECT_EQ(with({"a/b", "", ""}), (std::pair{texts{"p", "q", "r"}, std::size_t{3}}));
  EXPECT_EQ(with({"a/*", "", ""}), (std::pair{texts{"p", "q"}, std::size_t{2}}));
  EXPECT_EQ(with({"a/c", "", ""}), (std::pair{texts{"p", "q"}, std::size_t{2}}));
  EXPECT_EQ(with({"a/b", "ann", ""}), (std::pair{texts{}, std::size_t{0}}));
  EXPECT_EQ(with({"a/b", "", ""}, 1, 1), (std::pair{texts{"q"}, std::size_t{3}}));
  const auto topics = ask<topic_page>(registry, list_topics{0, 10});
  ASSERT_EQ(topics->topics.size(), 2u);
  EXPECT_EQ(topics->topics[0].pattern, "a/*");
  EXPECT_EQ(topics->topics[0].streams, 2u);
  EXPECT_FALSE(topics->next);
}

TEST_F(RegistryTopics, EndsAllStreamsOfASubject) {
  const auto person = [&](const char* id, const char* stream, const char* subject) {
    open_connection opening{
      request_id{id}, token::from_text(stream), "/s", transport_kind::embedded, via, nullptr};
    reach asks;
    asks.subject = subject;
    opening.asks = std::make_shared<const reach>(asks);
    tell(registry, std::move(opening));
  };
  person("p", "t1", "ann");
  person("q", "t2", "bob");
  person("r", "t3", "ann");
  take();
  EXPECT_EQ(ask<connections_ended>(registry, close_connections{"ann"})->count, 2u);
  EXPECT_EQ(take(), (texts{"close t1", "close t3"}));
  EXPECT_EQ(ask<connections_ended>(registry, close_connections{"ann"})->count, 0u);
}

TEST_F(RegistryTopics, HearsForAStreamOfAFormerLifeWhatItsUrlAsksFor) {
  reach asks;
  asks.patterns = {"a"};
  asks.broadcast = false;
  adopt_streams known;
  known.streams.push_back(
    {request_id{"p"}, token::from_text("t1"), "/s", {}, via, std::make_shared<const reach>(asks)});
  tell(registry, std::move(known));
  EXPECT_EQ(say(note("1", {"a"})).recipients, 1u);
  EXPECT_EQ(say(note("2", {})).recipients, 0u);
  EXPECT_EQ(take(), (texts{"attach t1 to a", "note=1 to a", "note=2 to all"}));
}

TEST_F(RegistryTopics, TellsTransportsThePlaceFromTimeToTimeWhateverTheirStreamsHear) {
  connect("p", "t1", {"a"}, std::nullopt, false);
  const auto first = say(note("1", {"b"})).ids.front();
  EXPECT_EQ(take(), (texts{"attach t1 to a"})) << "nothing of it is for the stream";
  EXPECT_EQ(std::exchange(places, {}), (std::vector{first}));
  say(note("2", {"b"}));
  EXPECT_TRUE(places.empty()) << "no message for each event that is for nobody here";
  advance(1s);
  const auto third = say(note("3", {"b"})).ids.front();
  EXPECT_EQ(std::exchange(places, {}), (std::vector{third}));
  const auto fourth = say(note("4", {"a"})).ids.front();
  EXPECT_EQ(places, (std::vector{fourth})) << "with what is for it, always";
}

TEST_F(RegistryTopics, TellsTransportsThePlaceBehindAllOfABatch) {
  connect("p", "t1", {"a"}, std::nullopt, false);
  publish both;
  both.drafts.push_back(note("1", {"b"}));
  both.drafts.push_back(note("2", {"b"}));
  const auto receipt = ask<publish_receipt>(registry, std::move(both));
  ASSERT_TRUE(receipt);
  EXPECT_EQ(places, (std::vector{receipt->ids.back()}));
}

TEST_F(RegistryTopics, TellsItsPlaceBeforeWhoeverPublishesIsAnswered) {
  const auto before = place->get();
  const auto id = say(note("1", {})).ids.front();
  EXPECT_GT(id, before);
  EXPECT_EQ(place->get(), id);
}

TEST_F(RegistryTopics, RefusesStreamsThatListenToMoreThanThereIsRoomFor) {
  const auto patterns = [](char letter) {
    return texts{
      std::string(240, letter), std::string(240, letter) + "/1", std::string(240, letter) + "/2"};
  };
  connect("a", "s1", patterns('a'));
  connect("b", "s2", patterns('b'));
  connect("c", "s3", patterns('c'));
  EXPECT_EQ(told.back(), "refuse s3 overloaded");
  EXPECT_EQ(testing::metric(numbers, "herald_topics_refused_total"), 1);
  EXPECT_GT(testing::metric(numbers, "herald_topics_bytes"), 1900);
  connect("d", "s4");
  EXPECT_EQ(told.back(), "attach s4") << "one that listens to nothing";
  const auto changed = change("d", patterns('d'));
  ASSERT_FALSE(changed);
  EXPECT_EQ(describe(changed.error()).code, ec::overloaded);
  tell(registry, stream_closed{token::from_text("s1"), end_reason::client_closed});
  connect("c", "s5", patterns('c'));
  EXPECT_EQ(told.back().find("attach s5"), 0u) << told.back();
}

} // namespace
} // namespace herald
