// Preloaded into herald: every fsync takes as long as SLOW_FSYNC_MS says, as on a bad disk.

#include <cstdlib>

#include <dlfcn.h>
#include <unistd.h>

namespace {

int wait_and_call(const char* name, int fd) {
  static const char* const time = std::getenv("SLOW_FSYNC_MS");
  ::usleep(1000U * static_cast<unsigned>(time == nullptr ? 0 : std::atoi(time)));
  using function = int (*)(int);
  return reinterpret_cast<function>(::dlsym(RTLD_NEXT, name))(fd);
}

} // namespace

extern "C" int fsync(int fd) {
  return wait_and_call("fsync", fd);
}

extern "C" int fdatasync(int fd) {
  return wait_and_call("fdatasync", fd);
}
