#include "messages/wire/actor_json.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "messages/json/json_writer.hpp"

namespace herald {

namespace {

object_writer fields_of(const actor_status& actor) {
  object_writer out;
  out.text("name", actor.name)
    .text("state", to_string(actor.state))
    .text("restart", to_string(actor.restart))
    .number("restarts", actor.restarts)
    .number("mailbox_depth", actor.mailbox_depth)
    .text_or_null("last_error", actor.last_error);
  return out;
}

std::string instance_json(const actor_status& actor) {
  return fields_of(actor).finish();
}

using instances_of_kind = std::span<const actor_status>;

std::string kind_json(instances_of_kind instances) {
  auto all = instances.front();
  all.name = all.kind;
  for (const auto& one : instances.subspan(1)) {
    all.state = std::max(all.state, one.state);
    all.restarts += one.restarts;
    all.mailbox_depth += one.mailbox_depth;
    if (!one.last_error.empty())
      all.last_error = one.last_error;
  }
  auto out = fields_of(all);
  if (all.max_mailbox != 0)
    out.number("max_mailbox", all.max_mailbox);
  out.number("instances", instances.size());
  // An actor that has its kind's name is the only one there can be.
  if (instances.front().name != all.kind)
    out.raw("actors", array_json(instances, instance_json));
  return out.finish();
}

/// Neighbours of one kind.
std::vector<instances_of_kind> kinds_of(const actor_tree& tree) {
  std::vector<instances_of_kind> kinds;
  for (const auto& child : tree.children) {
    if (kinds.empty() || kinds.back().front().kind != child.kind)
      kinds.emplace_back(&child, 1);
    else
      kinds.back() = {kinds.back().data(), kinds.back().size() + 1};
  }
  return kinds;
}

} // namespace

std::string to_json(const actor_tree& tree) {
  return object_writer{}
    .text("name", "supervisor")
    .text("strategy", "one_for_one")
    .number("intensity", tree.intensity)
    .number("period_ms", static_cast<std::size_t>(tree.period.count()))
    .raw("actors", array_json(kinds_of(tree), kind_json))
    .finish();
}

} // namespace herald
