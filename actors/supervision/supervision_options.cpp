#include "actors/supervision/supervision_options.hpp"

#include <array>

namespace herald {

namespace {

using namespace std::chrono_literals;

child_options ends_within(std::chrono::milliseconds time) {
  child_options options;
  options.shutdown_ms = time;
  return options;
}

/// A child is added here, and spawned with the options of its kind.
const std::array kinds = {
  child_kind{"journal", "", true, ends_within(5s)},
  child_kind{"webhooks", "", false, {}},
  child_kind{"connection-registry", "", true, {}},
  // A fetch takes up to 2 s.
  child_kind{"version-source", "", false, ends_within(3s)},
  child_kind{"version-store", "", true, {}},
  child_kind{"idempotency", "", true, {}},
  child_kind{"task-runner", "", true, {}},
  child_kind{"task-worker", "tasks.workers", false, {}},
  child_kind{"gateway-sender", "gateway.senders", false, {}},
  child_kind{"backend-caller", "", false, {}},
  child_kind{"gateway-front", "", true, {}},
  child_kind{"stream-loop", "stream.threads", false, {}},
};

} // namespace

std::span<const child_kind> child_kinds() {
  return kinds;
}

const child_kind* find_child_kind(std::string_view name) {
  for (const auto& kind : kinds)
    if (kind.name == name)
      return &kind;
  return nullptr;
}

std::size_t start_order(std::string_view kind) {
  std::size_t place = 0;
  while (place < kinds.size() && kinds.at(place).name != kind)
    ++place;
  return place;
}

child_options_map default_children() {
  child_options_map children;
  for (const auto& kind : kinds)
    children.emplace(kind.name, kind.defaults);
  return children;
}

const child_options& supervision_options::of(std::string_view kind) const {
  static const child_options unknown;
  const auto found = children.find(kind);
  return found == children.end() ? unknown : found->second;
}

} // namespace herald
