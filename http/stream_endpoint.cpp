#include "http/stream_endpoint.hpp"

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

#include "actors/log.hpp"
#include "http/listeners.hpp"
#include "http/stream_limits.hpp"
#include "http/stream_loop.hpp"

namespace herald {

namespace {

constexpr std::string_view component = "stream-endpoint";
/// Descriptors that are not for streams: listeners, the API, clients whose head is being read.
constexpr std::size_t reserved_descriptors = 512;

unsigned thread_count(const stream_options& options) {
  return options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
}

std::size_t stream_limit(const stream_options& options, std::size_t descriptors) {
  const auto reserved = std::min(reserved_descriptors, descriptors / 2);
  return std::min(options.max_streams, descriptors - reserved);
}

/// Signals are for the main thread.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

} // namespace

struct stream_endpoint::inside {
  inside(
    caf::actor_system& system, const stream_options& options, const stream_owner_actor& owner,
    metrics& numbers, listeners sockets)
    : port(sockets.port),
      descriptors(raise_descriptor_limit()),
      limits(stream_limit(options, descriptors), options.max_streams_per_address) {
    const stream_loop::surroundings around{system, options, owner, limits, numbers};
    for (const auto fd : sockets.descriptors)
      loops.push_back(
        std::make_unique<stream_loop>(around, static_cast<unsigned>(loops.size()), fd));
  }

  std::uint16_t port;
  std::size_t descriptors;
  stream_limits limits;
  std::vector<std::unique_ptr<stream_loop>> loops;
  std::vector<std::thread> threads;

  std::mutex mutex;
  std::condition_variable changed;
  std::size_t drained = 0;
};

stream_endpoint::stream_endpoint(
  caf::actor_system& system, stream_options options, stream_owner_actor owner, metrics& numbers)
  : inside_(std::make_unique<inside>(
    system, options, owner, numbers,
    listen_on(options.host, options.port, thread_count(options)))) {
  log::info(
    component, "listening",
    {{"host", options.host},
     {"port", inside_->port},
     {"loops", inside_->loops.size()},
     {"descriptors", inside_->descriptors},
     {"max_streams", inside_->limits.total()}});
}

stream_endpoint::~stream_endpoint() {
  for (auto& loop : inside_->loops)
    loop->stop();
  for (auto& thread : inside_->threads)
    thread.join();
}

std::uint16_t stream_endpoint::port() const noexcept {
  return inside_->port;
}

void stream_endpoint::start() {
  for (auto& loop : inside_->loops) {
    inside_->threads.emplace_back([&loop = *loop] {
      block_signals();
      ::pthread_setname_np(::pthread_self(), "stream-loop");
      loop.run();
    });
  }
}

void stream_endpoint::drain(std::chrono::steady_clock::time_point deadline) {
  auto& in = *inside_;
  for (auto& loop : in.loops)
    loop->drain([&in] {
      // Told under the lock: whoever waits may be gone with it right after.
      const std::lock_guard lock{in.mutex};
      ++in.drained;
      in.changed.notify_all();
    });
  std::unique_lock lock{in.mutex};
  const bool all =
    in.changed.wait_until(lock, deadline, [&in] { return in.drained == in.loops.size(); });
  log::info(component, "drained", {{"complete", all}});
}

} // namespace herald
