#include "http/protocol/stream_query.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "messages/text/ascii.hpp"
#include "messages/text/spelling.hpp"

namespace herald {

namespace {

/// A name as one remembers it: lower case, without separators.
std::string letters_of(std::string_view name) {
  std::string letters;
  for (const char c : name)
    if (c != '_' && c != '-' && c != '.')
      letters += ascii_lower(c);
  return letters;
}

constexpr std::string_view request_id_letters = "requestid";
constexpr std::string_view cursor_letters = "lasteventid";
constexpr std::string_view heartbeat_letters = "heartbeat";

/// Whether a parameter is the cursor. `lastEventId` is the default of event-source-polyfill,
/// `Last-Event-ID` and `lastEventID` are Mercure's, `evs_last_event_id` is eventsource-polyfill's.
bool is_cursor(std::string_view letters) {
  return letters == cursor_letters || letters == "evslasteventid";
}

/// A slip in five letters is a slip; with more it is another word.
bool is_slip_of(std::string_view meant, std::string_view letters) {
  const auto slips = meant.size() / 5;
  return letters.size() <= meant.size() + slips && edit_distance(letters, meant) <= slips;
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

} // namespace

std::string kept_target(std::string_view target) {
  const auto [path, query] = split_target(target);
  std::string kept{path};
  char mark = '?';
  for (auto left = query; !left.empty();) {
    const auto end = std::min(left.find('&'), left.size());
    const auto argument = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    const auto name = form_decode(argument.substr(0, argument.find('=')));
    constexpr std::array ours = {"request_id", "topic", "broadcast", "subject", "role"};
    if (name && std::find(ours.begin(), ours.end(), *name) != ours.end()) {
      kept.append(1, mark).append(argument);
      mark = '&';
    }
  }
  return kept;
}

stream_query::stream_query(std::string_view query, const rules& rules) : rules_(rules) {
  auto arguments = query_arguments(query);
  for (auto& argument : arguments)
    take(argument);
  for (const auto& argument : arguments)
    if (!fault_)
      suspect(argument.name);
  check_values();
}

reach_ptr stream_query::asks() const {
  return asks_.plain() ? nullptr : std::make_shared<const reach>(asks_);
}

void stream_query::take(query_argument& argument) {
  if (take_reach(argument))
    return;
  const bool names_page = argument.name == "request_id";
  const bool names_heartbeat = argument.name == heartbeat_letters;
  const bool names_ticket = rules_.tickets && argument.name == "ticket";
  if (!names_page && !names_heartbeat && !names_ticket && !is_cursor(letters_of(argument.name)))
    return;
  if (!seen_.insert(argument.name).second)
    return blame(ec::invalid_field, argument.name, "must not be given twice");
  if (!argument.value)
    return blame(ec::invalid_field, argument.name, "must be percent-encoded");
  if (names_page)
    id_ = std::move(argument.value);
  else if (names_heartbeat)
    heartbeat_ = std::move(argument.value);
  else if (names_ticket)
    ticket_ = std::move(argument.value);
  else if (!argument.value->empty())
    cursor_ = std::move(argument.value);
  has_cursor_ = has_cursor_ || (!names_page && !names_heartbeat && !names_ticket);
}

/// Whether the argument says what the page wants to hear.
bool stream_query::take_reach(query_argument& argument) {
  const auto& name = argument.name;
  const bool topic = name == "topic";
  const bool principal = rules_.principals && (name == "subject" || name == "role");
  if (!topic && !principal && name != "broadcast")
    return false;
  if (!topic && name != "role" && !seen_.insert(name).second)
    blame_asks(name, "must not be given twice");
  else if (!argument.value)
    blame_asks(name, "must be percent-encoded");
  else if (topic)
    add_topic(std::move(*argument.value));
  else if (principal)
    add_principal(name, std::move(*argument.value));
  else
    set_broadcast(*argument.value);
  return true;
}

void stream_query::add_topic(std::string topic) {
  if (const auto violation = pattern_violation(topic))
    return blame_asks("topic", std::string{*violation});
  if (contains(asks_.patterns, topic))
    return;
  asks_.patterns.push_back(std::move(topic));
  if (asks_.patterns.size() > rules_.max_topics)
    blame_asks(
      "topic", "may be given " + std::to_string(rules_.max_topics) + " times (stream.max_topics)");
}

void stream_query::set_broadcast(std::string_view value) {
  const bool on = value == "true" || value == "1";
  if (!on && value != "false" && value != "0")
    return blame_asks("broadcast", "must be true or false");
  asks_.broadcast = on;
}

void stream_query::add_principal(const std::string& name, std::string value) {
  if (const auto violation = principal_violation(value))
    return blame_asks(name, std::string{*violation});
  if (name == "subject")
    asks_.subject = std::move(value);
  else if (!contains(asks_.roles, value))
    asks_.roles.push_back(std::move(value));
}

/// Blames a name that is one of ours misspelt. Where the right one is there too, a name that
/// differs in its letters is somebody else's.
void stream_query::suspect(const std::string& name) {
  const auto letters = letters_of(name);
  if (name == "request_id" || name == heartbeat_letters || is_cursor(letters))
    return;
  if (letters == request_id_letters || (!id_ && is_slip_of(request_id_letters, letters)))
    misspelt(name, "request_id");
  else if (!has_cursor_ && is_slip_of(cursor_letters, letters))
    misspelt(name, "last_event_id");
  else if (!heartbeat_ && is_slip_of(heartbeat_letters, letters))
    misspelt(name, "heartbeat");
  else if (name == "topics")
    misspelt(name, "topic");
}

void stream_query::misspelt(const std::string& name, const char* meant) {
  blame(ec::unknown_field, name, std::string{"is not known here; is "} + meant + " meant?");
}

void stream_query::blame(ec code, const std::string& name, const std::string& why) {
  if (!fault_)
    fault_ = failure{code, name + ' ' + why, name};
}

void stream_query::blame_asks(const std::string& name, const std::string& why) {
  blame(ec::invalid_field, name, why);
  if (!fault_of_asks_)
    fault_of_asks_ = failure{ec::invalid_field, name + ' ' + why, name};
}

void stream_query::check_values() {
  if (!id_)
    return blame(ec::invalid_field, "request_id", "is required");
  if (const auto violation = request_id_violation(*id_))
    return blame(ec::invalid_field, "request_id", std::string{*violation});
  if (heartbeat_ && *heartbeat_ != "event")
    blame(ec::invalid_field, "heartbeat", "must be event, or not be given");
}

} // namespace herald
