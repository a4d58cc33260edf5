// What the browsers, observers, publishers and tasks of a rules_world have seen, held against the
// models.

#include <algorithm>
#include <set>

#include <caf/scoped_actor.hpp>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "messages/type_ids.hpp"
#include "messages/wire/version_json.hpp"
#include "tests/support/audience_rules.hpp"
#include "tests/support/rules_world.hpp"

namespace herald::testing {

using json = nlohmann::json;

/// Each stream has had what was due to it, in order, once; one whose browser left early, the front.
void rules_world::compare_streams() {
  for (const auto& b : browsers_) {
    const auto& due = streams_->streams().at(b.stream.str());
    if (b.left) {
      const auto size = std::min(b.received.size(), due.due.size());
      const std::vector<wire_event> front{
        due.due.begin(), due.due.begin() + static_cast<std::ptrdiff_t>(size)};
      EXPECT_EQ(b.received, front) << b.stream.str() << ", whose browser left";
    } else {
      EXPECT_EQ(b.received, due.due) << b.stream.str();
      EXPECT_EQ(b.ended, !due.open) << b.stream.str();
    }
  }
}

/// A page that came back with its cursor has, over all its streams, each event once, in order, and
/// misses none, except what a gap has told of.
void rules_world::compare_pages() {
  std::map<std::uint64_t, const stream_rules::published*> by_id;
  for (const auto& p : streams_->everything())
    by_id[p.id] = &p;
  for (const auto& p : pages_) {
    const auto& last = browsers_.at(p.streams.back());
    if (!p.plain || !last.alive() || !streams_->streams().at(last.stream.str()).open)
      continue;
    std::set<std::uint64_t> had;
    std::uint64_t gap = 0;
    bool has_version = false;
    bool has_pending = false;
    const auto pending = versions_.pending().find(p.id);
    const auto want =
      pending == versions_.pending().end() ? "" : "version=" + version_data(pending->second);
    for (const auto stream : p.streams) {
      for (const auto& e : browsers_.at(stream).received) {
        has_version = has_version || e.text.starts_with("version=");
        has_pending = has_pending || e.text == want;
        if (e.id == 0)
          continue;
        if (e.text.starts_with("gap=")) {
          gap = e.id;
          ++counts_.gaps;
          continue;
        }
        if (e.text == opening_block) {
          EXPECT_TRUE(had.empty() || e.id >= *had.rbegin()) << p.id << " was sent back to " << e.id;
          continue;
        }
        EXPECT_TRUE(had.empty() || e.id > *had.rbegin()) << p.id << " was sent again " << e;
        had.insert(e.id);
      }
    }
    const auto& first = browsers_.at(p.streams.front()).stream.str();
    auto hears = p.asks ? *p.asks : reach{};
    hears.page = request_id{p.id};
    for (const auto& [id, e] : by_id) {
      if (
        e->kept && e->ttl.count() == 0 && id > gap
        && id > streams_->streams().at(first).opened_after && rule_is_for(e->to, hears)) {
        EXPECT_TRUE(had.contains(id)) << p.id << " of " << first << " misses " << e->event;
      }
    }
    EXPECT_TRUE(want.empty() || has_pending) << p.id << " lacks its pending " << want;
    EXPECT_TRUE(has_version || !has_source_) << p.id << " has no version at all";
  }
}

/// Nobody is skipped, nobody is told twice, and one that crashes takes nothing from the others.
void rules_world::compare_observers() {
  EXPECT_EQ(told_["store"], streams_->facts("store"));
  for (const auto& [name, observer] : observers_) {
    auto due = streams_->facts(name);
    if (broken_[name])
      due.resize(std::min(due.size(), told_[name].size()));
    EXPECT_EQ(told_[name], due) << name;
  }
}

void rules_world::compare_versions() {
  EXPECT_EQ(versions_.next_draft(), std::nullopt) << "a version was not published";
  for (int i = 0; i < 5; ++i) {
    const request_id id{"r" + std::to_string(i)};
    caf::scoped_actor self{system_, true};
    auto pending = self->request(store_, caf::infinite, get_pending_version{id});
    chaos_.drain();
    const auto found = versions_.pending().find(id.str());
    const bool due = found != versions_.pending().end();
    pending.receive(
      [&](const pending_version& version) {
        EXPECT_TRUE(due) << id.str();
        if (due) {
          EXPECT_EQ(version_data(version), version_data(found->second));
        }
      },
      [&](const caf::error&) { EXPECT_FALSE(due) << id.str(); });
  }
}

/// The events of each task tell one life: started, progress that never falls, one end, silence.
void rules_world::compare_tasks() {
  std::map<std::string, std::vector<json>> lives;
  for (const auto& p : streams_->everything()) {
    if (p.service != service_type::task)
      continue;
    EXPECT_EQ(p.to, nullptr);
    auto event = json::parse(p.event.text.substr(std::string_view{"task_event="}.size()));
    lives[event.at("task_id")].push_back(std::move(event));
  }
  EXPECT_LE(lives.size(), tasks_.size());
  for (const auto& id : tasks_) {
    auto& life = lives[id.str()];
    ASSERT_FALSE(life.empty());
    static const std::set<std::string> ends = {"task_completed", "task_failed", "task_cancelled"};
    double progress = 0.0;
    for (std::size_t i = 0; i < life.size(); ++i) {
      const std::string type = life[i].at("event_type");
      const bool end = i + 1 == life.size();
      EXPECT_EQ(life[i].at("seq"), i + 1) << id.str();
      EXPECT_EQ(ends.contains(type), end) << id.str() << " " << type;
      EXPECT_EQ(type == "task_started", i == 0 && !(end && type == "task_cancelled"))
        << id.str() << " " << type;
      if (type != "progress_update")
        continue;
      const double value = life[i].at("data").at("value");
      EXPECT_GE(value, progress) << id.str();
      EXPECT_LE(value, 1.0) << id.str();
      progress = value;
    }
    caf::scoped_actor self{system_, true};
    auto pending = self->request(runner_, caf::infinite, get_task{id});
    chaos_.drain();
    pending.receive(
      [&](const task_view& task) {
        EXPECT_EQ("task_" + std::string{to_string(task.status)}, life.back().at("event_type"));
        EXPECT_EQ(task.progress, progress) << "the last progress was not told";
        EXPECT_EQ(task.seq, life.size());
      },
      [&](const caf::error&) { ADD_FAILURE() << id.str() << " is forgotten"; });
  }
}

} // namespace herald::testing
