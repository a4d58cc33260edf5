#pragma once

#include "actors/system/owned_fd.hpp"

namespace herald {

/// An eventfd: wakes threads that poll it. Safe from any thread.
class event_descriptor {
public:
  /// `flags` as eventfd takes them: with EFD_SEMAPHORE each `raise` is a token for one `lower`.
  /// Never blocks. Throws `std::system_error` if there is no descriptor to be had.
  explicit event_descriptor(int flags = 0);

  /// Readable while it is raised.
  [[nodiscard]] int get() const noexcept { return fd_.get(); }
  void raise() const noexcept;
  /// False if it was not raised, or others were quicker.
  bool lower() const noexcept;

private:
  owned_fd fd_;
};

} // namespace herald
