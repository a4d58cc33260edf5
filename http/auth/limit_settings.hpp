#pragma once

#include <cstddef>

namespace herald {

/// How much one may try and do, of both ports (settings `limits`). 0: no limit.
struct limit_settings {
  /// What has failed, by address: wrong keys and secrets on one port, credentials on the other.
  std::size_t failed_auth_per_min = 30;
  /// Addresses of which is known what they have done, in each of the tables by address; at least 1.
  std::size_t max_addresses = 65'536;
  /// What a key may publish that has no rate of its own.
  std::size_t publishes_per_s = 0;
  std::size_t publish_bytes_per_s = 0;
  /// Streams of one subject that are open at once. Of an address: `stream.max_streams_per_address`.
  std::size_t streams = 20;
  /// Streams that are opened, or tried to: from one address, and of one subject.
  std::size_t opens_per_s = 50;
  std::size_t subject_opens_per_s = 10;
  /// Missed events of one subject. Of an address: `stream.replay_per_minute_bytes`.
  std::size_t replay_bytes_per_min = std::size_t{16} << 20U;
  /// Subjects of which is known what they have done, in each of the tables by subject; at least 1.
  std::size_t max_subjects = 65'536;
};

} // namespace herald
