#pragma once

#include <fstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace herald::testing {

/// From now on a process gets no memory that would do for the stack of another thread; small blocks
/// it still gets. Not for a sanitizer's.
inline void allow_no_more_threads(pid_t pid) {
  std::ifstream statm{"/proc/" + std::to_string(pid) + "/statm"};
  rlim_t pages = 0;
  statm >> pages;
  constexpr rlim_t spare = rlim_t{1} << 20U;
  const auto size = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + spare;
  const rlimit limit{size, size};
  ::prlimit(pid, RLIMIT_AS, &limit, nullptr);
}

} // namespace herald::testing
