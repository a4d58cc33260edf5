#include "http/admission/stream_metrics.hpp"

namespace herald {

namespace {

constexpr std::array refusal_names = {
  "too_many",
  "too_many_per_address",
  "too_many_openings",
  "malformed",
  "head_too_large",
  "head_timed_out",
  "head_crowded_out",
  "origin",
  "host",
  "not_found",
  "method",
  "invalid",
  "by_owner",
  "unanswered",
  "shutting_down",
  "kept_away",
  "unauthorized",
  "forbidden",
  "key_unknown",
  "too_many_per_subject",
  "opens_per_address",
  "opens_per_subject",
  "failed_auth",
  "application_away",
  "too_many_questions",
};

void add(prometheus::Counter& to, std::uint64_t before, std::uint64_t now) {
  if (now != before)
    to.Increment(static_cast<double>(now - before));
}

} // namespace

stream_metrics::stream_metrics(metrics& numbers, unsigned loop)
  : access_findings(numbers, "stream"),
    accepted(numbers.counter("herald_stream_accepted_total", "Connections taken.")),
    gathered(numbers.counter(
      "herald_stream_gathered_total",
      "Connections that were let wait for a millisecond at most, to be taken with others.")),
    accept_errors(numbers.counter(
      "herald_stream_accept_errors_total",
      "Connections that could not be taken, for want of descriptors or memory.")),
    lagged(numbers.counter(
      "herald_stream_lagged_total", "Streams closed because they read too slowly.")),
    unreachable(numbers.counter(
      "herald_stream_unreachable_total",
      "Streams given up because their client acknowledged or took nothing for too long.")),
    overflowed(numbers.counter(
      "herald_stream_private_overflows_total",
      "Streams closed because too much waited for them alone.")),
    bytes(numbers.counter("herald_stream_sent_bytes_total", "Bytes written to streams.")),
    replayed(numbers.counter(
      "herald_history_replayed_total", "Events sent again to streams that came back.")),
    replays_refused(numbers.counter(
      "herald_stream_replays_refused_total",
      "Streams told a gap because their client was sent too much again within a minute.")),
    subject_replays_refused(numbers.counter(
      "herald_stream_subject_replays_refused_total",
      "Streams told a gap because their subject was sent too much again within a minute.")),
    open(
      numbers.gauge("herald_stream_open", "Streams in a loop.", {{"loop", std::to_string(loop)}})),
    blocked(numbers.gauge(
      "herald_stream_blocked", "Streams whose socket is full.", {{"loop", std::to_string(loop)}})),
    log_bytes(numbers.gauge(
      "herald_stream_log_bytes", "Bytes that the frame log keeps.",
      {{"loop", std::to_string(loop)}})),
    private_bytes(numbers.gauge(
      "herald_stream_private_bytes", "Bytes that wait for single streams.",
      {{"loop", std::to_string(loop)}})),
    backlog(numbers.gauge(
      "herald_stream_backlog", "Commands that wait for room in the frame log.",
      {{"loop", std::to_string(loop)}})) {
  static_assert(refusal_names.size() == refusals);
  for (std::size_t i = 0; i < refusals; ++i)
    refused_.at(i) = &numbers.counter(
      "herald_stream_refused_total", "Requests that did not become a stream.",
      {{"reason", refusal_names.at(i)}});
  for (std::size_t i = 0; i < service_type_count; ++i) {
    const std::string service{to_string(static_cast<service_type>(i))};
    const auto events = [&](const char* status) {
      return &numbers.counter(
        "sse_gateway_events_sent_total", "Events sent to streams.",
        {{"service", service}, {"status", status}});
    };
    sent_.at(i) = events("success");
    failed_.at(i) = events("error");
    duration_.at(i) = &numbers.latency(
      "sse_gateway_send_duration_seconds", "From taking an event to having sent it.",
      {{"service", service}});
  }
}

void stream_metrics::count(const stream_tally& now) {
  const auto& before = counted_;
  for (std::size_t i = 0; i < service_type_count; ++i) {
    add(*sent_.at(i), before.sent.at(i), now.sent.at(i));
    add(*failed_.at(i), before.failed.at(i), now.failed.at(i));
  }
  add(bytes, before.bytes, now.bytes);
  add(replayed, before.replayed, now.replayed);
  add(lagged, before.lagged, now.lagged);
  add(overflowed, before.overflowed, now.overflowed);
  counted_ = now;
}

void stream_metrics::show(const stream_table& streams, std::size_t orders) const {
  open.Set(static_cast<double>(streams.size()));
  blocked.Set(static_cast<double>(streams.blocked_streams()));
  log_bytes.Set(static_cast<double>(streams.log_bytes()));
  private_bytes.Set(static_cast<double>(frame_text::held_bytes()));
  backlog.Set(static_cast<double>(orders));
}

} // namespace herald
