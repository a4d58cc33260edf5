#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/system/owned_fd.hpp"

namespace herald::testing {

/// Catches what is logged while it lives, from `info` on: standard error goes to a file. Any thread
/// may log meanwhile; one with descriptors of its own (a stream loop) must begin after this.
class log_capture {
public:
  log_capture();
  log_capture(const log_capture&) = delete;
  log_capture& operator=(const log_capture&) = delete;
  ~log_capture();

  /// The lines of this event so far, without their time: "error gateway-sender events_lost
  /// shard=0".
  [[nodiscard]] std::vector<std::string> lines(std::string_view event) const;

private:
  owned_fd file_;
  owned_fd saved_;
};

} // namespace herald::testing
