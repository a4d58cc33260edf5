#include "actors/gateway/gateway_report.hpp"

#include <numeric>
#include <string>
#include <utility>

#include <caf/send.hpp>

#include "actors/telemetry/log.hpp"
#include "messages/type_ids.hpp"

namespace herald {

namespace {

constexpr std::string_view component = "gateway-sender";
constexpr std::chrono::seconds log_pause{1};

std::string label_of(gateway_queue::loss why) {
  switch (why) {
  case gateway_queue::loss::expired:
    return "expired";
  case gateway_queue::loss::stream_full:
    return "stream_full";
  case gateway_queue::loss::shard_full:
    return "shard_full";
  }
  return "expired";
}

prometheus::Counter& probes(metrics& numbers, const char* result) {
  return numbers.counter(
    "herald_gateway_probes_total", "Quiet streams that the gateway was asked about.",
    {{"result", result}});
}

} // namespace

gateway_report::gateway_report(std::size_t shard, stream_owner_actor owner, metrics& numbers)
  : shard_(shard),
    owner_(std::move(owner)),
    closes_lost_(numbers.counter(
      "herald_gateway_closes_lost_total", "Orders to close a stream that could not be given.")),
    retries_(numbers.counter("herald_gateway_retries_total", "Sends that were tried again.")),
    probes_alive_(probes(numbers, "alive")),
    probes_gone_(probes(numbers, "gone")),
    probes_failed_(probes(numbers, "failed")),
    depth_(numbers.gauge(
      "herald_gateway_queue_events", "Events that wait to be sent, counted per stream.",
      {{"shard", std::to_string(shard)}})),
    bytes_(numbers.gauge(
      "herald_gateway_queue_bytes", "Bytes of the events that wait, each event counted once.",
      {{"shard", std::to_string(shard)}})),
    streams_(numbers.gauge(
      "herald_gateway_streams", "Streams behind the gateway.", {{"shard", std::to_string(shard)}})),
    up_(numbers.gauge("herald_gateway_up", "1 unless the gateway could not be reached.")) {
  for (std::size_t i = 0; i < services_.size(); ++i) {
    const std::string service{to_string(static_cast<service_type>(i))};
    const std::string name = "sse_gateway_events_sent_total";
    const std::string help = "Events sent to streams, by how it went.";
    services_[i].sent = &numbers.counter(name, help, {{"service", service}, {"status", "success"}});
    services_[i].failed = &numbers.counter(name, help, {{"service", service}, {"status", "error"}});
    services_[i].duration = &numbers.latency(
      "sse_gateway_send_duration_seconds", "Time that one send to the gateway took.",
      {{"service", service}});
  }
  for (std::size_t i = 0; i < losses_.size(); ++i)
    losses_[i] = &numbers.counter(
      "herald_gateway_lost_total", "Events lost for a stream that stays open.",
      {{"reason", label_of(static_cast<gateway_queue::loss>(i))}});
  up_.Set(1);
}

gateway_report::~gateway_report() {
  if (has_unlogged())
    log_losses();
}

void gateway_report::failed(const token& to, service_type service, std::string_view why) {
  of(service).failed->Increment();
  if (service != service_type::version)
    return;
  // Nobody else is told: the page may have left before the gateway has answered.
  ++unsent_versions_;
  unsent_to_ = to;
  unsent_why_ = why;
}

void gateway_report::lost(service_type service, gateway_queue::loss why) {
  of(service).failed->Increment();
  const auto reason = static_cast<std::size_t>(why);
  losses_[reason]->Increment();
  ++unlogged_[reason];
  ++unlogged_services_[static_cast<std::size_t>(service)];
}

void gateway_report::close_lost() {
  closes_lost_.Increment();
  ++unlogged_closes_;
}

void gateway_report::gone(const token& stream, std::string_view why) {
  log::debug(component, "stream_gone", {{"token", stream.str()}, {"why", why}});
  caf::anon_send(owner_, delivery_failed{stream, std::string{why}});
}

void gateway_report::ended(const token& stream) {
  log::debug(component, "stream_ended", {{"token", stream.str()}});
  caf::anon_send(owner_, stream_closed{stream, end_reason::server_closed});
}

void gateway_report::settled(const delivery_settled& fact) {
  caf::anon_send(owner_, fact);
}

void gateway_report::gateway_down(std::string_view why) {
  up_.Set(0);
  log::warning(component, "gateway_down", {{"shard", shard_}, {"why", why}});
}

void gateway_report::gateway_up() {
  up_.Set(1);
  log::info(component, "gateway_up", {{"shard", shard_}});
}

void gateway_report::posted(
  const gateway_queue::attempt& what, const send_outcome& outcome, double seconds) {
  if (what.what && what.what->published)
    of(what.what->service).duration->Observe(seconds);
  if (outcome.result == send_result::refused)
    log::error(component, "event_refused", {{"token", what.to.str()}, {"why", outcome.why}});
  if (!outcome.why.empty())
    last_trouble_ = outcome.why;
  if (!what.probe())
    return;
  if (outcome.result == send_result::gone)
    probes_gone_.Increment();
  else if (outcome.result == send_result::delivered || outcome.result == send_result::refused)
    probes_alive_.Increment();
  else
    probes_failed_.Increment();
}

void gateway_report::note(const gateway_queue& queue, std::chrono::steady_clock::time_point now) {
  depth_.Set(static_cast<double>(queue.waiting()));
  bytes_.Set(static_cast<double>(queue.waiting_bytes()));
  streams_.Set(static_cast<double>(queue.streams()));
  if (!has_unlogged() || (logged_ && now - *logged_ < log_pause))
    return;
  logged_ = now;
  log_losses();
}

std::optional<std::chrono::steady_clock::time_point> gateway_report::note_due() const {
  if (!has_unlogged() || !logged_)
    return std::nullopt;
  return *logged_ + log_pause;
}

bool gateway_report::has_unlogged() const {
  const auto events = std::accumulate(unlogged_.begin(), unlogged_.end(), std::size_t{0});
  return events + unlogged_closes_ + unsent_versions_ != 0;
}

void gateway_report::log_losses() {
  const auto of_service = [this](service_type service) {
    return unlogged_services_[static_cast<std::size_t>(service)];
  };
  const auto unsent = std::exchange(unsent_versions_, 0);
  if (unsent != 0)
    log::error(
      component, "versions_not_sent",
      {{"shard", shard_},
       {"count", unsent},
       {"last_token", unsent_to_.str()},
       {"why", unsent_why_}});
  if (!has_unlogged())
    return;
  log::error(
    component, "events_lost",
    {{"shard", shard_},
     {"version", of_service(service_type::version)},
     {"task", of_service(service_type::task)},
     {"event", of_service(service_type::event)},
     {"closes", unlogged_closes_},
     {"expired", unlogged_[0]},
     {"stream_full", unlogged_[1]},
     {"shard_full", unlogged_[2]},
     {"last_trouble", last_trouble_}});
  unlogged_ = {};
  unlogged_services_ = {};
  unlogged_closes_ = 0;
}

} // namespace herald
