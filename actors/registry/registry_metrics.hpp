#pragma once

#include "actors/telemetry/metrics.hpp"

namespace herald {

/// The registry's metrics.
struct registry_metrics {
  explicit registry_metrics(metrics& numbers)
    : connects(streams(numbers, "connect")),
      disconnects(streams(numbers, "disconnect")),
      replacements(streams(numbers, "replace")),
      active(numbers.gauge("sse_gateway_active_connections", "Open streams.")),
      kept_away(numbers.gauge(
        "herald_streams_kept_away",
        "Pages that may have no stream for now, by an order of the API.")),
      published(numbers.counter("herald_events_published_total", "Events put in order.")),
      gaps(numbers.counter(
        "herald_history_gaps_total", "Streams that came back after what they missed was evicted.")),
      evicted(numbers.counter(
        "herald_history_evicted_total", "Events dropped at a limit of the history.")),
      kept_events(numbers.gauge("herald_history_events", "Events kept for replay.")),
      kept_bytes(numbers.gauge("herald_history_bytes", "Memory of the events kept for replay.")),
      unwritten(numbers.gauge(
        "herald_journal_queue_events", "Events that were published and are not written yet.")),
      refused(numbers.counter(
        "herald_journal_refused_total", "Publishers refused because the journal is behind.")),
      values(numbers.gauge("herald_retained_topics", "Topics that have a last value.")),
      value_bytes(numbers.gauge("herald_retained_bytes", "Memory of the last values of topics.")),
      values_refused(numbers.counter(
        "herald_retained_refused_total", "Publishers refused because too much is retained.")),
      topic_changes_bytes(numbers.gauge(
        "herald_topic_changes_bytes", "Memory of what pages have changed in their topics.")),
      topic_changes_refused(numbers.counter(
        "herald_topic_changes_refused_total",
        "Changes of topics refused because too much is kept for pages.")),
      topics_bytes(
        numbers.gauge("herald_topics_bytes", "Memory of what streams listen to, about.")),
      topics_refused(numbers.counter(
        "herald_topics_refused_total",
        "Streams and changes refused because too much is listened to.")),
      bindings(numbers.gauge("herald_auth_bindings", "Pages whose subject is known.")),
      bindings_evicted(numbers.counter(
        "herald_auth_bindings_evicted_total",
        "Pages without a stream whose subject was forgotten early, for want of room.")),
      bindings_refused(numbers.counter(
        "herald_auth_bindings_refused_total",
        "Streams refused because as many pages as may be have one.")),
      revocations(
        numbers.gauge("herald_auth_revocations", "Credentials and subjects that are revoked.")),
      revocations_refused(numbers.counter(
        "herald_auth_revocations_refused_total",
        "Revocations refused because as many as may be are kept.")) {}

  prometheus::Counter& connects;
  prometheus::Counter& disconnects;
  prometheus::Counter& replacements;
  prometheus::Gauge& active;
  prometheus::Gauge& kept_away;
  prometheus::Counter& published;
  prometheus::Counter& gaps;
  prometheus::Counter& evicted;
  prometheus::Gauge& kept_events;
  prometheus::Gauge& kept_bytes;
  prometheus::Gauge& unwritten;
  prometheus::Counter& refused;
  prometheus::Gauge& values;
  prometheus::Gauge& value_bytes;
  prometheus::Counter& values_refused;
  prometheus::Gauge& topic_changes_bytes;
  prometheus::Counter& topic_changes_refused;
  prometheus::Gauge& topics_bytes;
  prometheus::Counter& topics_refused;
  prometheus::Gauge& bindings;
  prometheus::Counter& bindings_evicted;
  prometheus::Counter& bindings_refused;
  prometheus::Gauge& revocations;
  prometheus::Counter& revocations_refused;

private:
  static prometheus::Counter& streams(metrics& numbers, const char* action) {
    return numbers.counter(
      "sse_gateway_connections_total", "Streams by what happened to them.", {{"action", action}});
  }
};

} // namespace herald
