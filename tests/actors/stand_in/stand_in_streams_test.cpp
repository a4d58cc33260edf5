#include "actors/stand_in/stand_in_streams.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "messages/type_ids.hpp"

namespace herald {
namespace {

using state = stand_in_streams::state;
using verdict = stand_in_streams::verdict;
using beginning = stand_in_streams::beginning;

event_ptr event_named(std::string name, std::string data = "") {
  event made;
  made.name = std::move(name);
  made.data = std::move(data);
  return std::make_shared<const event>(std::move(made));
}

std::vector<std::string> names_of(const std::vector<event_ptr>& events) {
  std::vector<std::string> names;
  for (const auto& what : events)
    names.push_back(what->name);
  return names;
}

class StandInStreams : public ::testing::Test {
protected:
  bool begin(const token& stream) {
    return streams.begin(stream, {}, std::make_shared<const std::string>("request"))
           == beginning::begun;
  }

  void open(const token& stream) {
    ASSERT_TRUE(begin(stream));
    ASSERT_TRUE(streams.accept(stream));
  }

  verdict send(const token& stream, const char* name, bool close = false) {
    return streams.send(stream, event_named(name), close).what;
  }

  verdict probe(const token& stream) { return streams.send(stream, nullptr, false).what; }
  verdict end(const token& stream) { return streams.send(stream, nullptr, true).what; }

  stand_in_streams streams{
    {.stream_events = 3, .stream_bytes = 10, .total_bytes = 15, .identity_bytes = 500}};
  const token a = token::from_bits(1, 1);
  const token b = token::from_bits(1, 2);
};

TEST_F(StandInStreams, AreNoMoreThanTheirRequestsHaveBytesFor) {
  stand_in_streams narrow{{3, 10, 15, 8}};
  const auto begin_with = [&](const token& stream, const char* request) {
    return narrow.begin(stream, {}, std::make_shared<const std::string>(request));
  };
  EXPECT_EQ(begin_with(a, "12345"), beginning::begun);
  EXPECT_EQ(begin_with(b, "1234"), beginning::full);
  EXPECT_FALSE(narrow.find(b));
  EXPECT_EQ(begin_with(b, "123"), beginning::begun);
  EXPECT_EQ(begin_with(b, "1234"), beginning::held);
  EXPECT_EQ(narrow.request_bytes(), 8u);
  EXPECT_TRUE(narrow.remove(a));
  EXPECT_TRUE(narrow.refuse(b));
  EXPECT_EQ(narrow.request_bytes(), 0u);
  EXPECT_EQ(narrow.check(), std::nullopt);
}

TEST_F(StandInStreams, CallBackUntilTheyAreAccepted) {
  EXPECT_TRUE(begin(a));
  EXPECT_EQ(streams.find(a), state::calling_back);
  EXPECT_EQ(streams.calling_back(), 1u);
  const auto opened = streams.accept(a);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->due.empty());
  EXPECT_FALSE(opened->close);
  EXPECT_EQ(streams.find(a), state::open);
  EXPECT_EQ(streams.calling_back(), 0u);
  EXPECT_FALSE(streams.accept(a)) << "a second answer";
}

TEST_F(StandInStreams, RefuseATokenThatIsHeld) {
  EXPECT_TRUE(begin(a));
  EXPECT_FALSE(begin(a));
  EXPECT_EQ(streams.size(), 1u);
  EXPECT_EQ(streams.calling_back(), 1u);
}

TEST_F(StandInStreams, ForgetARefusedOne) {
  begin(a);
  EXPECT_TRUE(streams.refuse(a));
  EXPECT_EQ(streams.size(), 0u);
  EXPECT_FALSE(streams.refuse(a));
  open(b);
  EXPECT_FALSE(streams.refuse(b)) << "an open stream is not waiting for a verdict";
  EXPECT_EQ(streams.find(b), state::open);
}

TEST_F(StandInStreams, KeepWhatIsSentBeforeTheyOpen) {
  begin(a);
  EXPECT_EQ(probe(a), verdict::buffered);
  EXPECT_EQ(send(a, "1"), verdict::buffered);
  EXPECT_EQ(send(a, "2"), verdict::buffered);
  EXPECT_EQ(streams.buffered_bytes(), 2u);
  EXPECT_EQ(names_of(streams.accept(a)->due), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(streams.buffered_bytes(), 0u);
  EXPECT_EQ(send(a, "3"), verdict::pass_on);
}

TEST_F(StandInStreams, KeepACloseBehindItsEventAndTakeNothingAfterIt) {
  begin(a);
  EXPECT_EQ(send(a, "1"), verdict::buffered);
  EXPECT_EQ(send(a, "2", true), verdict::buffered);
  EXPECT_EQ(send(a, "3"), verdict::unknown);
  EXPECT_EQ(probe(a), verdict::unknown);
  const auto opened = streams.accept(a);
  ASSERT_TRUE(opened);
  EXPECT_EQ(names_of(opened->due), (std::vector<std::string>{"1", "2"}));
  EXPECT_TRUE(opened->close);
  EXPECT_EQ(streams.find(a), state::closing);
}

TEST_F(StandInStreams, TakeNothingOnceTheyAreClosing) {
  open(a);
  EXPECT_EQ(send(a, "last", true), verdict::pass_on);
  EXPECT_EQ(streams.find(a), state::closing);
  EXPECT_EQ(send(a, "late"), verdict::unknown);
  EXPECT_EQ(probe(a), verdict::unknown);
  EXPECT_EQ(end(a), verdict::unknown);
}

TEST_F(StandInStreams, KnowNoOtherToken) {
  open(a);
  EXPECT_EQ(probe(b), verdict::unknown);
  EXPECT_FALSE(streams.accept(b));
  EXPECT_FALSE(streams.remove(b));
}

TEST_F(StandInStreams, TellWhatARemovedOneWas) {
  begin(a);
  send(a, "1");
  EXPECT_EQ(streams.remove(a)->was, state::calling_back);
  EXPECT_EQ(streams.calling_back(), 0u);
  EXPECT_EQ(streams.buffered_bytes(), 0u);
  open(b);
  const auto gone = streams.remove(b);
  EXPECT_EQ(gone->was, state::open);
  EXPECT_EQ(*gone->request, "request");
  EXPECT_FALSE(streams.remove(b));
}

TEST_F(StandInStreams, BoundTheEventsKeptForOne) {
  begin(a);
  for (const auto* name : {"1", "2", "3"})
    EXPECT_EQ(send(a, name), verdict::buffered);
  EXPECT_EQ(send(a, "4", true), verdict::full);
  EXPECT_EQ(probe(a), verdict::buffered) << "the close of a refused send is refused with it";
  EXPECT_EQ(end(a), verdict::buffered);
  EXPECT_EQ(streams.accept(a)->due.size(), 3u);
}

TEST_F(StandInStreams, BoundTheBytesKeptForOneAndForAll) {
  begin(a);
  begin(b);
  EXPECT_EQ(send(a, "0123456789"), verdict::buffered);
  EXPECT_EQ(send(a, "x"), verdict::full);
  EXPECT_EQ(send(b, "01234"), verdict::buffered);
  EXPECT_EQ(send(b, "x"), verdict::full);
  streams.remove(a);
  EXPECT_EQ(send(b, "x"), verdict::buffered);
}

/// What the backend may rely on, over random histories: a stream gets exactly what was taken for
/// it, in order; nothing is left behind.
TEST_F(StandInStreams, DeliverExactlyWhatTheyTookInAnyHistory) {
  struct model {
    state now = state::calling_back;
    bool close = false;
    std::vector<std::string> taken;
    std::vector<std::string> delivered;
  };
  std::mt19937 random{20260101};
  const auto below = [&](unsigned bound) {
    return std::uniform_int_distribution<unsigned>{0, bound - 1}(random);
  };
  std::map<std::uint64_t, model> models;
  stand_in_streams wide{{1'000, 100'000, 1'000'000}};
  unsigned sent = 0;
  for (int step = 0; step < 50'000; ++step) {
    const std::uint64_t name = below(8);
    const auto stream = token::from_bits(7, name);
    const auto known = models.find(name);
    const bool waits = known != models.end() && known->second.now == state::calling_back;
    switch (below(8)) {
    case 0:
      EXPECT_EQ(
        wide.begin(stream, {}, std::make_shared<const std::string>()),
        known == models.end() ? beginning::begun : beginning::held);
      models.try_emplace(name);
      break;
    case 1: {
      const auto opened = wide.accept(stream);
      ASSERT_EQ(opened.has_value(), waits);
      if (!opened)
        break;
      auto& m = known->second;
      EXPECT_EQ(names_of(opened->due), m.taken);
      EXPECT_EQ(opened->close, m.close);
      m.delivered = m.taken;
      m.now = m.close ? state::closing : state::open;
      break;
    }
    case 2:
      if (below(4) != 0)
        break;
      EXPECT_EQ(wide.refuse(stream).has_value(), waits);
      if (waits)
        models.erase(known);
      break;
    case 3: {
      const auto gone = wide.remove(stream);
      ASSERT_EQ(gone.has_value(), known != models.end());
      if (!gone)
        break;
      EXPECT_EQ(gone->was, known->second.now);
      if (gone->was != state::calling_back) {
        EXPECT_EQ(known->second.delivered, known->second.taken);
      }
      models.erase(known);
      break;
    }
    default: {
      const auto text = std::to_string(++sent);
      const bool close = below(10) == 0;
      const auto what = below(5) != 0 ? event_named(text) : nullptr;
      const auto got = wide.send(stream, what, close).what;
      if (known == models.end() || known->second.close) {
        EXPECT_EQ(got, verdict::unknown);
        break;
      }
      auto& m = known->second;
      ASSERT_EQ(got, waits ? verdict::buffered : verdict::pass_on);
      if (what) {
        m.taken.push_back(text);
        if (!waits)
          m.delivered.push_back(text);
      }
      m.close = close;
      if (close && !waits)
        m.now = state::closing;
      break;
    }
    }
    std::size_t calling = 0;
    for (const auto& [key, m] : models)
      calling += m.now == state::calling_back ? 1 : 0;
    ASSERT_EQ(wide.size(), models.size());
    ASSERT_EQ(wide.calling_back(), calling);
    ASSERT_EQ(wide.check(), std::nullopt);
  }
  for (std::uint64_t name = 0; name < 8; ++name)
    wide.remove(token::from_bits(7, name));
  EXPECT_EQ(wide.buffered_bytes(), 0u);
  EXPECT_GT(sent, 20'000u);
}

identity_ptr named(const char* subject, std::vector<std::string> roles = {}) {
  return std::make_shared<const stream_identity>(
    stream_identity{subject, std::move(roles), std::nullopt});
}

/// "TOKEN SUBJECT" of each.
std::vector<std::string> rows_of(const connection_page& page) {
  std::vector<std::string> rows;
  for (const auto& one : page.connections)
    rows.push_back(std::to_string(one.stream.low()) + " " + one.hears.subject);
  return rows;
}

using rows = std::vector<std::string>;

TEST_F(StandInStreams, AreListedWhileTheyAreOpenInTheOrderOfOpening) {
  begin(a);
  open(b);
  EXPECT_EQ(rows_of(streams.page(0, 10)), rows{"2 "}) << "one is not open yet";
  ASSERT_TRUE(streams.accept(a));
  EXPECT_EQ(rows_of(streams.page(0, 10)), (rows{"2 ", "1 "}));
  const auto first = streams.page(0, 1);
  EXPECT_EQ(rows_of(first), rows{"2 "});
  EXPECT_EQ(first.total, 2u);
  ASSERT_TRUE(first.next);
  const auto second = streams.page(*first.next, 1);
  EXPECT_EQ(rows_of(second), rows{"1 "});
  EXPECT_FALSE(second.next);
  EXPECT_EQ(end(b), verdict::pass_on);
  EXPECT_EQ(rows_of(streams.page(0, 10)), rows{"1 "}) << "one is closing";
  streams.remove(a);
  EXPECT_EQ(streams.page(0, 10).total, 0u);
  EXPECT_EQ(streams.check(), std::nullopt);
}

TEST_F(StandInStreams, AreListedWithTheTimeOfTheirOpening) {
  const wall_time noon{std::chrono::hours{12}};
  begin(a);
  ASSERT_TRUE(streams.accept(a, noon));
  EXPECT_EQ(streams.page(0, 10).connections.at(0).connected_at, noon);
}

TEST_F(StandInStreams, AreNotListedWhereTheBackendHasEndedThemBeforeTheyOpened) {
  begin(a);
  end(a);
  ASSERT_TRUE(streams.accept(a));
  EXPECT_EQ(streams.page(0, 10).total, 0u);
  EXPECT_EQ(streams.check(), std::nullopt);
}

TEST_F(StandInStreams, AreFoundByWhoTheBackendSaysTheyAreFor) {
  using naming = stand_in_streams::naming;
  begin(a);
  EXPECT_EQ(streams.identify(a, named("ann", {"editor", "reader"})), naming::kept);
  ASSERT_TRUE(streams.accept(a));
  open(b);
  EXPECT_EQ(streams.identify(b, named("bob", {"reader"})), naming::kept) << "also of an open one";
  EXPECT_EQ(streams.identify(token::from_bits(1, 3), named("eve")), naming::unknown);
  const auto found = [&](connection_filter which) {
    return rows_of(streams.page(0, 10, which));
  };
  EXPECT_EQ(found({"", "ann", ""}), rows{"1 ann"});
  EXPECT_EQ(found({"", "", "reader"}), (rows{"1 ann", "2 bob"}));
  EXPECT_EQ(found({"", "bob", "editor"}), rows{});
  EXPECT_EQ(found({"a", "", ""}), rows{}) << "they listen to no topic";
  const auto first = streams.page(0, 1, {"", "", "reader"});
  EXPECT_EQ(first.total, 2u);
  EXPECT_EQ(rows_of(streams.page(first.next.value(), 1, {"", "", "reader"})), rows{"2 bob"});
}

TEST_F(StandInStreams, KeepWhatIsSaidOfThemUpToALimit) {
  using naming = stand_in_streams::naming;
  begin(a);
  begin(b);
  const auto bytes = named("ann")->bytes();
  ASSERT_LT(bytes, 500u);
  EXPECT_EQ(streams.identify(a, named("ann")), naming::kept);
  EXPECT_EQ(streams.identity_bytes(), bytes);
  const auto large = named("bob", std::vector<std::string>(10, std::string(40, 'r')));
  EXPECT_EQ(streams.identify(b, large), naming::full);
  EXPECT_EQ(streams.identify(a, large), naming::full);
  EXPECT_EQ(streams.identity_bytes(), bytes) << "what was known is still known";
  EXPECT_EQ(streams.identify(a, named("bob")), naming::kept);
  EXPECT_EQ(streams.check(), std::nullopt);
  streams.refuse(a);
  EXPECT_EQ(streams.identity_bytes(), 0u);
}

TEST_F(StandInStreams, KeepWhatIsSaidOfThemWhereItFitsExactly) {
  const auto who = named("ann");
  stand_in_streams narrow{
    {.stream_events = 3, .stream_bytes = 10, .total_bytes = 15, .identity_bytes = who->bytes()}};
  ASSERT_EQ(narrow.begin(a, {}, std::make_shared<const std::string>("request")), beginning::begun);
  EXPECT_EQ(narrow.identify(a, who), stand_in_streams::naming::kept);
}

} // namespace
} // namespace herald
