// Who may not hear does not, and who may misses nothing: pages with random topics, subjects and
// roles over real sockets, random events, reconnects and crashes. Each delivery is checked against
// the rules.
//
//   HERALD_TEST_DELIVERIES=1000000 build/release/tests/herald_integration_tests
//   --gtest_filter='Audience.*'
//
// goes on to that many; HERALD_TEST_SEED is that of another run.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/audience_rules.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using nlohmann::json;
using clock = std::chrono::steady_clock;
using text_set = std::set<std::string>;

constexpr std::size_t page_count = 150;
constexpr std::size_t history_events = 400;
constexpr std::size_t values_replayed = 4;

std::size_t number_from(const char* variable, std::size_t otherwise) {
  const auto* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoul(text);
}

json json_of_texts(const std::vector<std::string>& texts) {
  auto list = json::array();
  for (const auto& text : texts)
    list.push_back(text);
  return list;
}

/// An event that was published, in its place.
struct said {
  std::uint64_t id = 0;
  std::string data;
  audience_ptr to;
  bool history = true;
  std::chrono::milliseconds ttl{0};
  /// When its publisher had the answer.
  clock::time_point at;
  /// It may be the value of its topic, or no value from here on.
  bool retained = false;
};

/// One connection of a page.
struct visit {
  reach hears;
  std::optional<std::uint64_t> cursor;
  clock::time_point began;
  struct change {
    std::uint64_t place = 0;
    std::vector<std::string> before;
    std::vector<std::string> after;
  };
  std::vector<change> changes;
  std::vector<sse_event> got;
};

struct page {
  std::string id;
  reach asks;
  text_set added;
  text_set removed;
  visit now;
  bool away = true;
};

class Audience : public ::testing::Test {
protected:
  std::size_t below(std::size_t n) { return random() % n; }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }

  void begin_life() {
    herald.emplace(std::vector<std::string>{
      "--testing-enabled", "--journal-path", folder / "journal.db", "--journal-sync", "off",
      "--history-max-events", std::to_string(history_events), "--retain-max-replay",
      std::to_string(values_replayed), "--stream-max-topics", "30", "--log-level", "warning"});
    api.emplace(herald->api_port());
  }

  // Pages.

  std::string target_of(const page& p) {
    const auto encoded = [](const std::string& text) {
      std::string out;
      for (const char c : text)
        out += c == '*' ? std::string{"%2A"} : c == '/' ? std::string{"%2F"} : std::string{c};
      return out;
    };
    auto target = stream_target(p.id);
    for (const auto& one : p.asks.patterns)
      target += "&topic=" + encoded(one);
    for (const auto& one : p.asks.roles)
      target += "&role=" + one;
    if (!p.asks.subject.empty())
      target += "&subject=" + p.asks.subject;
    return target + (p.asks.broadcast ? "" : "&broadcast=false");
  }

  void make_pages() {
    for (std::size_t i = 0; i < page_count; ++i)
      names.push_back("page" + std::to_string(i));
    draws.emplace([this](std::size_t n) { return below(n); }, names);
    clients.reserve(page_count);
    for (const auto& name : names) {
      auto& p = pages.emplace_back();
      p.id = name;
      choose(p);
      begin_visit(p, std::nullopt);
      clients.emplace_back(herald->stream_port(), target_of(p));
    }
  }

  void choose(page& p) {
    const auto asks = draws->asks();
    p.asks = asks ? *asks : reach{};
    p.asks.page = request_id{p.id};
  }

  void begin_visit(page& p, std::optional<std::uint64_t> cursor) {
    if (!cursor) {
      p.added.clear();
      p.removed.clear();
    }
    auto hears = p.asks;
    const auto patterns =
      rule_changed({hears.patterns.begin(), hears.patterns.end()}, p.added, p.removed);
    hears.patterns.assign(patterns.begin(), patterns.end());
    p.now = {std::move(hears), cursor, clock::now(), {}, {}};
    p.away = false;
  }

  /// Comes back, mostly with its cursor.
  void come_back(std::size_t i) {
    auto& p = pages.at(i);
    auto& client = clients.at(i);
    const auto& last = client.last_event_id();
    if (last.empty() || chance(6)) {
      if (chance(2))
        choose(p);
      client.begin_anew(herald->stream_port(), target_of(p));
      begin_visit(p, std::nullopt);
      return;
    }
    begin_visit(p, std::stoull(last));
    client.begin_reconnect(herald->stream_port());
    ++returns;
  }

  void leave(std::size_t i) {
    auto& p = pages.at(i);
    take(i);
    clients.at(i).close();
    p.away = true;
    check(i, false);
  }

  void take(std::size_t i) {
    auto& got = pages.at(i).now.got;
    for (auto& event : clients.at(i).take_events())
      got.push_back(std::move(event));
  }

  void read(std::chrono::milliseconds limit = 0ms) {
    read_once(clients, limit);
    for (std::size_t i = 0; i < clients.size(); ++i) {
      take(i);
      ASSERT_TRUE(!clients[i].ended() || pages[i].away)
        << pages[i].id << " was sent away: " << clients[i].status() << ' ' << clients[i].body()
        << ' ' << describe(pages[i].now);
    }
  }

  [[nodiscard]] bool settled(std::size_t i) const {
    return !pages[i].away && !clients[i].place().empty();
  }

  // Publishing.

  said draw_event() {
    said one;
    one.data = std::to_string(++serial);
    if (chance(8)) {
      audience topic;
      topic.topics.push_back(draws->topic());
      one.to = std::make_shared<const audience>(std::move(topic));
      one.retained = true;
      if (chance(6))
        one.data = "null";
      return one;
    }
    if (!chance(8))
      one.to = draws->audience();
    one.history = !chance(6);
    if (chance(6))
      one.ttl = chance(2) ? 30ms : 1'000'000ms;
    return one;
  }

  static json json_of_event(const said& one) {
    json body{{"event", "note"}, {"data", json::parse(one.data)}};
    if (one.to) {
      const auto& to = *one.to;
      if (!to.page.empty())
        body["request_id"] = to.page.str();
      if (!to.subject.empty())
        body["subject"] = to.subject;
      if (!to.role.empty())
        body["role"] = to.role;
      if (to.topics.size() == 1)
        body["topic"] = to.topics.front();
      else if (!to.topics.empty())
        body["topics"] = json_of_texts(to.topics);
      for (const auto& id : to.except)
        body["except"].push_back(id.str());
    }
    if (!one.history)
      body["history"] = false;
    if (one.ttl.count() != 0)
      body["ttl_s"] = static_cast<double>(one.ttl.count()) / 1000;
    if (one.retained)
      body["retain"] = true;
    return body;
  }

  void publish_some() {
    const auto count = chance(2) ? 1 : 2 + below(15);
    std::vector<said> batch;
    auto body = json::array();
    for (std::size_t i = 0; i < count; ++i) {
      batch.push_back(draw_event());
      body.push_back(json_of_event(batch.back()));
    }
    std::size_t sure = 0;
    std::size_t unsure = 0;
    for (std::size_t i = 0; count == 1 && i < pages.size(); ++i) {
      sure += settled(i) && is_for(batch.front().to, reach_now(pages[i])) ? 1 : 0;
      unsure += settled(i) ? 0 : 1;
    }
    const auto answer =
      count == 1 ? api->post("/api/events", body[0].dump()) : api->post("/api/events", body.dump());
    ASSERT_EQ(answer.status, 202) << answer.body;
    const auto receipt = json_of(answer);
    if (count == 1) {
      EXPECT_GE(receipt["recipients"], sure);
      EXPECT_LE(receipt["recipients"], sure + unsure);
    }
    note(std::move(batch), count == 1 ? json::array({receipt["id"]}) : receipt["ids"]);
  }

  void note(std::vector<said> batch, const json& ids) {
    ASSERT_EQ(ids.size(), batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      auto& one = batch[i];
      one.id = std::stoull(ids[i].get<std::string>());
      one.at = clock::now();
      ASSERT_TRUE(log.empty() || one.id > log.back().id);
      if (one.retained)
        values[one.to->topics.front()].push_back(log.size());
      log.push_back(std::move(one));
    }
  }

  // Changes.

  static reach reach_now(const page& p) {
    auto hears = p.now.hears;
    if (!p.now.changes.empty())
      hears.patterns = p.now.changes.back().after;
    return hears;
  }

  void change_topics_of(std::size_t i) {
    if (!settled(i))
      return;
    auto& p = pages[i];
    const auto more = draws->patterns(3);
    const auto less = draws->patterns(2);
    if (more.empty() && less.empty())
      return;
    const text_set remove{less.begin(), less.end()};
    const auto add = rule_changed({more.begin(), more.end()}, {}, remove);
    const auto before = reach_now(p).patterns;
    const auto after = rule_changed({before.begin(), before.end()}, add, remove);
    json body;
    if (!more.empty())
      body["add"] = json_of_texts(more);
    if (!less.empty())
      body["remove"] = json_of_texts(less);
    const auto answer = api->post("/api/connections/" + p.id + "/topics", body.dump());
    ASSERT_EQ(answer.status, 200) << answer.body;
    const std::vector<std::string> now{after.begin(), after.end()};
    EXPECT_EQ(json_of(answer)["topics"], json_of_texts(now));
    p.added = rule_changed(p.added, add, remove);
    p.removed = rule_changed(p.removed, remove, add);
    p.now.changes.push_back({std::stoull(answer.header("herald-last-event-id")), before, now});
    ++changes;
  }

  void look_back() {
    const auto start = log.size() - std::min<std::size_t>(log.size(), 1 + below(200));
    auto asks = draws->asks();
    auto who = asks ? *asks : reach{};
    who.roles.resize(std::min<std::size_t>(who.roles.size(), 1));
    auto target = "/api/events?limit=1000&after=" + std::to_string(log[start].id)
                  + "&broadcast=" + (who.broadcast ? "true" : "false");
    for (const auto& one : who.patterns)
      target += "&topic=" + one;
    for (const auto& one : who.roles)
      target += "&role=" + one;
    if (!who.subject.empty())
      target += "&subject=" + who.subject;
    const auto began = clock::now();
    const auto answer = api->get(target);
    ASSERT_EQ(answer.status, 200) << answer.body;
    const auto seen = json_of(answer);
    EXPECT_EQ(seen["gap"], false);
    EXPECT_GE(std::stoull(seen["last_id"].get<std::string>()), log.back().id);
    std::size_t next = 0;
    const auto& events = seen["events"];
    for (auto k = start + 1; k < log.size(); ++k) {
      const auto& one = log[k];
      if (!one.history || !is_for(one.to, who))
        continue;
      const bool there = next < events.size() && events[next]["id"] == std::to_string(one.id);
      next += there ? 1 : 0;
      check_there(one, there, began, "looking back");
    }
    EXPECT_EQ(next, events.size()) << "found what was not to be found";
  }

  /// What has a time to live is there before its end and not after it.
  void check_there(const said& one, bool there, clock::time_point began, const std::string& who) {
    if (one.ttl.count() == 0 || one.ttl > 1min) {
      EXPECT_TRUE(there) << who << " misses " << one.id;
    } else if (began - one.at > one.ttl) {
      EXPECT_FALSE(there) << who << " was given " << one.id << ", which is over";
    }
  }

  // Comparing.

  bool covers(const std::string& pattern, const std::string& topic) {
    const auto [found, fresh] = covered.try_emplace(pattern + '\n' + topic, false);
    if (fresh)
      found->second = rule_covers(pattern, topic);
    return found->second;
  }

  bool any_covers(const std::vector<std::string>& patterns, const std::string& topic) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return covers(pattern, topic);
    });
  }

  /// As `rule_is_for`, with a memory for topics: it is asked millions of times.
  bool is_for(const audience_ptr& to, const reach& hears) {
    if (!to || to->topics.empty())
      return rule_is_for(to, hears);
    if (std::find(to->except.begin(), to->except.end(), hears.page) != to->except.end())
      return false;
    if (std::any_of(to->topics.begin(), to->topics.end(), [&](const std::string& topic) {
          return any_covers(hears.patterns, topic);
        }))
      return true;
    auto rest = *to;
    rest.topics = {"$nobody"};
    return rule_is_for(std::make_shared<const audience>(std::move(rest)), hears);
  }

  /// The last values at a place in the order that `hears` and not `heard`, with ids above `after`
  /// and up to `upto`: by id.
  std::vector<const said*> values_at(
    std::uint64_t place, const std::vector<std::string>& hears,
    const std::vector<std::string>& heard, std::uint64_t after, std::uint64_t upto) {
    std::vector<const said*> found;
    for (const auto& [topic, places] : values) {
      const auto behind = std::partition_point(
        places.begin(), places.end(), [&](std::size_t i) { return log[i].id <= place; });
      if (behind == places.begin())
        continue;
      const auto& one = log[*std::prev(behind)];
      if (
        one.data != "null" && one.id > after && one.id <= upto && any_covers(hears, topic)
        && !any_covers(heard, topic))
        found.push_back(&one);
    }
    std::sort(
      found.begin(), found.end(), [](const said* a, const said* b) { return a->id < b->id; });
    return found;
  }

  /// The walk over what a connection has got.
  struct reading {
    const visit& of;
    const std::string& who;
    bool whole;
    std::size_t next = 0;

    [[nodiscard]] bool at_end() const { return next == of.got.size(); }
    /// Whether the next one is this; also where it has left before.
    bool is(const said& one) {
      if (at_end() || of.got[next].id != std::to_string(one.id) || of.got[next].data != one.data)
        return false;
      ++next;
      return true;
    }
  };

  /// For whoever looks into a failure.
  static std::string describe(const visit& v) {
    std::string text = "cursor " + std::to_string(v.cursor.value_or(0)) + ", topics";
    for (const auto& pattern : v.hears.patterns)
      text += ' ' + pattern;
    for (const auto& change : v.changes) {
      text += ", at " + std::to_string(change.place);
      for (const auto& pattern : change.after)
        text += ' ' + pattern;
    }
    text += ", got";
    for (const auto& event : v.got)
      text += ' ' + event.id + ' ' + event.name + ' ' + event.data + ';';
    return text;
  }

  /// False where the page has left before it was through.
  bool read_values(reading& in, std::vector<const said*> due) {
    const bool more = due.size() > values_replayed;
    if (more)
      due.erase(due.begin(), due.end() - static_cast<std::ptrdiff_t>(values_replayed));
    for (const auto* one : due) {
      if (in.at_end() && !in.whole)
        return false;
      EXPECT_TRUE(in.is(*one)) << in.who << " misses the value " << one->id << " of "
                               << one->to->topics.front() << ", has " << describe(in.of);
      ++values_read;
    }
    if (!more)
      return true;
    if (in.at_end())
      return !in.whole || (ADD_FAILURE() << in.who << " is not told of more values", false);
    EXPECT_EQ(in.of.got[in.next].name, "gap") << in.who;
    EXPECT_EQ(in.of.got[in.next++].id, "") << in.who;
    return true;
  }

  /// What a connection has got is what its page was to hear, each once, in its order; the front of
  /// it where the page left early.
  void check(std::size_t i, bool whole) {
    const auto& p = pages[i];
    const auto& v = p.now;
    deliveries += v.got.size();
    if (clients[i].place().empty()) {
      // It left before that was told: these were older ones.
      EXPECT_FALSE(whole) << p.id;
      unplaced += v.got.size();
      return;
    }
    const auto place = std::stoull(clients[i].place());
    reading in{v, p.id, whole};
    std::uint64_t from = v.cursor.value_or(place);
    std::optional<std::uint64_t> gap;
    if (v.cursor)
      for (const auto& event : v.got)
        if (event.name == "gap" && !event.id.empty())
          gap = std::stoull(event.id);
    if (gap) {
      ++gaps;
      EXPECT_GT(*gap, *v.cursor) << p.id;
      EXPECT_LE(*gap, place) << p.id;
      check_gap(p, *v.cursor, place);
    }
    const auto upto = v.cursor ? gap.value_or(*v.cursor) : place;
    auto first = values_at(place, v.hears.patterns, {}, v.cursor.value_or(0), upto);
    if (gap && first.size() > values_replayed) {
      // One gap tells of both.
      first.erase(first.begin(), first.end() - static_cast<std::ptrdiff_t>(values_replayed));
    }
    if (!read_values(in, first))
      return;
    if (gap) {
      ASSERT_FALSE(in.at_end());
      EXPECT_EQ(in.of.got[in.next++].name, "gap") << p.id;
      from = *gap;
    }
    read_events(in, from, place);
    EXPECT_TRUE(in.at_end()) << p.id << " got what is not for it: " << v.got[in.next] << " behind "
                             << (v.cursor ? *v.cursor : 0) << ", live from " << place;
  }

  void read_events(reading& in, std::uint64_t from, std::uint64_t place) {
    const auto& v = in.of;
    auto hears = v.hears;
    auto change = v.changes.begin();
    auto k =
      std::partition_point(log.begin(), log.end(), [&](const said& one) { return one.id <= from; });
    for (;; ++k) {
      const bool end = k == log.end();
      for (; change != v.changes.end() && (end || k->id > change->place); ++change) {
        hears.patterns = change->after;
        if (!read_values(
              in, values_at(change->place, change->after, change->before, 0, change->place)))
          return;
      }
      if (end)
        return;
      const bool live = k->id > place;
      if ((!live && !k->history) || !is_for(k->to, hears))
        continue;
      if (in.at_end() && !in.whole)
        return;
      const bool there = in.is(*k);
      if (live) {
        EXPECT_TRUE(there) << in.who << " misses " << k->id << ", live from " << place;
      } else {
        check_there(*k, there, v.began, in.who);
      }
      replayed += live || !there ? 0 : 1;
    }
  }

  /// A gap is told where more was said than is kept.
  void check_gap(const page& p, std::uint64_t cursor, std::uint64_t place) {
    const auto kept = std::count_if(log.begin(), log.end(), [&](const said& one) {
      return one.history && one.id > cursor && one.id <= place;
    });
    EXPECT_GE(static_cast<std::size_t>(kept), history_events) << p.id << " was told of a gap";
  }

  // The end of a life.

  /// Whatever was answered before is in the file; what was not may be told or not, and is said to
  /// nobody here.
  void crash() {
    said last;
    last.data = std::to_string(++serial);
    const auto answer = api->post("/api/events", json_of_event(last).dump());
    ASSERT_EQ(answer.status, 202) << answer.body;
    note({last}, json::array({json_of(answer)["id"]}));
    herald->kill();
    for (std::size_t i = 0; i < pages.size(); ++i) {
      if (pages[i].away)
        continue;
      ASSERT_TRUE(clients[i].wait_for_end());
      leave(i);
    }
    herald.reset();
    begin_life();
    ++crashes;
  }

  void come_to_rest() {
    for (std::size_t i = 0; i < pages.size(); ++i)
      if (pages[i].away)
        come_back(i);
    const auto placed = [this] {
      return std::all_of(clients.begin(), clients.end(), [](const sse_client& client) {
        return !client.place().empty();
      });
    };
    ASSERT_TRUE(read_until(clients, placed));
    std::vector<said> batch;
    auto body = json::array();
    for (const auto& p : pages) {
      said& one = batch.emplace_back();
      one.data = std::to_string(++serial);
      one.to = audience_of_page(request_id{p.id});
      body.push_back(json_of_event(one));
    }
    const auto answer = api->post("/api/events", body.dump());
    ASSERT_EQ(answer.status, 202) << answer.body;
    note(batch, json_of(answer)["ids"]);
    const auto first = log.size() - pages.size();
    const auto complete = [&] {
      for (std::size_t i = 0; i < clients.size(); ++i)
        if (clients[i].last_event_id() != std::to_string(log[first + i].id))
          return false;
      return true;
    };
    EXPECT_TRUE(read_until(clients, complete));
    for (std::size_t i = 0; i < pages.size(); ++i) {
      take(i);
      check(i, true);
      clients[i].close();
      pages[i].away = true;
    }
  }

  [[nodiscard]] std::size_t so_far() const {
    auto sum = deliveries;
    for (const auto& p : pages)
      sum += p.away ? 0 : p.now.got.size();
    return sum;
  }

  std::mt19937 random{static_cast<unsigned>(number_from("HERALD_TEST_SEED", 1))};
  temporary_folder folder;
  std::optional<herald_process> herald;
  std::optional<http_client> api;
  std::optional<audience_draws> draws;
  std::vector<std::string> names;
  std::vector<page> pages;
  std::vector<sse_client> clients;
  std::vector<said> log;
  /// By topic: where in the log a value of it began.
  std::map<std::string, std::vector<std::size_t>> values;
  std::unordered_map<std::string, bool> covered;
  std::uint64_t serial = 0;
  std::size_t deliveries = 0;
  std::size_t replayed = 0;
  std::size_t values_read = 0;
  std::size_t returns = 0;
  std::size_t changes = 0;
  std::size_t gaps = 0;
  std::size_t crashes = 0;
  std::size_t unplaced = 0;
};

TEST_F(Audience, HearsWhatIsForItAndNothingElse) {
  const auto wanted = number_from("HERALD_TEST_DELIVERIES", 50'000);
  begin_life();
  make_pages();
  // A few crashes in a usual run, dozens in a long one.
  const auto between_crashes = std::max<std::size_t>(wanted / 50, 15'000);
  auto next_crash = between_crashes;
  while (so_far() < wanted && !HasFailure()) {
    const auto who = below(pages.size());
    switch (below(10)) {
    case 0:
    case 1:
      // Not before: a stream that herald comes to know later than the next one replaces that.
      if (settled(who))
        leave(who);
      break;
    case 2:
    case 3:
    case 4:
      // Some stay away for long.
      if (pages[who].away && (who % 10 != 0 || chance(10)))
        come_back(who);
      break;
    case 5:
      change_topics_of(who);
      break;
    case 6:
      if (chance(5) && !log.empty())
        look_back();
      break;
    default:
      publish_some();
    }
    read();
    if (so_far() >= next_crash) {
      crash();
      next_crash = so_far() + between_crashes;
    }
  }
  if (!HasFailure())
    come_to_rest();
  std::cout << "deliveries " << deliveries << ", events " << log.size() << ", replayed " << replayed
            << ", values " << values_read << ", returns " << returns << ", changes " << changes
            << ", gaps " << gaps << ", crashes " << crashes << ", unplaced " << unplaced << '\n';
  EXPECT_GT(replayed, wanted / 100);
  EXPECT_GT(values_read, wanted / 1000);
  EXPECT_GT(changes, 20U);
  EXPECT_GT(gaps, 0U);
  EXPECT_GT(crashes, 0U);
}

} // namespace
} // namespace herald
