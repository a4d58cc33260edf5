#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "actors/audience/audience_index.hpp"
#include "actors/journal/journal.hpp"
#include "actors/journal/journal_recovery.hpp"
#include "actors/registry/connection_registry.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/audience_rules.hpp"
#include "tests/support/full_disk_store.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

/// A page that comes back with its cursor for as long as the test lasts.
struct page {
  std::string id;
  /// Its stream; empty while it is away.
  std::string stream;
  event_id cursor;
  /// Ids of all events that it has ever got, in the order of getting them.
  std::vector<event_id> got;
  /// Where it was told that events are missing: (after, up to].
  std::vector<std::pair<event_id, event_id>> gaps;
  /// What its URL says, all its life.
  reach_ptr asks;
  /// What was added to the topics of that, and what was removed.
  using topic_changes = std::pair<std::set<std::string>, std::set<std::string>>;
  topic_changes changes;
  /// All that those were in this life: the next one knows one of them.
  std::vector<topic_changes> in_this_life;
  /// What its stream hears, and all that it has ever heard.
  reach now;
  std::vector<reach> ever;
  /// Where it was when its stream began.
  event_id came_with;
};

struct published {
  std::string data;
  audience_ptr to;
  bool greeting = false;
  bool history = true;
  bool short_lived = false;
  retention value = retention::none;
  /// Hours that had passed.
  int hour = 0;
};

/// Publishers, and pages that come and go with their cursors, over several lives of herald, each of
/// which is killed with whatever is in its mailboxes. Every event that was acknowledged must reach
/// every page that it is for once, in order; a gap may be told only where the history was too
/// short.
class ReplayModel : public testing::actor_test, public ::testing::WithParamInterface<unsigned> {
protected:
  ReplayModel() {
    via = mock<delivery_actor>(
      [this](const attach_stream& m) { attach(m); },
      [](const refuse_stream&) { ADD_FAILURE() << "nothing is refused"; },
      [this](const close_stream& m) { end(m.stream.str()); },
      [this](const change_reach& m) { change(m); },
      [](const get_backlogs&) { return stream_backlogs{}; },
      [this](const deliver& m) {
        for (const auto& item : *m.batch)
          for (const auto& name : targets_of(item))
            deliver_to(name, *item.what);
      });
    publisher = own(system().spawn([this](caf::event_based_actor* self) -> caf::behavior {
      return {[this, self](const publish& command) {
        std::vector<std::string> said;
        for (const auto& d : command.drafts)
          said.push_back(d.data);
        self->request(registry, caf::infinite, command)
          .then(
            [this, said](const publish_receipt& receipt) {
              for (std::size_t i = 0; i < said.size(); ++i)
                acknowledged.emplace(receipt.ids.at(i), said[i]);
            },
            [](const caf::error&) {});
      }};
    }));
    history.max_events = 20 + pick(2) * 1000;
    for (int i = 0; i < 6; ++i) {
      auto& p = pages.emplace_back();
      p.id = "page" + std::to_string(i);
      p.asks = draws.asks();
    }
  }

  unsigned pick(unsigned n) { return std::uniform_int_distribution<unsigned>{0, n - 1}(random); }

  // The transport.

  void attach(const attach_stream& m) {
    const auto name = m.stream.str();
    attached.insert(name);
    hear(name, m.hears);
    auto missed = m.missed;
    if (name == visitor) {
      while (const auto what = missed.next())
        values[events.at(what->data).to->topics.front()] = what->id;
      return;
    }
    for (auto& p : pages)
      if (p.stream == name)
        begin_hearing(p, expected.at(name).front());
    expected[name].erase(expected[name].begin());
    while (const auto what = missed.next()) {
      const auto said = events.find(what->data);
      EXPECT_TRUE(said == events.end() || !said->second.short_lived || said->second.hour == hour)
        << what->data << " is over";
      EXPECT_TRUE(said == events.end() || said->second.history) << what->data << " is not kept";
      deliver_to(name, *what);
    }
    place(name, m.cursor);
  }

  void change(const change_reach& m) {
    const auto name = m.stream.str();
    ASSERT_FALSE(expected[name].empty());
    const auto due = expected[name].front();
    expected[name].erase(expected[name].begin());
    if (!attached.contains(name))
      return;
    hear(name, m.hears);
    EXPECT_EQ(index.reach_of(members.at(name)).patterns, due.patterns);
    for (auto& p : pages) {
      if (p.stream != name)
        continue;
      for (const auto& value : m.values) {
        const auto& said = events.at(value->data);
        EXPECT_EQ(said.value, retention::keep);
        EXPECT_TRUE(testing::rule_is_for(said.to, due)) << "a value for others";
        EXPECT_FALSE(testing::rule_is_for(said.to, p.now)) << "a value that it was given before";
      }
      begin_hearing(p, due);
    }
  }

  static void begin_hearing(page& p, reach hears) {
    p.now = std::move(hears);
    p.ever.push_back(p.now);
    p.came_with = p.cursor;
  }

  void hear(const std::string& stream, const reach_ptr& hears) {
    const auto number = static_cast<audience_index::member>(members.size());
    index.set(members.try_emplace(stream, number).first->second, hears ? *hears : reach{});
  }

  void end(const std::string& stream) {
    attached.erase(stream);
    if (const auto known = members.find(stream); known != members.end())
      index.remove(known->second);
  }

  /// As loops find them.
  std::vector<std::string> targets_of(const delivery& item) {
    if (item.only)
      return {item.only->str()};
    std::set<std::string> names;
    const bool broadcast = !item.some || item.some->to->everyone();
    std::vector<audience_index::member> found;
    if (!broadcast)
      index.find(*item.some->to, found);
    for (const auto& name : attached) {
      const auto number = members.at(name);
      if (
        broadcast ? index.hears_broadcast(number)
                  : std::find(found.begin(), found.end(), number) != found.end())
        names.insert(name);
    }
    if (item.some && item.some->page)
      names.insert(item.some->page->str());
    if (item.some)
      for (const auto& stream : item.some->except)
        names.erase(stream.str());
    return {names.begin(), names.end()};
  }

  void deliver_to(const std::string& stream, const event& what) {
    if (!attached.contains(stream))
      return;
    const auto owner =
      std::find_if(pages.begin(), pages.end(), [&](const page& p) { return p.stream == stream; });
    if (owner == pages.end())
      return; // The page has closed it.
    if (what.name == "gap") {
      owner->gaps.emplace_back(owner->came_with, what.id);
      owner->cursor = what.id;
      return;
    }
    ASSERT_GT(what.id, owner->cursor) << owner->id << " got an event again, or out of order";
    owner->cursor = what.id;
    owner->got.push_back(what.id);
    const auto [known, fresh] = data_of.emplace(what.id, what.data);
    ASSERT_EQ(known->second, what.data) << "one id, two events";
    ASSERT_TRUE(testing::rule_is_for(events.at(what.data).to, owner->now))
      << "somebody else's event";
  }

  /// The opening block of a stream.
  void place(const std::string& stream, event_id live_from) {
    for (auto& p : pages) {
      if (p.stream != stream)
        continue;
      ASSERT_GE(live_from, p.cursor) << p.id << " is sent back";
      p.cursor = live_from;
      // The first time it gets what comes from here on.
      start_of.emplace(p.id, live_from);
    }
  }

  // The lives of herald.

  void begin_life() {
    // The clock may have been set back meanwhile.
    const auto clock = std::chrono::system_clock::now() - std::chrono::hours{pick(3)};
    auto past = recover_journal({dir / "journal.db", journal_sync::off}, clock);
    ASSERT_TRUE(past) << describe(past.error()).detail;
    hour += static_cast<int>(pick(2));
    for (auto* list : {&past->snapshot.events, &past->snapshot.values})
      for (auto& one : *list)
        one.at -= std::chrono::hours{hour - events.at(one.what.what->data).hour};
    recall_topics(past->snapshot.topics);
    log = own(journal_actor{spawn_supervised<journal::interface, journal>(
      system(), {"journal", {}, nullptr},
      journal::builder(
        std::make_unique<testing::full_disk_store>(std::move(past->file), random, 12), {},
        numbers))});
    registry_memory memory;
    memory.journal = log;
    memory.events = std::move(past->snapshot.events);
    memory.values = std::move(past->snapshot.values);
    memory.topics = std::move(past->snapshot.topics);
    memory.history_floor = past->snapshot.history_floor;
    memory.last_id = past->snapshot.ids_upto;
    memory.ids_reserved = past->ids_reserved;
    registry = own(connection_registry_actor{spawn_connection_registry(
      system(), {"connection-registry", {}, nullptr}, {history}, numbers, std::move(memory))});
    check_values();
  }

  /// What a page has changed is what it was at some moment of the last life.
  void recall_topics(const std::vector<topics_kept>& kept) {
    for (auto& p : pages) {
      page::topic_changes known;
      for (const auto& one : kept)
        if (one.id.str() == p.id)
          known = {{one.added.begin(), one.added.end()}, {one.removed.begin(), one.removed.end()}};
      p.in_this_life.push_back(p.changes);
      EXPECT_NE(
        std::find(p.in_this_life.begin(), p.in_this_life.end(), known), p.in_this_life.end())
        << p.id << " has never changed its topics like that";
      p.changes = known;
      p.in_this_life = {known};
    }
  }

  /// Each topic has the last value that was acknowledged, or one that was published after it.
  void check_values() {
    values.clear();
    reach all;
    all.patterns = {"*"};
    inject(
      registry, open_connection{
                  request_id{visitor}, token::from_text(visitor), "", transport_kind::embedded, via,
                  nullptr, std::nullopt, std::make_shared<const reach>(all)});
    drain();
    inject(registry, stream_closed{token::from_text(visitor)});
    drain();
    end(visitor);
    std::map<std::string, std::pair<event_id, retention>> last;
    for (const auto& [id, data] : acknowledged)
      if (const auto& said = events.at(data); said.value != retention::none)
        last[said.to->topics.front()] = {id, said.value};
    for (const auto& [topic, op] : last) {
      const auto found = values.find(topic);
      if (op.second == retention::forget)
        EXPECT_TRUE(found == values.end() || found->second > op.first) << topic << " is forgotten";
      else if (found != values.end())
        EXPECT_GE(found->second, op.first) << topic << " has had a later value";
      else
        EXPECT_TRUE(maybe_forgotten.contains(topic)) << topic << " has lost its value";
    }
  }

  void kill() {
    for (const auto& actor :
         {caf::actor_cast<caf::strong_actor_ptr>(registry),
          caf::actor_cast<caf::strong_actor_ptr>(log)}) {
      const auto handle = caf::actor_cast<caf::actor>(actor);
      // Before everything that waits in the mailbox.
      caf::anon_send_exit(handle, caf::exit_reason::kill);
      scheduler().prioritize(handle);
    }
    registry = connection_registry_actor{};
    log = journal_actor{};
    drain();
    // Streams are gone with the process, and what was on its way to them.
    for (const auto& name : std::set{attached})
      end(name);
    expected.clear();
    for (auto& p : pages)
      p.stream.clear();
  }

  // The steps.

  void publish_some() {
    publish command;
    command.wait = pick(4) == 0;
    for (auto n = 1 + pick(4); n > 0; --n) {
      published said;
      said.data = "event " + std::to_string(events.size());
      said.hour = hour;
      said.greeting = pick(8) == 0;
      draft d;
      d.name = said.greeting ? "version" : "note";
      d.service = said.greeting ? service_type::version : service_type::event;
      if (said.greeting || pick(5) == 0) {
        said.to = audience_of_page(request_id{"page" + std::to_string(pick(8))});
      } else if (pick(5) == 0) {
        audience topic;
        topic.topics.push_back(draws.topic());
        said.value = pick(4) == 0 ? retention::forget : retention::keep;
        if (said.value == retention::forget)
          maybe_forgotten.insert(topic.topics.front());
        said.to = std::make_shared<const audience>(std::move(topic));
      } else {
        said.history = pick(6) != 0;
        if (pick(2) == 0)
          said.to = draws.audience();
        if (pick(6) == 0) {
          said.short_lived = true;
          d.ttl = 30min;
        }
      }
      d.data = said.data;
      d.to = said.to;
      d.history = said.history;
      d.value = said.value;
      command.drafts.push_back(std::move(d));
      events.emplace(said.data, said);
    }
    inject(publisher, std::move(command));
  }

  void connect(page& p) {
    p.stream = "stream" + std::to_string(++streams);
    open_connection command{
      request_id{p.id}, token::from_text(p.stream), "", transport_kind::embedded, via, nullptr};
    command.asks = p.asks;
    if (p.cursor != event_id{})
      command.last_event_id = to_string(p.cursor);
    else
      set_changes(p, {});
    expected[p.stream].push_back(hears_of(p));
    inject(registry, std::move(command));
  }

  static void set_changes(page& p, page::topic_changes changes) {
    p.in_this_life.push_back(std::exchange(p.changes, std::move(changes)));
  }

  static reach hears_of(const page& p) {
    auto hears = p.asks ? *p.asks : reach{};
    hears.page = request_id{p.id};
    const auto patterns = testing::rule_changed(
      {hears.patterns.begin(), hears.patterns.end()}, p.changes.first, p.changes.second);
    hears.patterns.assign(patterns.begin(), patterns.end());
    return hears;
  }

  void change_some(page& p) {
    const change_topics command{request_id{p.id}, draws.patterns(2), draws.patterns(2)};
    const std::set<std::string> remove{command.remove.begin(), command.remove.end()};
    const auto add = testing::rule_changed({command.add.begin(), command.add.end()}, {}, remove);
    set_changes(
      p, {testing::rule_changed(p.changes.first, add, remove),
          testing::rule_changed(p.changes.second, remove, add)});
    expected[p.stream].push_back(hears_of(p));
    inject(registry, command);
  }

  void leave(page& p) {
    inject(registry, stream_closed{token::from_text(p.stream)});
    end(p.stream);
    p.stream.clear();
  }

  void step_some() {
    for (auto steps = pick(12); steps > 0 && step(); --steps) {
    }
  }

  void happen() {
    auto& p = pages[pick(static_cast<unsigned>(pages.size()))];
    switch (pick(11)) {
    case 0:
    case 1:
      if (!p.stream.empty())
        leave(p);
      break;
    case 2:
    case 3:
    case 4:
      connect(p);
      break;
    case 5:
      if (!p.stream.empty())
        change_some(p);
      break;
    default:
      publish_some();
    }
    step_some();
  }

  void check(const page& p) const {
    if (!start_of.contains(p.id))
      return;
    const std::set<event_id> got(p.got.begin(), p.got.end());
    for (const auto& [id, data] : acknowledged) {
      if (id <= start_of.at(p.id) || got.contains(id))
        continue;
      const auto& said = events.at(data);
      const bool in_gap = std::any_of(p.gaps.begin(), p.gaps.end(), [id = id](const auto& gap) {
        return gap.first < id && id <= gap.second;
      });
      // Where it hears something else by now, it may have done so when that came.
      const bool heard = std::all_of(p.ever.begin(), p.ever.end(), [&](const reach& hears) {
        return testing::rule_is_for(said.to, hears);
      });
      EXPECT_TRUE(!heard || said.greeting || !said.history || said.short_lived || in_gap)
        << p.id << " never got " << data;
    }
    if (history.max_events > 1000) {
      EXPECT_TRUE(p.gaps.empty()) << p.id << " was told of a gap, and nothing is evicted";
    }
  }

  std::mt19937 random{GetParam()};
  testing::temporary_folder dir;
  history_limits history{20, 1 << 20, 240h};
  metrics numbers;
  caf::actor publisher;
  delivery_actor via;
  journal_actor log;
  connection_registry_actor registry;

  testing::audience_draws draws{
    [this](std::size_t n) { return pick(static_cast<unsigned>(n)); },
    {"page0", "page1", "page2", "page3", "page4", "page5", "page6", "page7"}};
  std::vector<page> pages;
  std::set<std::string> attached;
  /// By stream: what it is to hear with its next order.
  std::map<std::string, std::vector<reach>> expected;
  audience_index index;
  std::map<std::string, audience_index::member> members;
  const std::string visitor = "visitor";
  /// What the visitor was given, by topic.
  std::map<std::string, event_id> values;
  std::set<std::string> maybe_forgotten;
  int hour = 0;
  std::map<std::string, published> events;
  std::map<event_id, std::string> data_of;
  /// Of pages that were told from where they are live.
  std::map<std::string, event_id> start_of;
  std::map<event_id, std::string> acknowledged;
  std::size_t streams = 0;
};

TEST_P(ReplayModel, LosesAndRepeatsNothingOverItsLives) {
  for (int life = 0; life < 4 && !HasFailure(); ++life) {
    begin_life();
    for (auto i = 20 + pick(60); i > 0 && !HasFailure(); --i)
      happen();
    kill();
  }
  // At last everybody comes back and gets what is left.
  begin_life();
  for (auto& p : pages)
    connect(p);
  drain();
  for (const auto& p : pages)
    check(p);
  EXPECT_FALSE(acknowledged.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReplayModel, ::testing::Range(0u, 150u));

} // namespace
} // namespace herald
