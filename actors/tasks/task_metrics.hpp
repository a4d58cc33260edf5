#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "actors/tasks/task_options.hpp"
#include "actors/tasks/task_table.hpp"
#include "actors/telemetry/metrics.hpp"
#include "messages/tasks.hpp"

namespace herald {

/// The numbers of the task runner. The types of the options are the only values of the label
/// `type`.
class task_metrics {
public:
  task_metrics(const task_options& options, metrics& numbers);

  /// Counts an ended task; `ran` is how long it ran, nothing if it never did.
  void count_end(
    const std::string& type, task_status status,
    std::optional<std::chrono::steady_clock::duration> ran);

  void show(const task_table& tasks);

  prometheus::Counter& refused_pending;
  prometheus::Counter& refused_external;

private:
  struct of_type {
    prometheus::Counter* completed = nullptr;
    prometheus::Counter* failed = nullptr;
    prometheus::Counter* cancelled = nullptr;
    prometheus::Histogram* duration = nullptr;
  };

  std::map<std::string, of_type> types_;
  prometheus::Gauge& active_;
  prometheus::Gauge& pending_;
  prometheus::Gauge& kept_;
  prometheus::Gauge& ended_bytes_;
  prometheus::Counter& evicted_;
  std::size_t evicted_before_ = 0;
};

} // namespace herald
