#include "http/sockets/event_descriptor.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

namespace herald {

event_descriptor::event_descriptor(int flags)
  : fd_(::eventfd(0, flags | EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_.get() < 0)
    throw std::system_error{errno, std::generic_category(), "eventfd"};
}

void event_descriptor::raise() const noexcept {
  const std::uint64_t one = 1;
  // Fails only where the counter is full: then it is raised.
  [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);
}

bool event_descriptor::lower() const noexcept {
  std::uint64_t count = 0;
  return ::read(fd_.get(), &count, sizeof count) == sizeof count;
}

} // namespace herald
