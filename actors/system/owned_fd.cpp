#include "actors/system/owned_fd.hpp"

#include <unistd.h>

namespace herald {

owned_fd& owned_fd::operator=(owned_fd&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.release();
  }
  return *this;
}

void owned_fd::close() noexcept {
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

} // namespace herald
