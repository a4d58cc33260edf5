#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace herald::testing {

/// While it is there, this process gets few descriptors more, or none. What is open stays open.
class few_descriptors {
public:
  /// At least `spare` more; where a lower number than the highest is free, some of those too.
  explicit few_descriptors(rlim_t spare = 0) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    // The lowest that is free is the next.
    const auto next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(next);
    const rlimit few{static_cast<rlim_t>(next) + spare, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~few_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  few_descriptors(const few_descriptors&) = delete;
  few_descriptors& operator=(const few_descriptors&) = delete;

private:
  rlimit before_{};
};

} // namespace herald::testing
