#include "actors/registry/connection_table.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace herald {
namespace {

class ConnectionTable : public ::testing::Test {
protected:
  std::optional<connection_table::connection> open(const std::string& id, const std::string& tok) {
    return table.open(
      {id, token::from_text(tok), "/api/sse/stream?request_id=" + id, transport_kind::embedded, 0,
       wall_time{}});
  }
  auto close(const std::string& tok) { return table.close(token::from_text(tok)); }
  std::string token_of(const std::string& id) {
    const auto found = table.find(request_id{id});
    return found ? found->stream.str() : "none";
  }

  connection_table table;
};

TEST_F(ConnectionTable, FindsAConnectionFromBothSides) {
  EXPECT_EQ(open("a", "t1"), std::nullopt);
  EXPECT_EQ(token_of("a"), "t1");
  EXPECT_EQ(table.find(token::from_text("t1"))->id.str(), "a");
  EXPECT_EQ(table.size(), 1u);
}

TEST_F(ConnectionTable, GivesTheReplacedStreamAndKeepsOneConnection) {
  open("a", "t1");
  const auto replaced = open("a", "t2");
  ASSERT_TRUE(replaced);
  EXPECT_EQ(replaced->stream.str(), "t1");
  EXPECT_EQ(token_of("a"), "t2");
  EXPECT_EQ(table.find(token::from_text("t1")), std::nullopt);
  EXPECT_EQ(table.size(), 1u);
}

TEST_F(ConnectionTable, IgnoresStaleUnknownAndDoubleCloses) {
  open("a", "t1");
  open("a", "t2");
  EXPECT_EQ(close("t1"), std::nullopt);
  EXPECT_EQ(close("never"), std::nullopt);
  EXPECT_EQ(token_of("a"), "t2");
  EXPECT_EQ(close("t2")->id.str(), "a");
  EXPECT_EQ(close("t2"), std::nullopt);
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(ConnectionTable, TakesTheSamePairTwiceAsOnce) {
  open("a", "t1");
  EXPECT_EQ(open("a", "t1"), std::nullopt);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_TRUE(table.check());
}

TEST_F(ConnectionTable, MovesATokenThatComesBackUnderAnotherName) {
  open("a", "t1");
  open("b", "t1");
  EXPECT_EQ(token_of("a"), "none");
  EXPECT_EQ(token_of("b"), "t1");
  EXPECT_EQ(table.size(), 1u);
  EXPECT_TRUE(table.check());
}

TEST_F(ConnectionTable, ShowsClientsInBoundsAndForgetsThem) {
  const auto open_by = [&](const char* id, const std::string& address, const std::string& agent) {
    table.open(
      {id, token::from_text(id), std::string(5000, 'u'), transport_kind::embedded, 0, wall_time{},
       nullptr, true, address, agent});
  };
  const auto client_of = [&](const char* id) {
    return table.view(token::from_text(id))->client;
  };
  open_by("a", "10.0.0.7", "browser");
  open_by("b", "::1", "browser");
  open_by("c", std::string(500, '1'), std::string(5000, 'x'));
  open_by("d", "", "");
  EXPECT_EQ(client_of("a").address, "10.0.0.7");
  EXPECT_EQ(client_of("b").agent, "browser");
  EXPECT_EQ(client_of("c").address, std::string(connection_table::max_address_bytes, '1'));
  EXPECT_EQ(client_of("c").agent, std::string(max_agent_bytes, 'x'));
  EXPECT_EQ(client_of("d").agent, "");
  EXPECT_EQ(table.view(token::from_text("a"))->url, std::string(1024, 'u'));
  EXPECT_TRUE(table.check());
  close("a");
  EXPECT_EQ(client_of("b").agent, "browser") << "another one's name stays";
  EXPECT_TRUE(table.check());
  for (const auto* id : {"b", "c", "d"})
    close(id);
  EXPECT_TRUE(table.check());
  EXPECT_FALSE(table.view(token::from_text("a")));
}

TEST_F(ConnectionTable, PagesInTheOrderOfConnecting) {
  for (const auto* id : {"a", "b", "c", "d"})
    open(id, std::string("t") + id);
  close("tb");
  open("e", "te");
  const auto first = table.page(0, 3);
  ASSERT_EQ(first.connections.size(), 3u);
  EXPECT_EQ(first.total, 4u);
  EXPECT_EQ(first.connections[0].id.str(), "a");
  EXPECT_EQ(first.connections[0].url, "/api/sse/stream?request_id=a");
  EXPECT_EQ(first.connections[2].id.str(), "d");
  ASSERT_TRUE(first.next);
  const auto second = table.page(*first.next, 3);
  ASSERT_EQ(second.connections.size(), 1u);
  EXPECT_EQ(second.connections[0].id.str(), "e");
  EXPECT_EQ(second.next, std::nullopt);
}

TEST_F(ConnectionTable, HasNoNextPageWhenTheLastOneIsFull) {
  open("a", "t1");
  open("b", "t2");
  EXPECT_EQ(table.page(0, 2).next, std::nullopt);
  EXPECT_TRUE(table.page(0, 0).connections.empty());
}

TEST_F(ConnectionTable, PagesThroughWhatAFilterLetsThrough) {
  reach hers;
  hers.subject = "ann";
  for (const auto* id : {"a", "b", "c", "d"})
    open(id, id);
  for (const auto* tok : {"a", "c", "d"})
    table.set_reach(token::from_text(tok), hers);
  connection_filter of_ann;
  of_ann.subject = "ann";
  const auto first = table.page(0, 2, of_ann);
  EXPECT_EQ(first.total, 3u);
  ASSERT_EQ(first.connections.size(), 2u);
  EXPECT_EQ(first.connections[1].id.str(), "c");
  ASSERT_TRUE(first.next);
  const auto second = table.page(*first.next, 2, of_ann);
  ASSERT_EQ(second.connections.size(), 1u);
  EXPECT_EQ(second.connections[0].id.str(), "d");
  EXPECT_EQ(second.next, std::nullopt);
  EXPECT_EQ(table.page(0, 3, of_ann).next, std::nullopt);
}

/// Random sequences of connects, disconnects, stale disconnects and failures, against two maps.
class ConnectionTableModel : public ::testing::TestWithParam<unsigned> {};

TEST_P(ConnectionTableModel, KeepsBothDirectionsInStep) {
  std::mt19937 random{GetParam()};
  const auto pick = [&](unsigned n) {
    return std::uniform_int_distribution<unsigned>{0, n}(random);
  };
  connection_table table;
  std::map<std::string, std::string> model; // request_id -> token
  std::vector<std::string> order;           // the open ones' tokens, in the order of connecting
  std::vector<std::string> tokens;          // every token ever used
  const auto listed = [&](std::size_t limit) {
    std::vector<std::string> found;
    std::optional<std::uint64_t> after = 0;
    while (after) {
      const auto page = table.page(*after, limit);
      EXPECT_LE(page.connections.size(), limit);
      EXPECT_EQ(page.total, model.size());
      for (const auto& c : page.connections)
        found.push_back(c.stream.str());
      after = page.next;
    }
    return found;
  };
  for (int i = 0; i < 2000; ++i) {
    const bool fresh = tokens.empty() || pick(9) != 0;
    const auto tok = fresh ? "t" + std::to_string(i) : tokens[pick(tokens.size() - 1)];
    if (pick(1) == 0) {
      const auto id = "r" + std::to_string(pick(40));
      std::optional<std::string> expected;
      if (const auto held = model.find(id); held != model.end() && held->second != tok)
        expected = held->second;
      const auto replaced =
        table.open({id, token::from_text(tok), "/u", transport_kind::gateway, 1, wall_time{}});
      if (const auto held = model.find(id); held == model.end() || held->second != tok) {
        std::erase_if(order, [&](const auto& t) { return t == tok || t == expected; });
        order.push_back(tok);
      }
      EXPECT_EQ(replaced ? std::optional{replaced->stream.str()} : std::nullopt, expected);
      std::erase_if(model, [&](const auto& entry) { return entry.second == tok; });
      model[id] = tok;
      tokens.push_back(tok);
    } else {
      const auto gone = tokens.empty() ? tok : tokens[pick(tokens.size() - 1)];
      const auto held = std::erase_if(model, [&](const auto& e) { return e.second == gone; });
      std::erase(order, gone);
      EXPECT_EQ(table.close(token::from_text(gone)).has_value(), held == 1);
    }
    ASSERT_TRUE(table.check()) << "after step " << i;
    ASSERT_EQ(table.size(), model.size());
    if (i % 50 == 0) {
      ASSERT_EQ(listed(1 + pick(20)), order) << "after step " << i;
    }
  }
  for (const auto& [id, tok] : model)
    EXPECT_EQ(table.find(request_id{id})->stream.str(), tok);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ConnectionTableModel, ::testing::Range(0u, 20u));

} // namespace
} // namespace herald
