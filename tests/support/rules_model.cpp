#include "tests/support/rules_model.hpp"
#include "tests/support/audiences.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <ostream>
#include <utility>

#include "messages/wire/version_json.hpp"
#include "tests/support/audience_rules.hpp"
#include "tests/support/audiences.hpp"

namespace herald::testing {

namespace {

std::string text_of(const std::string& name, const std::string& data) {
  return name + "=" + data;
}

using text_set = std::set<std::string>;

text_set set_of(const std::vector<std::string>& list) {
  return {list.begin(), list.end()};
}

std::vector<std::string> list_of(const text_set& all) {
  return {all.begin(), all.end()};
}

bool any_covers(const std::vector<std::string>& patterns, const std::string& topic) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return rule_covers(pattern, topic);
  });
}

constexpr const char* lost = R"({"reason":"events after your last one are not kept any more"})";
constexpr const char* too_many =
  R"({"reason":"more topics have a last value than are given at once"})";

} // namespace

std::ostream& operator<<(std::ostream& out, const wire_event& e) {
  return out << e.id << ' ' << e.text;
}

std::string describe_fact(const connection_opened& fact) {
  auto text = "opened " + fact.id.str();
  for (const auto& version : fact.replayed_versions)
    text += " after " + version->data;
  return text;
}

std::vector<std::string> describe_facts(const connections_opened& facts) {
  std::vector<std::string> texts;
  for (const auto& fact : facts.all)
    texts.push_back(describe_fact(fact));
  return texts;
}

std::string describe_fact(const connection_closed& fact) {
  return "closed " + fact.id.str() + " " + std::string{to_string(fact.reason)};
}

const std::string* stream_rules::holder(const std::string& id) const {
  const auto found = held_.find(id);
  return found == held_.end() ? nullptr : &found->second;
}

void stream_rules::forget(const std::string& stream) {
  auto& s = streams_.at(stream);
  s.open = false;
  held_.erase(s.id);
  std::erase(order_, s.id + " " + stream);
}

void stream_rules::open(const open_connection& command) {
  const auto name = command.stream.str();
  const auto& id = command.id.str();
  const auto known = streams_.find(name);
  const bool held = known != streams_.end() && known->second.open;
  std::string opened = "opened " + id;
  if (held && known->second.id == id) {
    facts_.push_back(opened);
    return;
  }
  if (held) {
    facts_.push_back("closed " + known->second.id + " server_closed");
    page_left(known->second.id);
    forget(name);
  }
  if (const auto* replaced = holder(id)) {
    streams_.at(*replaced).due.push_back({0, text_of("replaced", R"({"reason":"replaced"})")});
    forget(std::string{*replaced});
  }
  auto& s = streams_[name];
  s.id = id;
  s.open = true;
  s.opened_after = last_id_;
  s.hears = hears_at_open(command);
  held_[id] = name;
  order_.push_back(id + " " + name);
  if (!held) {
    for (const auto& version : begin(command, s))
      opened += " after " + version;
    s.due.push_back({last_id_, opening_block});
  }
  facts_.push_back(opened);
}

/// What was changed belongs to the page: it holds where it comes back with a cursor, and is
/// forgotten where it comes without one, or was away for too long.
reach stream_rules::hears_at_open(const open_connection& command) {
  auto hears = command.asks ? *command.asks : reach{};
  hears.page = command.id;
  auto patterns = set_of(hears.patterns);
  if (const auto found = changes_.find(command.id.str()); found != changes_.end()) {
    auto& changes = found->second;
    const bool forgotten = changes.away_since && now_ - *changes.away_since >= limits_.max_age;
    if (!command.last_event_id || forgotten) {
      changes_.erase(found);
    } else {
      patterns = rule_changed(patterns, changes.added, changes.removed);
      changes.away_since.reset();
    }
  }
  hears.patterns = list_of(patterns);
  return hears;
}

void stream_rules::page_left(const std::string& id) {
  if (const auto found = changes_.find(id); found != changes_.end())
    found->second.away_since = now_;
}

stream_rules::kept_past stream_rules::kept() const {
  kept_past result{before_first_, {}};
  for (const auto& p : everything_)
    if (p.kept && now_ - p.at > limits_.max_age)
      result.floor = p.id;
    else if (p.kept)
      result.events.push_back(&p);
  for (; result.events.size() > limits_.history; result.events.erase(result.events.begin()))
    result.floor = result.events.front()->id;
  return result;
}

stream_rules::return_place stream_rules::place_of(const std::string& cursor) const {
  const auto id = parse_event_id(cursor);
  if (!id || id->value > last_id_)
    return {false, last_id_, last_id_};
  const auto floor = kept().floor;
  if (id->value < floor)
    return {true, id->value, floor};
  return {true, id->value, std::nullopt};
}

/// Last values come first, then the gap, then what was missed. Gives the versions of that.
std::vector<std::string> stream_rules::begin(const open_connection& command, stream& to) {
  const auto place = command.last_event_id ? place_of(*command.last_event_id) : return_place{};
  // What comes in the replay comes there.
  const auto upto = place.known ? place.gap.value_or(place.cursor) : last_id_;
  const bool more = give_values(to, to.hears.patterns, {}, place.known ? place.cursor : 0, upto);
  if (place.gap || more)
    to.due.push_back({place.gap.value_or(0), text_of("gap", place.gap ? lost : too_many)});
  std::vector<std::string> versions;
  if (!command.last_event_id)
    return versions;
  for (const auto* p : kept().events) {
    if (p->id <= place.gap.value_or(place.cursor) || over(*p) || !rule_is_for(p->to, to.hears))
      continue;
    to.due.push_back(p->event);
    if (p->service == service_type::version)
      versions.push_back(p->event.text.substr(std::string_view{"version="}.size()));
  }
  return versions;
}

bool stream_rules::give_values(
  stream& to, const std::vector<std::string>& hears, const std::vector<std::string>& heard,
  std::uint64_t after, std::uint64_t upto) {
  std::vector<wire_event> due;
  for (const auto& [topic, p] : values_)
    if (
      p.id > after && p.id <= upto && !over(p) && any_covers(hears, topic)
      && !any_covers(heard, topic))
      due.push_back(p.event);
  std::sort(
    due.begin(), due.end(), [](const wire_event& a, const wire_event& b) { return a.id < b.id; });
  const bool more = due.size() > limits_.values_replayed;
  if (more)
    due.erase(due.begin(), due.end() - static_cast<std::ptrdiff_t>(limits_.values_replayed));
  to.due.insert(to.due.end(), due.begin(), due.end());
  return more;
}

stream_rules::topics_outcome stream_rules::change(const change_topics& command) {
  const auto* name = holder(command.id.str());
  if (name == nullptr)
    return {ec::no_such_connection, {}, 0};
  auto& to = streams_.at(*name);
  const auto before = to.hears.patterns;
  const auto remove = set_of(command.remove);
  const auto add = rule_changed(set_of(command.add), {}, remove);
  const auto now = rule_changed(set_of(before), add, remove);
  if (now.size() > limits_.topics)
    return {ec::invalid_field, {}, 0};
  auto& changes = changes_[command.id.str()];
  changes.added = rule_changed(changes.added, add, remove);
  changes.removed = rule_changed(changes.removed, remove, add);
  to.hears.patterns = list_of(now);
  const auto had = to.due.size();
  if (give_values(to, to.hears.patterns, before, 0, last_id_))
    to.due.push_back({0, text_of("gap", too_many)});
  if (to.due.size() != had)
    to.due.push_back({last_id_, opening_block});
  return {ec::none, to.hears.patterns, last_id_};
}

stream_rules::past stream_rules::look_back(const list_events& query) const {
  const auto there = kept();
  auto from = query.after ? query.after->value : there.floor;
  past result{{}, last_id_, from > last_id_ || from < there.floor};
  from = from > last_id_ ? last_id_ : std::max(from, there.floor);
  for (const auto* p : there.events) {
    if (p->id <= from || over(*p) || (query.who && !rule_is_for(p->to, *query.who)))
      continue;
    if (result.events.size() == query.limit) {
      result.last = result.events.back().id;
      break;
    }
    result.events.push_back(p->event);
  }
  return result;
}

std::vector<std::string> stream_rules::connections(const connection_filter& which) const {
  std::vector<std::string> fitting;
  for (const auto& one : order_) {
    const auto& hears = streams_.at(one.substr(one.find(' ') + 1)).hears;
    const auto has = [](const std::vector<std::string>& list, const std::string& text) {
      return std::find(list.begin(), list.end(), text) != list.end();
    };
    const bool pattern = which.topic == "*" || which.topic.ends_with("/*");
    const bool fits =
      (which.subject.empty() || hears.subject == which.subject)
      && (which.role.empty() || has(hears.roles, which.role))
      && (which.topic.empty()
          || (pattern ? has(hears.patterns, which.topic) : any_covers(hears.patterns, which.topic)));
    if (fits)
      fitting.push_back(one);
  }
  return fitting;
}

std::size_t stream_rules::close_all(const std::string& subject) {
  const auto all = connections({{}, subject, {}});
  for (const auto& one : all)
    closed(token::from_text(one.substr(one.find(' ') + 1)), end_reason::server_closed);
  return all.size();
}

void stream_rules::closed(const token& stream, end_reason reason) {
  const auto found = streams_.find(stream.str());
  if (found == streams_.end() || !found->second.open)
    return;
  facts_.push_back("closed " + found->second.id + " " + std::string{to_string(reason)});
  page_left(found->second.id);
  forget(found->first);
}

bool stream_rules::close(const request_id& id) {
  const auto* stream = holder(id.str());
  if (stream == nullptr)
    return false;
  closed(token::from_text(*stream), end_reason::server_closed);
  return true;
}

bool stream_rules::send(const send_to_stream& command) {
  const auto found = streams_.find(command.stream.str());
  if (found == streams_.end() || !found->second.open)
    return false;
  if (command.event)
    found->second.due.push_back({0, text_of(command.event->name, command.event->data)});
  if (command.close)
    closed(command.stream, end_reason::server_closed);
  return true;
}

/// Whether the last values of a batch may be kept. What it forgets makes room for others only.
bool stream_rules::has_room(const herald::publish& command) {
  std::erase_if(values_, [this](const auto& one) { return over(one.second); });
  text_set topics;
  for (const auto& [topic, value] : values_)
    topics.insert(topic);
  bool keeps = false;
  for (const auto& d : command.drafts) {
    if (d.value != retention::keep)
      continue;
    topics.insert(d.to->topics.front());
    keeps = true;
  }
  return !keeps || topics.size() <= limits_.values;
}

stream_rules::outcome stream_rules::publish(const herald::publish& command) {
  outcome result;
  const auto from_outside = [](const draft& d) {
    return d.service == service_type::event;
  };
  if (std::any_of(command.drafts.begin(), command.drafts.end(), from_outside)) {
    if (shutting_down_)
      result.refused = ec::shutting_down;
    else if (!has_room(command))
      result.refused = ec::storage_full;
  }
  if (result.refused != ec::none)
    return result;
  for (const auto& d : command.drafts) {
    const wire_event event{++last_id_, text_of(d.name, d.data)};
    result.ids.push_back(event.id);
    const bool greeting = d.service == service_type::version && d.to;
    everything_.push_back({event.id, d.to, event, d.history && !greeting, d.service, d.ttl, now_});
    if (d.value == retention::keep)
      values_[d.to->topics.front()] = everything_.back();
    if (d.value == retention::forget)
      values_.erase(d.to->topics.front());
    for (const auto& [id, stream] : held_) {
      auto& to = streams_.at(stream);
      const bool also = !d.to && d.also == to.hears.page;
      if (!rule_is_for(d.to, to.hears) && !also)
        continue;
      to.due.push_back(event);
      ++result.recipients;
    }
  }
  return result;
}

void stream_rules::observe(const std::string& observer) {
  joined_.try_emplace(observer, facts_.size());
}

std::vector<std::string> stream_rules::facts(const std::string& observer) const {
  const auto from = static_cast<std::ptrdiff_t>(joined_.at(observer));
  return {facts_.begin() + from, facts_.end()};
}

void version_rules::opened(const connection_opened& fact) {
  const auto found = pending_.find(fact.id.str());
  if (found == pending_.end()) {
    if (has_source_ && fact.replayed_versions.empty())
      waiting_.insert(fact.id.str());
    return;
  }
  const auto data = version_data(found->second);
  for (const auto& version : fact.replayed_versions)
    if (version->data == data)
      return;
  due_.push_back(fact.id.str() + " " + data);
}

void version_rules::fetched(const std::string& data) {
  for (const auto& id : std::exchange(waiting_, {}))
    if (!pending_.contains(id))
      due_.push_back(id + " " + data);
}

bool version_rules::queue(const queue_version& command) {
  if (shutting_down_)
    return false;
  const pending_version version{command.version, command.changelog};
  pending_[command.id.str()] = version;
  due_.push_back("all " + version_data(version));
  return true;
}

std::optional<std::string> version_rules::next_draft() {
  if (taken_ == due_.size())
    return std::nullopt;
  return due_[taken_++];
}

} // namespace herald::testing
