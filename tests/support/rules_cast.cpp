// The actors around the real ones in a rules_world, all played.

#include "tests/support/rules_world.hpp"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <gtest/gtest.h>

#include "actors/idempotency/idempotency.hpp"
#include "actors/registry/connection_registry.hpp"
#include "actors/tasks/task_runner.hpp"
#include "actors/versions/version_store.hpp"
#include "messages/type_ids.hpp"
#include "messages/wire/version_json.hpp"
#include "tests/support/audiences.hpp"

namespace herald::testing {

namespace {

using namespace std::chrono_literals;

registry_limits small(const rules_limits& limits) {
  registry_limits made;
  made.history = {limits.history, 1 << 20, limits.max_age};
  made.retain = {limits.values, 1 << 20, limits.values_replayed};
  made.max_topics = limits.topics;
  return made;
}

task_options few_workers() {
  task_options options;
  options.workers = 2;
  options.progress_interval = 50ms;
  // Hours may pass.
  options.timeout_s = {};
  options.external_timeout_s = {};
  options.retention_s = 10'000h;
  return options;
}

} // namespace

rules_world::rules_world(
  caf::actor_system& system, caf::scheduler::test_coordinator& scheduler, metrics& numbers,
  unsigned seed)
  : system_(system),
    scheduler_(scheduler),
    chaos_(scheduler, seed),
    draws_([this](std::size_t n) { return chaos_.below(n); }, {"r0", "r1", "r2", "r3", "r4"}),
    versions_(seed % 2 == 0),
    has_source_(seed % 2 == 0) {
  registry_ = own(connection_registry_actor{
    spawn_connection_registry(system_, {"connection-registry", {}, &numbers}, small({}), numbers)});
  source_ = own(caf::actor_cast<source_actor>(spawn_source()));
  store_ = own(version_store_actor{spawn_version_store(
    system_, {"version-store", {}, &numbers}, {}, spawn_store_publisher(),
    has_source_ ? version_source_actor{source_} : version_source_actor{}, numbers)});
  workers_.resize(few_workers().workers);
  runner_ = own(task_runner_actor{spawn_task_runner(
    system_, {"task-runner", {}, &numbers}, few_workers(), spawn_task_publisher(), numbers,
    [this](const task_runner_actor& runner, std::size_t number) {
      return spawn_worker(runner, number);
    })});
  keys_ = own(idempotency_actor{spawn_idempotency(
    system_, {"idempotency", {}, &numbers}, {idempotency_time, 1 << 20}, numbers,
    {store_, registry_})});
  for (std::size_t i = 0; i < 3; ++i) {
    transports_.push_back(spawn_transport(i));
    hearers_.push_back(std::make_unique<audience_index>());
    clients_.push_back(spawn_client());
  }

  // The first event tells where the ids of this registry start.
  publish probe;
  probe.drafts.push_back({"probe", "0", {}, service_type::event});
  caf::scoped_actor self{system_, true};
  auto pending = self->request(registry_, caf::infinite, probe);
  chaos_.drain();
  pending.receive(
    [this](const publish_receipt& receipt) {
      streams_.emplace(receipt.ids.at(0).value, rules_limits{});
    },
    [](const caf::error&) { FAIL() << "the registry refuses the first event"; });
  streams_->publish(probe);
  streams_->observe("store");
  caf::anon_send(registry_, add_observer{spawn_store_observer()});
}

rules_world::~rules_world() {
  for (const auto& actor : owned_)
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  chaos_.drain();
  scheduler_.trigger_timeouts();
  chaos_.drain();
}

delivery_actor rules_world::spawn_transport(std::size_t index) {
  const auto start = [this, index](delivery_actor::pointer) -> delivery_actor::behavior_type {
    return {
      [this, index](const attach_stream& m) {
        auto* b = find(m.stream);
        const bool opens = b != nullptr && !std::exchange(b->attached, true);
        hear(index, m.stream, m.hears);
        for (auto missed = m.missed; const auto what = missed.next();)
          deliver_one(index, {what, m.stream});
        if (opens && b->alive())
          b->received.push_back({m.cursor.value, opening_block});
      },
      [](const refuse_stream&) { ADD_FAILURE() << "the registry refuses no stream"; },
      [this](const close_stream& m) {
        auto* b = find(m.stream);
        if (b == nullptr || b->ended)
          return;
        b->ended = true;
        if (m.farewell && !b->left)
          b->received.push_back({m.farewell->id.value, m.farewell->name + "=" + m.farewell->data});
      },
      [this, index](const change_reach& m) {
        hear(index, m.stream, m.hears);
        for (const auto& value : m.values)
          deliver_one(index, {value, m.stream});
        counts_.values += m.values.size();
        auto* b = find(m.stream);
        if (!m.values.empty() && b != nullptr && b->alive())
          b->received.push_back({m.cursor.value, opening_block});
      },
      [](const get_backlogs&) { return stream_backlogs{}; },
      [this, index](const deliver& m) {
        std::size_t written = 0;
        for (const auto& item : *m.batch)
          written += deliver_one(index, item);
        if (m.ticket == 0)
          return;
        if (unsettled_ == 0 && chaos_.chance(20))
          ++unsettled_; // its answer comes when the wait is over
        else
          caf::anon_send(registry_, delivery_settled{m.ticket, written});
      }};
  };
  return own(delivery_actor{system_.spawn(start)});
}

void rules_world::hear(std::size_t transport, const token& stream, const reach_ptr& hears) {
  const auto* b = find(stream);
  if (b == nullptr)
    return;
  const auto number = static_cast<audience_index::member>(b - browsers_.data());
  hearers_.at(transport)->set(number, hears ? *hears : reach{});
}

std::vector<rules_world::browser*>
rules_world::targets_of(std::size_t transport, const delivery& item) {
  std::vector<audience_index::member> numbers;
  const auto number_of = [this](const token& stream) {
    return static_cast<audience_index::member>(find(stream) - browsers_.data());
  };
  const auto& hearers = *hearers_.at(transport);
  if (item.only) {
    numbers.push_back(number_of(*item.only));
  } else if (!item.some || item.some->to->everyone()) {
    for (audience_index::member i = 0; i < browsers_.size(); ++i)
      if (browsers_[i].transport == transport && hearers.hears_broadcast(i))
        numbers.push_back(i);
  } else {
    hearers.find(*item.some->to, numbers);
    if (item.some->page)
      numbers.push_back(number_of(*item.some->page));
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  }
  if (item.some)
    for (const auto& stream : item.some->except)
      std::erase(numbers, number_of(stream));
  std::vector<browser*> targets;
  for (const auto i : numbers)
    targets.push_back(&browsers_.at(i));
  return targets;
}

std::size_t rules_world::deliver_one(std::size_t transport, const delivery& item) {
  std::size_t written = 0;
  for (auto* b : targets_of(transport, item)) {
    EXPECT_EQ(b->transport, transport) << "a stream of another transport";
    const bool by_name = item.only || (item.some && item.some->page == b->stream);
    if (!write_to(*b, *item.what, by_name))
      continue;
    ++written;
    counts_.addressed += item.some ? 1 : 0;
  }
  return written;
}

/// Whether it is there; one that is not is reported, if it was to get this alone or was known.
bool rules_world::write_to(browser& b, const event& what, bool by_name) {
  if (b.attached && b.alive()) {
    b.received.push_back({what.id.value, what.name + "=" + what.data});
    return true;
  }
  EXPECT_TRUE(b.attached || !b.alive() || !by_name)
    << "an event overtook the attachment of its stream";
  // Found to be gone; and every further event for it alone finds so again.
  if ((!b.attached || b.ended) && !by_name)
    return false;
  b.ended = true;
  const auto report = [this, stream = b.stream] {
    tell_failed(stream);
  };
  if (chaos_.chance(2))
    late_.emplace_back(report);
  else
    report();
  return false;
}

rules_world::client rules_world::spawn_client() {
  client c;
  c.jobs = std::make_shared<std::vector<std::function<void()>>>();
  client_actor::pointer inside = nullptr;
  const auto start = [jobs = c.jobs,
                      &inside](client_actor::pointer self) -> client_actor::behavior_type {
    inside = self;
    return {[jobs](const flush&) {
      const auto job = std::move(jobs->front());
      jobs->erase(jobs->begin());
      job();
    }};
  };
  c.actor = own(client_actor{system_.spawn(start)});
  chaos_.drain();
  c.self = inside;
  return c;
}

publisher_actor rules_world::spawn_store_publisher() {
  const auto start = [this](publisher_actor::pointer self) -> publisher_actor::behavior_type {
    return {[this, self](const publish& m) {
      for (const auto& d : m.drafts) {
        EXPECT_EQ(d.name, "version");
        const auto due = versions_.next_draft();
        EXPECT_EQ(
          (page_of(d.to) ? page_of(d.to)->str() : "all") + " " + d.data, due.value_or("nothing"));
        counts_.greetings += !d.to ? 0 : 1;
      }
      streams_->publish(m);
      return self->delegate(registry_, m);
    }};
  };
  return own(publisher_actor{system_.spawn(start)});
}

publisher_actor rules_world::spawn_task_publisher() {
  const auto start = [this](publisher_actor::pointer self) -> publisher_actor::behavior_type {
    return {[this, self](const publish& m) {
      streams_->publish(m);
      return self->delegate(registry_, m);
    }};
  };
  return own(publisher_actor{system_.spawn(start)});
}

observer_actor rules_world::spawn_store_observer() {
  const auto start = [this](observer_actor::pointer self) -> observer_actor::behavior_type {
    return {
      [this, self](const connections_opened& m) {
        for (const auto& text : describe_facts(m))
          told_["store"].push_back(text);
        for (const auto& one : m.all)
          versions_.opened(one);
        return self->delegate(store_, m);
      },
      [this, self](const connection_closed& m) {
        told_["store"].push_back(describe_fact(m));
        versions_.closed(m);
        return self->delegate(store_, m);
      }};
  };
  return own(observer_actor{system_.spawn(start)});
}

observer_actor rules_world::spawn_observer(const std::string& name, std::size_t kind) {
  enum behaviour : std::uint8_t { good, crashes, refuses, mute };
  const auto crash_after = chaos_.below(6);
  auto promises = std::make_shared<std::vector<caf::response_promise>>();
  const auto start = [=, this](observer_actor::pointer self) -> observer_actor::behavior_type {
    // As CAF does it, without the line on the console.
    self->set_exception_handler([](caf::scheduled_actor*, std::exception_ptr&) -> caf::error {
      return caf::exit_reason::unhandled_exception;
    });
    const auto told = [=, this](const std::vector<std::string>& news) -> result<void> {
      auto& facts = told_[name];
      if (kind == crashes && facts.size() >= crash_after) {
        broken_[name] = true;
        ++counts_.broken_observers;
        throw std::runtime_error("observer crashes");
      }
      facts.insert(facts.end(), news.begin(), news.end());
      if (kind == refuses)
        return fail(ec::internal, "observer refuses");
      if (kind == mute) {
        promises->push_back(self->make_response_promise());
        return promises->back();
      }
      return caf::unit;
    };
    return {
      [told](const connections_opened& m) { return told(describe_facts(m)); },
      [told](const connection_closed& m) {
        return told({describe_fact(m)});
      }};
  };
  return own(observer_actor{system_.spawn(start)});
}

version_source_actor rules_world::spawn_source() {
  using promise = caf::typed_response_promise<version_document>;
  const auto start = [this](source_actor::pointer self) -> source_actor::behavior_type {
    auto asked = std::make_shared<promise>();
    return {
      [this, self, asked](const fetch_version&) -> result<version_document> {
        EXPECT_FALSE(fetching_) << "one fetch at a time";
        fetching_ = true;
        *asked = self->make_response_promise<version_document>();
        return *asked;
      },
      [this, asked](const version_document& document) {
        versions_.fetched(document.json);
        asked->deliver(document);
      },
      [this, asked](const failure& why) {
        versions_.fetched(unknown_version_data(why.detail));
        asked->deliver(fail(why.code, why.detail));
      }};
  };
  return source_actor{system_.spawn(start)};
}

task_worker_actor rules_world::spawn_worker(const task_runner_actor& runner, std::size_t number) {
  const auto start = [this, number,
                      runner](task_worker_actor::pointer) -> task_worker_actor::behavior_type {
    caf::anon_send(runner, worker_idle{number});
    return {
      [this, number](const run_task& m) {
        auto& w = workers_.at(number);
        EXPECT_FALSE(w.task) << "a worker was given two tasks at a time";
        w.task = m.id;
        w.progress = 0.0;
      },
      [this, number, runner](const abort_task& m) {
        auto& w = workers_.at(number);
        if (w.task != m.id)
          return;
        w.former = std::exchange(w.task, std::nullopt);
        caf::anon_send(runner, worker_idle{number});
      }};
  };
  return own(task_worker_actor{system_.spawn(start)});
}

} // namespace herald::testing
