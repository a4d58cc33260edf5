#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/registry/connection_registry.hpp"
#include "tests/support/actor_test.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;
using kind = stream_change::kind;

/// A registry, and what it tells its watcher.
class RegistryWatching : public testing::actor_test {
protected:
  RegistryWatching() {
    via = mock<delivery_actor>(
      [](const attach_stream&) {}, [](const refuse_stream&) {}, [](const close_stream&) {},
      [](const change_reach&) {}, [](const get_backlogs&) { return stream_backlogs{}; },
      [](const deliver&) {});
    const auto watcher = mock<watcher_actor>(
      [this](const streams_changed& m) {
        EXPECT_FALSE(m.all.empty());
        ++messages;
        for (const auto& change : m.all)
          note(change);
      },
      [](const task_ended&) { ADD_FAILURE() << "the registry has no tasks"; });
    registry = own(connection_registry_actor{spawn_connection_registry(
      system(), {"connection-registry", {}, &numbers}, {{20, 1 << 20, 1h}}, numbers, {}, nullptr,
      watcher)});
  }

  void note(const stream_change& change) {
    if (change.what == kind::occupied || change.what == kind::vacated) {
      told.push_back((change.what == kind::occupied ? "occupied " : "vacant ") + change.topic);
      return;
    }
    const auto& stream = change.stream;
    auto line =
      std::string{
        change.what == kind::opened    ? "opened "
        : change.what == kind::closed  ? "closed "
        : change.what == kind::retuned ? "retuned "
                                       : "adopted "}
      + stream.id.str() + " " + stream.stream.str();
    for (const auto& topic : stream.topics)
      line += " " + topic;
    told.push_back(line + (change.reason.empty() ? "" : ": " + change.reason));
    last = change;
  }

  /// What was told since the last call.
  lines news() { return std::exchange(told, {}); }

  static reach_ptr hears(std::vector<std::string> topics) {
    reach all;
    all.patterns = std::move(topics);
    return std::make_shared<const reach>(std::move(all));
  }

  open_connection connect(const char* id, const char* tok, std::vector<std::string> topics = {}) {
    open_connection command;
    command.id = request_id{id};
    command.stream = token::from_text(tok);
    command.url = "/api/sse/stream";
    command.via = via;
    if (!topics.empty())
      command.asks = hears(std::move(topics));
    command.client = std::make_shared<const client_details>(client_details{"10.0.0.7", "browser"});
    return command;
  }

  metrics numbers;
  delivery_actor via;
  connection_registry_actor registry;
  lines told;
  stream_change last;
  std::size_t messages = 0;
};

TEST_F(RegistryWatching, TellsOfAStreamAndItsTopicsFromTheFirstToTheLast) {
  tell(registry, connect("a", "1", {"y", "x"}));
  EXPECT_EQ(news(), (lines{"opened a 1 x y", "occupied x", "occupied y"}));
  EXPECT_EQ(last.stream.address, "10.0.0.7");
  const auto opened_at = last.stream.opened_at;
  tell(registry, connect("b", "2", {"x"}));
  EXPECT_EQ(news(), (lines{"opened b 2 x"}));
  tell(registry, stream_closed{token::from_text("1"), end_reason::client_closed});
  EXPECT_EQ(news(), (lines{"closed a 1 x y: client_closed", "vacant y"}));
  EXPECT_EQ(last.stream.opened_at, opened_at);
  EXPECT_GE(last.at, opened_at);
  tell(registry, delivery_failed{token::from_text("2"), "gone"});
  EXPECT_EQ(news(), (lines{"closed b 2 x: error", "vacant x"}));
  EXPECT_EQ(messages, 4u);
}

TEST_F(RegistryWatching, SaysNothingOfReportsThatComeLateOrTwice) {
  tell(registry, connect("a", "1"));
  tell(registry, connect("a", "1"));
  EXPECT_EQ(news(), (lines{"opened a 1"}));
  tell(registry, stream_closed{token::from_text("9"), end_reason::error});
  tell(registry, delivery_failed{token::from_text("9"), "gone"});
  EXPECT_EQ(news(), lines{});
}

TEST_F(RegistryWatching, TellsOfAReplacedStreamAndNotOfTopicsThatGoOn) {
  tell(registry, connect("a", "1", {"x", "y"}));
  news();
  tell(registry, connect("a", "2", {"x", "z"}));
  EXPECT_EQ(
    news(), (lines{"closed a 1 x y: replaced", "vacant y", "opened a 2 x z", "occupied z"}));
  tell(registry, stream_closed{token::from_text("1"), end_reason::server_closed});
  EXPECT_EQ(news(), lines{}) << "its end was told";
}

TEST_F(RegistryWatching, TellsOfATokenThatMovesToAnotherPage) {
  tell(registry, connect("a", "1", {"x"}));
  news();
  tell(registry, connect("b", "1", {"x"}));
  EXPECT_EQ(news(), (lines{"closed a 1 x: server_closed", "opened b 1 x"}));
}

TEST_F(RegistryWatching, TellsOfAStormInOneMessage) {
  open_connections storm;
  storm.all = {connect("a", "1"), connect("b", "2"), connect("a", "3")};
  tell(registry, storm);
  EXPECT_EQ(news(), (lines{"opened a 1", "opened b 2", "closed a 1: replaced", "opened a 3"}));
  EXPECT_EQ(messages, 1u);
}

TEST_F(RegistryWatching, TellsOfTopicsThatAreAddedAndRemoved) {
  tell(registry, connect("a", "1", {"x"}));
  news();
  EXPECT_TRUE(ask<topics_changed>(registry, change_topics{request_id{"a"}, {"z"}, {"x"}}));
  EXPECT_EQ(news(), (lines{"retuned a 1 z", "vacant x", "occupied z"}));
  EXPECT_TRUE(ask<topics_changed>(registry, change_topics{request_id{"a"}, {"z"}, {}}));
  EXPECT_EQ(news(), lines{}) << "nothing has changed";
  tell(registry, stream_closed{token::from_text("1"), end_reason::client_closed});
  EXPECT_EQ(news(), (lines{"closed a 1 z: client_closed", "vacant z"}));
}

TEST_F(RegistryWatching, TellsOfStreamsThatTheApiEnds) {
  tell(registry, connect("a", "1"));
  auto one = connect("b", "2");
  reach who;
  who.subject = "ann";
  one.asks = std::make_shared<const reach>(who);
  tell(registry, one);
  news();
  EXPECT_TRUE(ask<void>(registry, close_connection{request_id{"a"}}));
  EXPECT_EQ(news(), (lines{"closed a 1: server_closed"}));
  EXPECT_TRUE(ask<connections_ended>(registry, close_connections{"ann"}));
  EXPECT_EQ(news(), (lines{"closed b 2: server_closed"}));
  EXPECT_EQ(last.stream.subject, "ann");
}

TEST_F(RegistryWatching, TellsOfStreamsThatAFormerLifeHasLeftOpen) {
  adopt_streams command;
  command.streams.push_back(
    {request_id{"a"}, token::from_text("1"), "/s?request_id=a", {}, via, hears({"x"})});
  tell(registry, command);
  EXPECT_EQ(news(), (lines{"adopted a 1 x"}));
  tell(registry, connect("b", "2", {"x"}));
  EXPECT_EQ(news(), (lines{"opened b 2 x"})) << "its topic has a listener already";
}

TEST_F(RegistryWatching, ShowsClientsInListsAndNoQueries) {
  auto command = connect("a", "1");
  command.url = "/api/sse/stream?request_id=a&secret=s";
  tell(registry, command);
  const auto page = *ask<connection_page>(registry, list_connections{});
  ASSERT_EQ(page.connections.size(), 1u);
  EXPECT_EQ(page.connections[0].url, "/api/sse/stream");
  EXPECT_EQ(page.connections[0].client.address, "10.0.0.7");
  EXPECT_EQ(page.connections[0].client.agent, "browser");
}

} // namespace
} // namespace herald
