#include "http/streams/stream_endpoint.hpp"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <caf/send.hpp>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "actors/telemetry/log.hpp"
#include "http/admission/client_limits.hpp"
#include "http/admission/stream_limits.hpp"
#include "http/sockets/descriptor_table.hpp"
#include "http/sockets/listeners.hpp"
#include "http/sockets/tcp_progress.hpp"
#include "http/streams/loop_inbox.hpp"
#include "http/streams/stream_loop.hpp"

namespace herald {

namespace {

constexpr std::string_view component = "stream-endpoint";
/// Connections in a chain of the kernel's. A million streams in 262,144 chains cost a fifth of all
/// CPU in a broadcast.
constexpr std::size_t far_beyond = 3;

unsigned core_count() {
  return std::max(1U, std::thread::hardware_concurrency());
}

unsigned thread_count(const stream_settings& options) {
  return options.threads != 0 ? static_cast<unsigned>(options.threads) : core_count();
}

/// Signals are for the main thread.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

/// More loops than there are cores go behind the registry and the API where all have work: a
/// publish waits for those two, and its event then for one loop, whose own streams are no later for
/// it. With 16 loops on two cores, 60,000 streams and a broadcast a second, a publish takes 8 ms
/// instead of 13 at the 99th percentile; with SCHED_BATCH instead it takes 13. Nobody needs a right
/// for this, in containers neither; where it is forbidden all the same, loops stay as they are.
void step_behind_others() {
  constexpr int steps = 5;
  const auto self = static_cast<id_t>(::gettid());
  (void)::setpriority(PRIO_PROCESS, self, ::getpriority(PRIO_PROCESS, self) + steps);
}

void warn_of_long_chains(std::size_t max_streams) {
  const auto chains = established_chains();
  if (chains && max_streams / far_beyond > *chains)
    log::warning(
      component, "kernel_chains_long",
      {{"max_streams", max_streams},
       {"chains", *chains},
       {"what",
        "the kernel looks each packet up in a chain of so many connections: start it with a larger "
        "thash_entries"}});
}

/// A loop as its endpoint has it: everything but the loop itself, which lives on its thread.
struct loop_seat {
  loop_seat(caf::actor_system& system, std::vector<owned_fd> listening, prometheus::Gauge& depth)
    : inbox(system, &depth),
      listeners(std::move(listening)) {}

  loop_inbox inbox;
  /// In the table of the process, until the loop has them in its own.
  std::vector<owned_fd> listeners;
  std::thread thread;
};

} // namespace

struct stream_endpoint::inside {
  inside(
    caf::actor_system& system, const stream_options& options, const stream_owner_actor& owner,
    metrics& numbers, const supervisor_actor& supervisor, listeners sockets)
    : port(sockets.port),
      descriptors(raise_descriptor_limit()),
      per_loop(stream_loop::streams_in(descriptors)),
      limits(
        std::min(options.max_streams, per_loop * sockets.sets.size()),
        options.max_streams_per_address, options.limits.streams),
      clients(options.replay_per_minute_bytes, options.limits, numbers),
      around{system, options, owner, limits, clients, numbers, descriptors, supervisor} {
    for (auto& listening : sockets.sets) {
      const auto name = stream_loop::name_of(static_cast<unsigned>(seats.size()));
      seats.emplace_back(
        system, std::move(listening),
        numbers.gauge("herald_actor_mailbox_depth", "Messages waiting.", {{"actor", name}}));
    }
  }

  void seat_loop(loop_seat& seat, unsigned index, std::latch& seated);

  std::uint16_t port;
  std::size_t descriptors;
  std::size_t per_loop;
  stream_limits limits;
  client_limits clients;
  stream_loop::surroundings around;
  /// A deque: seats stay where they are.
  std::deque<loop_seat> seats;

  std::mutex mutex;
  std::condition_variable changed;
  std::size_t drained = 0;
};

/// The life of a loop's thread.
void stream_endpoint::inside::seat_loop(loop_seat& seat, unsigned index, std::latch& seated) {
  block_signals();
  if (seats.size() > core_count())
    step_behind_others();
  ::pthread_setname_np(::pthread_self(), "stream-loop");
  std::vector<owned_fd> own;
  std::vector<int> kept = {seat.inbox.wake_descriptor()};
  for (const auto& listener : seat.listeners)
    own.emplace_back(kept.emplace_back(listener.get()));
  for (const auto end : {around.options.to_api, around.options.from_api})
    if (end >= 0)
      kept.push_back(end);
  if (!take_own_descriptors(kept)) {
    log::warning(component, "descriptors_shared", {{"loop", index}});
    // The table of the process stays the one that the listeners are in.
    for (auto& listener : seat.listeners)
      (void)listener.release();
  }
  seated.count_down();
  try {
    stream_loop{around, index, std::move(own), seat.inbox}.run();
  } catch (const std::exception& e) {
    log::error(component, "loop_died", {{"loop", index}, {"what", e.what()}});
    if (around.supervisor)
      caf::anon_send(
        around.supervisor, child_failed{stream_loop::name_of(index), 0, e.what(), true});
  }
  seat.inbox.loop_ended();
}

stream_endpoint::stream_endpoint(
  caf::actor_system& system, const stream_options& options, const stream_owner_actor& owner,
  metrics& numbers, const supervisor_actor& supervisor)
  : inside_(std::make_unique<inside>(
    system, options, owner, numbers, supervisor,
    listen_on(options.host, options.port, thread_count(options), options.unreachable_s))) {}

stream_endpoint::~stream_endpoint() {
  for (auto& seat : inside_->seats) {
    if (!seat.thread.joinable())
      continue;
    seat.inbox.put(stop_loop{});
    seat.thread.join();
  }
}

std::uint16_t stream_endpoint::port() const noexcept {
  return inside_->port;
}

void stream_endpoint::start() {
  auto& in = *inside_;
  const auto& options = in.around.options;
  log::info(
    component, "listening",
    {{"host", options.host},
     {"port", in.port},
     {"loops", in.seats.size()},
     {"descriptors_per_loop", in.descriptors},
     {"max_streams", in.limits.total()}});
  if (in.limits.total() < options.max_streams)
    log::info(
      component, "max_streams_lowered",
      {{"wanted", options.max_streams},
       {"max_streams", in.limits.total()},
       {"threads_needed", (options.max_streams + in.per_loop - 1) / in.per_loop}});
  warn_of_long_chains(options.max_streams);
  std::latch seated{static_cast<std::ptrdiff_t>(in.seats.size())};
  for (unsigned index = 0; index < in.seats.size(); ++index)
    in.seats[index].thread = std::thread{[&in, index, &seated] {
      in.seat_loop(in.seats[index], index, seated);
    }};
  seated.wait();
  if (in.around.supervisor)
    for (unsigned index = 0; index < in.seats.size(); ++index)
      caf::anon_send(
        in.around.supervisor,
        in.seats[index].inbox.as_child(stream_loop::name_of(index), "stream-loop"));
  // Or the port would stay open when a loop closes its own.
  for (auto& seat : in.seats)
    seat.listeners.clear();
}

void stream_endpoint::reconfigure(const stream_settings& now, const limit_settings& each) {
  auto& in = *inside_;
  in.limits.change(
    std::min(now.max_streams, in.per_loop * in.seats.size()), now.max_streams_per_address,
    each.streams);
  in.clients.change(each);
  const auto settings = std::make_shared<const stream_settings>(now);
  for (auto& seat : in.seats)
    seat.inbox.put(change_settings{settings});
}

void stream_endpoint::drain(std::chrono::steady_clock::time_point deadline) {
  auto& in = *inside_;
  for (auto& seat : in.seats)
    seat.inbox.put(drain_loop{[&in] {
      // Told under the lock: whoever waits may be gone with it right after.
      const std::lock_guard lock{in.mutex};
      ++in.drained;
      in.changed.notify_all();
    }});
  std::unique_lock lock{in.mutex};
  const bool all =
    in.changed.wait_until(lock, deadline, [&in] { return in.drained == in.seats.size(); });
  log::info(component, "drained", {{"complete", all}});
}

} // namespace herald
