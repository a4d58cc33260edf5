#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "messages/audience.hpp"
#include "messages/events.hpp"
#include "messages/ids.hpp"

namespace herald::testing {

/// What a publisher was told of tasks.
class task_transcript {
public:
  /// Notes the drafts of a `publish`, and fails the test where one is no task event for everyone,
  /// or has not the `seq` behind that of the one before it.
  void note(const publish& order);
  /// From now on they are for these alone.
  void expect(audience_ptr to) { expected_ = std::move(to); }

  /// The events of one task in their order: "task_started null".
  [[nodiscard]] std::vector<std::string> of(const task_id& id) const;
  /// The events of all tasks, in the one order of all.
  [[nodiscard]] const std::vector<std::string>& all() const noexcept { return all_; }

private:
  std::map<std::string, std::vector<std::string>> by_task_;
  std::vector<std::string> all_;
  audience_ptr expected_;
};

} // namespace herald::testing
