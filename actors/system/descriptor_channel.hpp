#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "actors/system/owned_fd.hpp"

namespace herald {

/// Hands open descriptors from threads that have tables of descriptors of their own to one that
/// does not share them. A connection travels with the bytes that were read off it.
class descriptor_channel {
public:
  struct parcel {
    owned_fd descriptor;
    std::string bytes;
  };

  /// Throws `std::system_error` if there are no descriptors to be had.
  descriptor_channel();

  /// The end for `send`: to be kept in the tables of those who do.
  [[nodiscard]] int entrance() const noexcept { return entrance_.get(); }

  /// Hands a copy of the descriptor over; never waits. False if too much is under way.
  [[nodiscard]] static bool send(int entrance, int descriptor, std::string_view bytes);

  /// Waits for the next; nothing once the channel is closed.
  [[nodiscard]] std::optional<parcel> receive() const;

  /// The end for `take`: readable while something is there.
  [[nodiscard]] int exit() const noexcept { return exit_.get(); }

  /// Takes the next without waiting. Of several who do, in tables of their own, one gets it.
  [[nodiscard]] static std::optional<parcel> take(int exit);

  /// Ends `receive`, on whatever thread.
  void close() const;

private:
  owned_fd entrance_;
  owned_fd exit_;
};

} // namespace herald
