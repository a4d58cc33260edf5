#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "tests/bench/swarm/run.hpp"

namespace herald::bench {

namespace {

using json = nlohmann::ordered_json;

double ratio(double a, double b) {
  return b > 0 ? a / b : 0;
}

/// Rounded to what can be meant.
double figure(double value) {
  return std::round(value * 1000) / 1000;
}

json latency(const latency_histogram& times) {
  const auto us = [](nanos t) {
    return figure(static_cast<double>(t) / 1000);
  };
  return {
    {"count", times.count()},
    {"p50", us(times.percentile(50))},
    {"p90", us(times.percentile(90))},
    {"p99", us(times.percentile(99))},
    {"p99.9", us(times.percentile(99.9))},
    {"max", us(times.max())},
  };
}

json streams(const run_result::streams& s) {
  return {
    {"opened", s.opened},
    {"failed", s.failed},
    {"pending", s.pending},
    {"reopened", s.reopened},
    {"ended_by_server", s.ended_by_server},
    {"lagged", s.lagged},
    {"open_at_end", s.open_at_end},
    {"receiver_threads", s.threads},
    {"open_s", figure(to_seconds(s.open_time))},
    {"opened_per_s", figure(ratio(static_cast<double>(s.opened), to_seconds(s.open_time)))},
    {"open_us", latency(s.opening)},
    {"bytes", s.bytes},
    {"malformed", s.malformed},
  };
}

json publishing(const publish_tally& p) {
  const auto wall = p.measured_since == 0 ? 0 : to_seconds(p.ended - p.measured_since);
  return {
    {"events", p.events},
    {"requests", p.requests},
    {"answered", p.answered},
    {"failed", p.failed},
    {"failed_status", p.failed_status},
    {"reconnects", p.reconnects},
    {"late", p.late},
    {"impatient", p.impatient},
    {"aborted", p.aborted},
    {"measured_events", p.measured_events},
    {"requests_per_s", figure(ratio(static_cast<double>(p.measured_answers), wall))},
    {"events_per_s", figure(ratio(static_cast<double>(p.measured_events), wall))},
    {"round_trip_us", latency(p.round_trip)},
  };
}

json deliveries(const run_result& r) {
  const auto& d = r.deliveries;
  const auto from = r.publishing.measured_since;
  const auto wall = from != 0 && d.last_measured > from ? to_seconds(d.last_measured - from) : 0;
  return {
    {"count", d.delivered},
    {"lost", d.lost},
    {"duplicated", d.duplicated},
    {"out_of_order", d.out_of_order},
    {"orders", d.orders.size()},
    {"not_owed", d.not_owed},
    {"other_events", d.other},
    {"measured", d.measured},
    {"wall_s", figure(wall)},
    {"per_s", figure(ratio(static_cast<double>(d.measured), wall))},
    {"latency_us", latency(d.latency)},
  };
}

json slow(const slow_tally& s) {
  return {{"ended_by_server", s.ended_by_server}, {"told", s.told}, {"lost", s.lost}};
}

json server(const run_result& r) {
  const auto used = r.cpu_end.server - r.cpu_measured.server;
  const auto wall = to_seconds(r.cpu_end.at - r.cpu_measured.at);
  const auto opening = r.cpu_opened.server - r.cpu_before.server;
  const auto idle = r.cpu_idle.server - r.cpu_opened.server;
  const auto each = [&](double sum, std::uint64_t count) {
    return figure(ratio(sum * 1e6, static_cast<double>(count)));
  };
  return {
    {"processes", r.processes},
    {"cpu_s", figure(used)},
    {"user_s", figure(r.cpu_end.server_user - r.cpu_measured.server_user)},
    {"system_s", figure(r.cpu_end.server_system - r.cpu_measured.server_system)},
    {"cores", figure(ratio(used, wall))},
    {"cpu_us_per_delivery", each(used, r.deliveries.measured)},
    {"cpu_us_per_request", each(used, r.publishing.measured_answers)},
    {"cpu_us_per_event", each(used, r.publishing.measured_events)},
    {"cpu_us_per_open", each(opening, r.clients.opened)},
    {"idle_cores", figure(ratio(idle, to_seconds(r.cpu_idle.at - r.cpu_opened.at)))},
  };
}

json memory(const run_result& r) {
  const auto streams = static_cast<double>(r.clients.opened);
  const auto each = [&](std::uint64_t before, std::uint64_t after) {
    const auto more = (static_cast<double>(after) - static_cast<double>(before)) * 1024;
    return std::round(ratio(more, streams));
  };
  return {
    {"rss_before_kb", r.memory_before.rss},
    {"rss_idle_kb", r.memory_idle.rss},
    {"rss_end_kb", r.memory_end.rss},
    {"pss_before_kb", r.memory_before.pss},
    {"pss_idle_kb", r.memory_idle.pss},
    {"pss_end_kb", r.memory_end.pss},
    {"bytes_per_stream", each(r.memory_before.pss, r.memory_idle.pss)},
    {"bytes_per_stream_end", each(r.memory_before.pss, r.memory_end.pss)},
    {"kernel_bytes_per_stream_both_ends", each(r.memory_before.slab, r.memory_idle.slab)},
    {"tcp_buffers_before_kb", r.memory_before.tcp_buffers},
    {"tcp_buffers_idle_kb", r.memory_idle.tcp_buffers},
    {"tcp_buffers_end_kb", r.memory_end.tcp_buffers},
    {"rss_kb", r.rss},
  };
}

/// What the rest of the machine did meanwhile, in cores: with more than a little of it a run tells
/// nothing about the server.
json noise(const cpu_reading& from, const cpu_reading& to) {
  const auto wall = to_seconds(to.at - from.at);
  const auto others = (to.machine - from.machine) - (to.server - from.server)
                      - (to.beside - from.beside) - (to.client - from.client);
  return {
    {"other_cores", figure(std::max(0.0, ratio(others, wall)))},
    {"stolen_cores", figure(ratio(to.stolen - from.stolen, wall))},
    {"client_cores", figure(ratio(to.client - from.client, wall))},
  };
}

const char* name_of(pacing mode) {
  switch (mode) {
  case pacing::none:
    return "none";
  case pacing::closed:
    return "closed";
  case pacing::rate:
    return "rate";
  case pacing::flat:
    return "flat";
  }
  return "";
}

} // namespace

std::string report(const options& wanted, const run_result& result) {
  const bool published = wanted.publish.mode != pacing::none;
  const json line = {
    {"label", wanted.label},
    {"mode", name_of(wanted.publish.mode)},
    {"streams", streams(result.clients)},
    {"publishing", publishing(result.publishing)},
    {"deliveries", deliveries(result)},
    {"slow_readers", slow(result.slow)},
    {"server", server(result)},
    {"memory", memory(result)},
    {"machine", noise(published ? result.cpu_measured : result.cpu_before, result.cpu_end)},
  };
  return line.dump();
}

} // namespace herald::bench
