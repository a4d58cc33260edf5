#include "actors/system/secret_source.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/random.h>

namespace herald {

std::uint64_t secret_source::operator()() {
  if (left_ == 0) {
    if (::getrandom(kept_.data(), sizeof kept_, 0) != static_cast<ssize_t>(sizeof kept_))
      throw std::system_error{errno, std::generic_category(), "getrandom"};
    left_ = kept_.size();
  }
  // Given out once, and not to be found here afterwards.
  return std::exchange(kept_.at(--left_), 0);
}

} // namespace herald
