#pragma once

#include "actors/telemetry/metrics.hpp"

namespace herald {

/// The numbers of the webhooks.
struct webhook_metrics {
  explicit webhook_metrics(metrics& numbers)
    : answered(numbers.counter("herald_webhook_events_total", "Events that were answered.")),
      batches_answered(batches(numbers, "answered")),
      batches_refused(batches(numbers, "refused")),
      batches_failed(batches(numbers, "failed")),
      lost_full(lost(numbers, "full")),
      lost_old(lost(numbers, "age")),
      lost_at_end(lost(numbers, "shutdown")),
      events(numbers.gauge("herald_webhook_queue_events", "Events that wait for their answer.")),
      bytes(numbers.gauge("herald_webhook_queue_bytes", "Memory of events that wait.")),
      failing(
        numbers.gauge("herald_webhook_failing", "1 while the receiver does not answer, else 0.")),
      took(numbers.latency("herald_webhook_seconds", "Time from a batch to its answer.")) {}

  static prometheus::Counter& batches(metrics& numbers, const char* outcome) {
    return numbers.counter(
      "herald_webhook_batches_total", "Batches sent, by outcome.", {{"outcome", outcome}});
  }
  static prometheus::Counter& lost(metrics& numbers, const char* reason) {
    return numbers.counter(
      "herald_webhook_lost_total", "Events that were never answered.", {{"reason", reason}});
  }

  prometheus::Counter& answered;
  prometheus::Counter& batches_answered;
  prometheus::Counter& batches_refused;
  prometheus::Counter& batches_failed;
  prometheus::Counter& lost_full;
  prometheus::Counter& lost_old;
  prometheus::Counter& lost_at_end;
  prometheus::Gauge& events;
  prometheus::Gauge& bytes;
  prometheus::Gauge& failing;
  prometheus::Histogram& took;
};

} // namespace herald
