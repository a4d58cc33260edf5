#include "http/sockets/descriptor_table.hpp"

#include <algorithm>
#include <limits>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "actors/system/owned_fd.hpp"

namespace herald {

namespace {

constexpr unsigned first_not_standard = 3;

/// Closes [first, last), whatever of it is open.
void close_all(unsigned first, unsigned last) {
  if (first >= last || ::close_range(first, last - 1, 0) == 0)
    return;
  // A kernel before 5.9.
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto end = std::min<rlim_t>(last, limit.rlim_cur);
  for (auto fd = first; fd < end; ++fd)
    owned_fd{static_cast<int>(fd)}.close();
}

} // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

bool take_own_descriptors(std::vector<int> keep) {
#ifdef __SANITIZE_THREAD__
  // ThreadSanitizer keeps one table for the process: the same number in two of them is a race to
  // it.
  return false;
#endif
  if (::unshare(CLONE_FILES) != 0)
    return false;
  std::sort(keep.begin(), keep.end());
  auto next = first_not_standard;
  for (const auto fd : keep) {
    close_all(next, static_cast<unsigned>(fd));
    next = std::max(next, static_cast<unsigned>(fd) + 1);
  }
  close_all(next, std::numeric_limits<unsigned>::max());
  return true;
}

} // namespace herald
