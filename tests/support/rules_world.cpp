// What is done in a rules_world, and in which order.

#include "tests/support/rules_world.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <gtest/gtest.h>

#include "actors/tasks/task_options.hpp"
#include "messages/type_ids.hpp"

namespace herald::testing {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_browsers = 14;

} // namespace

void rules_world::tell_open(const open_connection& command) {
  counts_.replacements += streams_->holder(command.id.str()) != nullptr ? 1 : 0;
  streams_->open(command);
  // A loop tells of many at once.
  if (chaos_.chance(2))
    caf::anon_send(registry_, open_connections{{command}});
  else
    caf::anon_send(registry_, command);
}

void rules_world::tell_closed(const token& stream, end_reason reason) {
  streams_->closed(stream, reason);
  caf::anon_send(registry_, stream_closed{stream, reason});
}

void rules_world::tell_failed(const token& stream) {
  const auto known = streams_->streams().find(stream.str());
  counts_.late_failures += known == streams_->streams().end() || !known->second.open ? 1 : 0;
  streams_->closed(stream, end_reason::error);
  caf::anon_send(registry_, delivery_failed{stream, "404"});
}

void rules_world::ask(std::function<void(client_actor::pointer)> what) {
  const auto& c = clients_.at(chaos_.below(clients_.size()));
  c.jobs->emplace_back([what = std::move(what), self = c.self] { what(self); });
  caf::anon_send(c.actor, flush{});
}

std::string rules_world::fresh(const char* prefix) {
  return prefix + std::to_string(++serial_);
}

rules_world::browser* rules_world::find(const token& stream) {
  const auto found = std::find_if(
    browsers_.begin(), browsers_.end(), [&](const browser& b) { return b.stream == stream; });
  return found == browsers_.end() ? nullptr : &*found;
}

rules_world::browser* rules_world::pick(const std::function<bool(const browser&)>& which) {
  std::vector<browser*> fitting;
  for (auto& b : browsers_)
    if (which(b))
      fitting.push_back(&b);
  return fitting.empty() ? nullptr : fitting.at(chaos_.below(fitting.size()));
}

void rules_world::run() {
  play();
  come_to_rest();
  compare_streams();
  compare_pages();
  compare_observers();
  compare_versions();
  compare_tasks();
  EXPECT_EQ(answered_, asked_) << "a request was never answered";
}

void rules_world::play() {
  using act = void (rules_world::*)();
  // As often as they stand here.
  static constexpr act acts[] = {
    &rules_world::open_page,
    &rules_world::open_page,
    &rules_world::open_page,
    &rules_world::return_page,
    &rules_world::return_page,
    &rules_world::return_page,
    &rules_world::repeat_open,
    &rules_world::reopen_dead,
    &rules_world::leave,
    &rules_world::leave,
    &rules_world::leave,
    &rules_world::release_late,
    &rules_world::release_late,
    &rules_world::stale_end,
    &rules_world::publish_something,
    &rules_world::publish_something,
    &rules_world::publish_something,
    &rules_world::publish_something,
    &rules_world::publish_something,
    &rules_world::publish_with_key,
    &rules_world::publish_with_key,
    &rules_world::publish_with_key,
    &rules_world::queue_something,
    &rules_world::queue_something,
    &rules_world::join_observer,
    &rules_world::answer_fetch,
    &rules_world::answer_fetch,
    &rules_world::close_something,
    &rules_world::close_subject,
    &rules_world::change_something,
    &rules_world::change_something,
    &rules_world::change_something,
    &rules_world::look_back,
    &rules_world::look_back,
    &rules_world::let_time_pass,
    &rules_world::send_something,
    &rules_world::list_open,
    &rules_world::do_task,
    &rules_world::do_task,
    &rules_world::work,
    &rules_world::work,
  };
  const auto count = 38 + chaos_.below(62);
  // In every second world herald begins to shut down in the last third.
  const auto end = chaos_.chance(2) ? count - chaos_.below(count / 3) : count;
  const auto move = chaos_.chance(10) ? chaos_.below(count) : count;
  for (std::size_t i = 0; i < count; ++i) {
    if (i == end)
      begin_to_end();
    if (i == move)
      move_token();
    (this->*acts[chaos_.below(std::size(acts))])();
    chaos_.steps(chaos_.below(6));
  }
}

void rules_world::open(page& p, std::optional<std::string> cursor) {
  browser b;
  b.stream = token::from_text(fresh("t"));
  b.transport = chaos_.below(transports_.size());
  p.streams.push_back(browsers_.size());
  browsers_.push_back(b);
  ++counts_.streams;
  note("open " + p.id + " " + b.stream.str() + (cursor ? " after " + *cursor : ""));
  tell_open(
    {request_id{p.id}, b.stream, "/", transport_kind::embedded, transports_.at(b.transport),
     nullptr, std::move(cursor), p.asks});
}

void rules_world::open_page() {
  if (browsers_.size() >= most_browsers)
    return;
  auto& p = pages_.emplace_back();
  p.id = some_id();
  p.asks = draws_.asks();
  open(p, std::nullopt);
}

void rules_world::return_page() {
  std::vector<page*> gone;
  for (auto& p : pages_)
    if (!browsers_.at(p.streams.back()).alive())
      gone.push_back(&p);
  if (gone.empty() || browsers_.size() >= 2 * most_browsers)
    return;
  auto& p = *gone.at(chaos_.below(gone.size()));
  std::uint64_t cursor = 0;
  for (const auto stream : p.streams)
    for (const auto& event : browsers_.at(stream).received)
      cursor = event.id != 0 ? event.id : cursor;
  if (cursor == 0)
    return;
  ++counts_.replays;
  if (chaos_.chance(5)) {
    p.asks = draws_.asks();
    p.plain = false;
  }
  // Now and then a cursor that nobody was given.
  const bool junk = chaos_.chance(30);
  p.plain = p.plain && !junk;
  open(p, junk ? "junk" : std::to_string(cursor));
}

/// A gateway may call back twice for one stream.
void rules_world::repeat_open() {
  const auto* b = pick([](const browser& x) { return x.alive(); });
  if (b == nullptr)
    return;
  const auto& known = streams_->streams().at(b->stream.str());
  if (!known.open)
    return;
  note("open again " + known.id + " " + b->stream.str());
  tell_open(
    {request_id{known.id}, b->stream, "/", transport_kind::embedded, transports_.at(b->transport),
     nullptr, chaos_.chance(2) ? std::optional<std::string>{"1"} : std::nullopt, draws_.asks()});
}

/// A callback so late that the stream has gone already: it replaces, and is found to be gone.
void rules_world::reopen_dead() {
  auto* b = chaos_.chance(3) ? pick([](const browser& x) { return x.ended; }) : nullptr;
  if (b == nullptr)
    return;
  b->left = true;
  b->ended = false;
  const auto& id = streams_->streams().at(b->stream.str()).id;
  for (auto& p : pages_)
    if (&browsers_.at(p.streams.back()) == b)
      p.plain = false;
  note("open late " + id + " " + b->stream.str());
  tell_open(
    {request_id{id}, b->stream, "/", transport_kind::embedded, transports_.at(b->transport),
     nullptr});
}

void rules_world::move_token() {
  const auto* b = pick([](const browser& x) { return x.alive(); });
  if (b == nullptr || !streams_->streams().at(b->stream.str()).open)
    return;
  for (auto& p : pages_)
    if (&browsers_.at(p.streams.back()) == b)
      p.plain = false;
  const auto id = some_id();
  note("move " + b->stream.str() + " to " + id);
  tell_open(
    {request_id{id}, b->stream, "/", transport_kind::embedded, transports_.at(b->transport),
     nullptr, std::nullopt, draws_.asks()});
}

/// A browser goes; its transport says so at once, late, twice, or finds out when it next writes.
void rules_world::leave() {
  auto* b = pick([](const browser& x) { return x.alive(); });
  if (b == nullptr)
    return;
  b->left = true;
  const auto how = chaos_.below(5);
  note("leave " + b->stream.str() + " " + std::to_string(how));
  if (how == 0)
    return;
  b->ended = true;
  const auto report = [this, stream = b->stream, failed = chaos_.chance(2)] {
    if (failed)
      tell_failed(stream);
    else
      tell_closed(stream, end_reason::client_closed);
  };
  if (how == 1)
    report();
  else
    late_.emplace_back(report);
  if (how == 2)
    late_.emplace_back(report);
}

void rules_world::release_late() {
  if (late_.empty())
    return;
  const auto which = late_.begin() + static_cast<std::ptrdiff_t>(chaos_.below(late_.size()));
  const auto report = std::move(*which);
  late_.erase(which);
  note("late report");
  report();
}

void rules_world::stale_end() {
  const auto* b = pick([](const browser& x) { return x.ended; });
  const auto stream =
    b != nullptr && !chaos_.chance(4) ? b->stream : token::from_text(fresh("unknown"));
  note("stale end " + stream.str());
  if (chaos_.chance(2))
    tell_failed(stream);
  else
    tell_closed(stream, end_reason::error);
}

draft rules_world::some_draft() {
  draft d{"note", fresh("e"), {}, service_type::event};
  if (chaos_.chance(5)) {
    audience topic;
    topic.topics.push_back(draws_.topic());
    d.to = std::make_shared<const audience>(std::move(topic));
    d.value = chaos_.chance(4) ? retention::forget : retention::keep;
  } else if (chaos_.chance(3)) {
    d.to = audience_of_page(request_id{some_id()});
  } else if (chaos_.chance(2)) {
    d.to = draws_.audience();
  }
  if (chaos_.chance(4))
    d.ttl = 30s;
  d.history = d.value != retention::none || !chaos_.chance(6);
  return d;
}

void rules_world::publish_something() {
  publish command;
  const auto count = chaos_.chance(3) ? 1 + chaos_.below(4) : 1;
  std::generate_n(std::back_inserter(command.drafts), count, [this] { return some_draft(); });
  command.wait = chaos_.chance(3);
  note("publish " + command.drafts.front().data + " and " + std::to_string(count - 1));
  ask([this, command](client_actor::pointer self) { request_publish(self, command); });
}

void rules_world::request_publish(const client_actor::pointer& self, publish command) {
  ++asked_;
  const auto due = streams_->publish(command);
  const bool waits = command.wait;
  self->request(registry_, caf::infinite, std::move(command))
    .then(
      [this, due, waits](const publish_receipt& receipt) {
        ++answered_;
        EXPECT_EQ(due.refused, ec::none);
        std::vector<std::uint64_t> ids;
        for (const auto& id : receipt.ids)
          ids.push_back(id.value);
        EXPECT_EQ(ids, due.ids);
        EXPECT_EQ(receipt.recipients, due.recipients);
        EXPECT_LE(receipt.delivered + receipt.failed, receipt.recipients);
        if (waits && unsettled_ == 0) {
          EXPECT_EQ(receipt.delivered + receipt.failed, receipt.recipients);
        }
      },
      [this, due](const caf::error& error) {
        ++answered_;
        ++counts_.refusals;
        EXPECT_EQ(describe(error).code, due.refused);
      });
}

void rules_world::queue_something() {
  queue_version command{request_id{some_id()}, fresh("v"), std::nullopt};
  if (chaos_.chance(2))
    command.changelog = "better";
  note("queue " + command.version + " for " + command.id.str());
  ask([this, command](client_actor::pointer self) {
    ++asked_;
    const bool taken = versions_.queue(command);
    self->request(store_, caf::infinite, command)
      .then(
        [this, taken](const version_queued&) {
          ++answered_;
          EXPECT_TRUE(taken);
        },
        [this, taken](const caf::error& error) {
          ++answered_;
          ++counts_.refusals;
          EXPECT_FALSE(taken);
          EXPECT_EQ(describe(error).code, ec::shutting_down);
        });
  });
}

void rules_world::join_observer() {
  if (!observers_.empty() && chaos_.chance(4)) {
    caf::anon_send(registry_, add_observer{observers_.begin()->second});
    return;
  }
  const auto name = fresh("observer");
  const auto kind = chaos_.below(4);
  note("join " + name + " " + std::to_string(kind));
  const auto observer = spawn_observer(name, kind);
  observers_.emplace(name, observer);
  streams_->observe(name);
  caf::anon_send(registry_, add_observer{observer});
}

void rules_world::answer_fetch() {
  if (!fetching_)
    return;
  fetching_ = false;
  note("answer the fetch");
  if (chaos_.chance(3))
    caf::anon_send(source_, failure{ec::upstream_timed_out, fresh("late"), {}});
  else
    caf::anon_send(source_, version_document{R"({"version":")" + fresh("current") + "\"}"});
}

std::function<void(const caf::error&)> rules_world::refusal_due(bool due, ec code) {
  return [this, due, code](const caf::error& error) {
    ++answered_;
    EXPECT_TRUE(due);
    EXPECT_EQ(describe(error).code, code);
  };
}

void rules_world::close_something() {
  const request_id id{some_id()};
  note("close " + id.str());
  ask([this, id](client_actor::pointer self) {
    ++asked_;
    const bool known = streams_->close(id);
    self->request(registry_, caf::infinite, close_connection{id})
      .then(
        [this, known] {
          ++answered_;
          EXPECT_TRUE(known);
        },
        refusal_due(!known, ec::no_such_connection));
  });
}

void rules_world::send_something() {
  const auto* b = pick([](const browser&) { return true; });
  if (b == nullptr)
    return;
  send_to_stream command{b->stream, std::nullopt, chaos_.chance(5)};
  if (!command.close || chaos_.chance(2))
    command.event = send_to_stream::message{"direct", fresh("d")};
  note("send to " + b->stream.str() + (command.close ? " and close" : ""));
  ask([this, command](client_actor::pointer self) {
    ++asked_;
    const bool known = streams_->send(command);
    self->request(registry_, caf::infinite, command)
      .then(
        [this, known](send_status) {
          ++answered_;
          EXPECT_TRUE(known);
        },
        refusal_due(!known, ec::no_such_stream));
  });
}

void rules_world::close_subject() {
  if (!chaos_.chance(4))
    return;
  note("close a subject");
  ask([this, subject = draws_.subject()](client_actor::pointer self) {
    ++asked_;
    const auto due = streams_->close_all(subject);
    self->request(registry_, caf::infinite, close_connections{subject})
      .then([this, due](const connections_ended& ended) {
        ++answered_;
        EXPECT_EQ(ended.count, due);
      });
  });
}

void rules_world::change_something() {
  change_topics command{request_id{some_id()}, draws_.patterns(3), draws_.patterns(2)};
  note("change what " + command.id.str() + " hears");
  ask([this, command](client_actor::pointer self) {
    ++asked_;
    for (auto& p : pages_)
      p.plain = p.plain && p.id != command.id.str();
    const auto due = streams_->change(command);
    self->request(registry_, caf::infinite, command)
      .then(
        [this, due](const topics_changed& changed) {
          ++answered_;
          ++counts_.changes;
          EXPECT_EQ(due.refused, ec::none);
          EXPECT_EQ(changed.patterns, due.patterns);
          EXPECT_EQ(changed.place.value, due.place);
        },
        [this, due](const caf::error& error) {
          ++answered_;
          EXPECT_EQ(describe(error).code, due.refused);
        });
  });
}

void rules_world::look_back() {
  list_events query;
  query.limit = 1 + chaos_.below(8);
  if (const auto& all = streams_->everything(); chaos_.chance(2))
    query.after = event_id{all.at(chaos_.below(all.size())).id + chaos_.below(3) - 1};
  if (chaos_.chance(2)) {
    const auto asks = draws_.asks();
    query.who = asks ? *asks : reach{};
    if (chaos_.chance(2))
      query.who->page = request_id{some_id()};
  }
  note("look back");
  ask([this, query](client_actor::pointer self) {
    ++asked_;
    self->request(registry_, caf::infinite, query)
      .then([this, due = streams_->look_back(query)](const event_page& page) {
        ++answered_;
        counts_.look_backs += page.events.empty() ? 0 : 1;
        std::vector<wire_event> found;
        for (const auto& one : page.events) {
          const auto& what = *one.event.what;
          found.push_back({what.id.value, what.name + "=" + what.data});
        }
        EXPECT_EQ(found, due.events);
        EXPECT_EQ(page.last.value, due.last);
        EXPECT_EQ(page.gap, due.gap);
      });
  });
}

/// What is under way comes to its end before, so that everybody agrees when that was.
void rules_world::let_time_pass() {
  if (!chaos_.chance(3))
    return;
  chaos_.drain();
  const auto time = chaos_.chance(4) ? std::chrono::minutes{120} : std::chrono::minutes{1};
  note(std::to_string(time.count()) + " minutes pass");
  streams_->pass(time);
  passed_ += time;
  scheduler_.advance_time(time);
  chaos_.drain();
}

void rules_world::list_open() {
  connection_filter which;
  if (chaos_.chance(3))
    which.topic = draws_.pattern();
  if (chaos_.chance(4))
    which.subject = draws_.subject();
  if (chaos_.chance(4))
    which.role = draws_.role();
  list_those(which);
}

void rules_world::list_those(const connection_filter& which) {
  ask([this, which](client_actor::pointer self) {
    ++asked_;
    self->request(registry_, caf::infinite, list_connections{0, 100, which})
      .then([this, due = streams_->connections(which)](const connection_page& page) {
        ++answered_;
        std::vector<std::string> open;
        for (const auto& c : page.connections)
          open.push_back(c.id.str() + " " + c.stream.str());
        EXPECT_EQ(open, due);
      });
  });
}

void rules_world::do_task() {
  if (tasks_.empty() || chaos_.chance(3)) {
    start_task command{chaos_.chance(2) ? external_type : demo_type, "{}"};
    ask([this, command](client_actor::pointer self) {
      ++asked_;
      self->request(runner_, caf::infinite, command)
        .then(
          [this, refused = ending_](const task_view& task) {
            ++answered_;
            ++counts_.tasks;
            EXPECT_FALSE(refused);
            tasks_.push_back(task.id);
          },
          [this, refused = ending_](const caf::error& error) {
            ++answered_;
            ++counts_.refusals;
            EXPECT_TRUE(refused);
            EXPECT_EQ(describe(error).code, ec::shutting_down);
          });
    });
    return;
  }
  const auto id = tasks_.at(chaos_.below(tasks_.size()));
  const auto what = chaos_.below(5);
  note("task report " + std::to_string(what));
  ask([this, id, what,
       value = static_cast<double>(chaos_.below(12)) / 10](client_actor::pointer self) {
    ++asked_;
    const auto done = [this](const task_view&) {
      ++answered_;
    };
    const auto refused = [this](const caf::error&) {
      ++answered_;
    };
    const auto to = caf::infinite;
    if (what == 0)
      self->request(runner_, to, report_completion{id, R"({"done":true})"}).then(done, refused);
    else if (what == 1)
      self->request(runner_, to, report_failure{id, "broke"}).then(done, refused);
    else if (what == 2)
      self->request(runner_, to, cancel_task{id}).then(done, refused);
    else
      self->request(runner_, to, report_progress{id, value, std::nullopt}).then(done, refused);
  });
}

/// A worker reports, ends, crashes, or speaks of a task that it does not have any more.
void rules_world::work() {
  scheduler_.advance_time(std::chrono::milliseconds{chaos_.below(30)});
  const auto number = chaos_.below(workers_.size());
  auto& w = workers_.at(number);
  const auto what = chaos_.below(6);
  if (w.former && what == 0)
    caf::anon_send(runner_, task_finished{*w.former, "1", std::nullopt});
  if (w.former && what == 1)
    caf::anon_send(runner_, task_progressed{*w.former, 1.0, "too late"});
  if (!w.task)
    return;
  note("work " + std::to_string(what));
  w.progress += 0.3;
  if (what >= 3) {
    caf::anon_send(runner_, task_progressed{*w.task, w.progress, "step"});
    return;
  }
  if (what == 1)
    caf::anon_send(runner_, task_finished{*w.task, R"({"status":"success"})", std::nullopt});
  if (what == 2)
    caf::anon_send(runner_, task_finished{*w.task, {}, "failed"});
  w.former = std::exchange(w.task, std::nullopt);
  caf::anon_send(runner_, worker_idle{number});
}

void rules_world::begin_to_end() {
  note("begin to shut down");
  ending_ = true;
  streams_->shut_down();
  versions_.shut_down();
  caf::anon_send(registry_, begin_shutdown{});
  caf::anon_send(store_, begin_shutdown{});
  caf::anon_send(runner_, begin_shutdown{});
}

void rules_world::come_to_rest() {
  // Nobody waits for anybody for ever: a few rounds are enough.
  for (int round = 0; round < 20; ++round) {
    chaos_.drain();
    answer_fetch();
    while (!late_.empty())
      release_late();
  }
  ending_ = true;
  ask([this](client_actor::pointer self) {
    ++asked_;
    self->request(runner_, caf::infinite, abort_all_tasks{}).then([this] { ++answered_; });
  });
  chaos_.drain();
  scheduler_.advance_time(publish_wait + 1s);
  chaos_.drain();
  list_those({});
  chaos_.drain();
}

} // namespace herald::testing
