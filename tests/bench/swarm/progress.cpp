#include "tests/bench/swarm/progress.hpp"

#include <sys/eventfd.h>

#include "tests/bench/swarm/sockets.hpp"

namespace herald::bench {

progress::progress() : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!wake_)
    throw system_failure("eventfd");
}

void progress::add_delivered(std::uint64_t count) {
  // One of the two sees what the other has written last: this thread the wish, or the publisher
  // the deliveries.
  const auto before = delivered_.fetch_add(count);
  const auto wanted = wanted_.load();
  if (before < wanted && before + count >= wanted)
    ::eventfd_write(wake_.get(), 1);
}

bool progress::wake_at(std::uint64_t total) {
  wanted_.store(total);
  return delivered_.load() < total;
}

void progress::clear_wake() const {
  eventfd_t ignored = 0;
  ::eventfd_read(wake_.get(), &ignored);
}

} // namespace herald::bench
