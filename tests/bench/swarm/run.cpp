#include "tests/bench/swarm/run.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include "tests/bench/swarm/progress.hpp"
#include "tests/bench/swarm/stream_clients.hpp"
#include "tests/bench/swarm/stub_gateway.hpp"
#include "tests/bench/swarm/token_book.hpp"

namespace herald::bench {

namespace {

using std::chrono::milliseconds;

constexpr nanos longest_drain = 30 * second;
constexpr double rss_samples = 60;

/// Looks at the server's memory while something is going on.
std::vector<std::uint64_t>
sample_rss(const server_watch& watch, const publish_settings& publish, std::future<void>& work) {
  const auto whole = from_seconds(publish.warmup_s + publish.duration_s);
  const auto step = std::max<nanos>(second / 4, whole / static_cast<nanos>(rss_samples));
  std::vector<std::uint64_t> samples;
  while (work.wait_for(std::chrono::nanoseconds{step}) != std::future_status::ready)
    samples.push_back(watch.rss());
  return samples;
}

/// Waits until all streams have all events, or nothing arrives any more.
void wait_for_rest(const progress& run, std::uint64_t expected, nanos quiet_time) {
  const auto began = now();
  auto seen = run.delivered();
  auto changed = began;
  while (seen < expected && now() < std::min(began + longest_drain, changed + quiet_time)) {
    std::this_thread::sleep_for(milliseconds{2});
    if (const auto delivered = run.delivered(); delivered != seen) {
      seen = delivered;
      changed = now();
    }
  }
}

void publish(
  const publish_settings& wanted, progress& events, const server_watch& watch, run_result& result) {
  publisher source{wanted, events, [&] {
                     result.cpu_measured = watch.cpu();
                   }};
  auto work = std::async(std::launch::async, [&] { source.publish_all(); });
  result.rss = sample_rss(watch, wanted, work);
  work.get();
  result.publishing = source.tally();
}

std::unique_ptr<crowd> crowd_of(const options& wanted, progress& events) {
  if (wanted.gateway.port != 0)
    return std::make_unique<stub_gateway>(wanted.gateway, wanted.streams.count, events);
  return std::make_unique<stream_clients>(wanted.streams, events);
}

/// Enough for every connection of most publishers to be used.
constexpr std::uint64_t rehearsed_events = 20;

void rehearse(const options& wanted) {
  auto few = wanted.streams;
  few.count = std::min(wanted.rehearse, few.count);
  progress ignored;
  ignored.reach = wanted.publish.reach;
  stream_clients clients{few, ignored};
  clients.open();
  if (wanted.publish.mode == pacing::none)
    return;
  auto some = wanted.publish;
  some.events = rehearsed_events;
  some.warmup_s = 0;
  publisher{
    some, ignored,
    [] {
    }}
    .publish_all();
}

} // namespace

run_result run(const options& wanted) {
  if (wanted.rehearse > 0)
    rehearse(wanted);
  std::optional<token_book> backend;
  if (wanted.gateway.backend_port != 0)
    backend.emplace(wanted.gateway.backend_port);
  run_result result;
  progress events;
  events.reach = wanted.publish.reach;
  server_watch watch{wanted.servers, wanted.beside};
  watch.find_descendants();
  result.cpu_before = watch.cpu();
  result.memory_before = watch.memory();

  const auto clients = crowd_of(wanted, events);
  const auto began = now();
  clients->open();
  result.clients.open_time = now() - began;
  // Whatever the server has started for its clients counts, too.
  watch.find_descendants();
  result.processes = watch.processes();
  result.cpu_opened = watch.cpu();
  std::this_thread::sleep_for(milliseconds{static_cast<long>(wanted.settle_s * 1000)});
  result.cpu_idle = result.cpu_measured = watch.cpu();
  result.memory_idle = watch.memory();

  if (wanted.publish.mode != pacing::none) {
    auto settings = wanted.publish;
    if (backend)
      settings.tokens = backend->tokens();
    publish(settings, events, watch, result);
    clients->drain();
    wait_for_rest(
      events, events.published.last() * events.owed_each(),
      from_seconds(wanted.publish.patience_s));
  }
  result.cpu_end = watch.cpu();
  result.memory_end = watch.memory();
  clients->finish();
  clients->tell(result);
  if (events.reach != 0) {
    const auto owed = events.published.last() * events.reach;
    result.deliveries.lost = owed - std::min(owed, result.deliveries.delivered);
  }
  return result;
}

} // namespace herald::bench
