#include "messages/wire/audience_json.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace herald {

namespace {

using violation = std::optional<std::string_view>;

void blame_violation(json_reader& in, const violation& broken, std::string_view name) {
  if (broken)
    in.blame(ec::invalid_field, std::string(*broken), name);
}

template <class Item>
void add_once(std::vector<Item>& items, Item item) {
  if (std::find(items.begin(), items.end(), item) == items.end())
    items.push_back(std::move(item));
}

std::vector<std::string> parse_topics(json_reader& in) {
  std::vector<std::string> result;
  auto one = in.optional_text("topic");
  auto many = in.optional_texts("topics", max_event_topics);
  if (one && many)
    in.blame(ec::invalid_field, "give either topic or topics, not both", "topics");
  if (one) {
    blame_violation(in, topic_violation(*one), "topic");
    result.push_back(std::move(*one));
  } else if (many) {
    for (std::size_t i = 0; i < many->size(); ++i) {
      auto& topic = (*many)[i];
      if (const auto broken = topic_violation(topic))
        blame_violation(in, broken, "topics[" + std::to_string(i) + "]");
      add_once(result, std::move(topic));
    }
  }
  return result;
}

std::string parse_principal(json_reader& in, std::string_view name) {
  auto text = in.optional_text(name);
  if (!text)
    return {};
  blame_violation(in, principal_violation(*text), name);
  return std::move(*text);
}

} // namespace

audience_ptr parse_audience(json_reader& in) {
  audience to;
  to.page = in.optional_id("request_id").value_or(request_id{});
  to.topics = parse_topics(in);
  to.subject = parse_principal(in, "subject");
  to.role = parse_principal(in, "role");
  if (auto except = in.optional_ids("except", max_event_except))
    for (auto& page : *except)
      add_once(to.except, std::move(page));
  if (to.everyone() && to.except.empty())
    return nullptr;
  return std::make_shared<const audience>(std::move(to));
}

void audience_fields(object_writer& out, const audience_ptr& to) {
  if (!to)
    return;
  if (!to->page.empty())
    out.text("request_id", to->page.str());
  if (to->topics.size() == 1)
    out.text("topic", to->topics.front());
  else if (!to->topics.empty())
    out.raw("topics", array_json(to->topics, json_string));
  if (!to->subject.empty())
    out.text("subject", to->subject);
  if (!to->role.empty())
    out.text("role", to->role);
  if (!to->except.empty())
    out.raw(
      "except", array_json(to->except, [](const request_id& id) { return json_string(id.str()); }));
}

} // namespace herald
