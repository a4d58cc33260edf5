#include "tests/support/rules_model.hpp"
#include "tests/support/audiences.hpp"

#include <algorithm>
#include <ostream>
#include <utility>

#include "messages/wire/version_json.hpp"

namespace herald::testing {

namespace {

std::string text_of(const std::string& name, const std::string& data) {
  return name + "=" + data;
}

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
  held_[id] = name;
  order_.push_back(id + " " + name);
  if (command.last_event_id && !held)
    for (const auto& version : replay(command, s))
      opened += " after " + version;
  if (!held)
    s.due.push_back({last_id_, opening_block});
  facts_.push_back(opened);
}

std::vector<std::string> stream_rules::replay(const open_connection& command, stream& to) {
  std::vector<const published*> kept;
  for (const auto& p : everything_)
    if (p.kept)
      kept.push_back(&p);
  auto floor = before_first_;
  if (kept.size() > history_) {
    floor = kept[kept.size() - history_ - 1]->id;
    kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(history_));
  }
  const auto cursor = parse_event_id(*command.last_event_id);
  auto from = cursor ? cursor->value : 0;
  const bool ours = cursor && from <= last_id_;
  if (!ours || from < floor) {
    from = ours ? floor : last_id_;
    to.due.push_back(
      {from, text_of("gap", R"({"reason":"events after your last one are not kept any more"})")});
  }
  std::vector<std::string> versions;
  for (const auto* p : kept) {
    if (p->id <= from || (page_of(p->to) && *page_of(p->to) != command.id))
      continue;
    to.due.push_back(p->event);
    if (p->service == service_type::version)
      versions.push_back(p->event.text.substr(std::string_view{"version="}.size()));
  }
  return versions;
}

void stream_rules::closed(const token& stream, end_reason reason) {
  const auto found = streams_.find(stream.str());
  if (found == streams_.end() || !found->second.open)
    return;
  facts_.push_back("closed " + found->second.id + " " + std::string{to_string(reason)});
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

stream_rules::outcome stream_rules::publish(const herald::publish& command) {
  outcome result;
  const auto from_outside = [](const draft& d) {
    return d.service == service_type::event;
  };
  result.refused =
    shutting_down_ && std::any_of(command.drafts.begin(), command.drafts.end(), from_outside);
  if (result.refused)
    return result;
  for (const auto& d : command.drafts) {
    const wire_event event{++last_id_, text_of(d.name, d.data)};
    result.ids.push_back(event.id);
    const bool greeting = d.service == service_type::version && d.to;
    everything_.push_back({event.id, d.to, event, !greeting, d.service});
    for (const auto& [id, stream] : held_) {
      if (page_of(d.to) && page_of(d.to)->str() != id)
        continue;
      streams_.at(stream).due.push_back(event);
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
      waiting_.push_back(fact.id.str());
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
