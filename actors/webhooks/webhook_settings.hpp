#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace herald {

/// What a backend is told of by webhook, and how (settings `webhook`).
struct webhook_settings {
  /// Where to; empty: nobody is told. Its query may hold a secret: it is never logged.
  std::string url;
  /// File that has the secrets that batches are signed with, one a line.
  std::string secret_file;
  /// Authorities by which the certificate of an https receiver is checked, as a PEM file; empty:
  /// the system's.
  std::string ca_file;
  std::chrono::milliseconds timeout_ms{10'000};
  /// Of a batch; one event alone may have more bytes.
  std::size_t max_batch_events = 100;
  std::size_t max_batch_bytes = std::size_t{256} << 10U;
  /// Events that wait for their answer, and their bytes; beyond, the oldest are lost.
  std::size_t max_queue_events = 100'000;
  std::size_t max_queue_bytes = std::size_t{64} << 20U;
  /// Events that were not answered by this age are lost.
  std::chrono::milliseconds max_age_s{86'400'000};
  /// Pause before a batch is sent again: doubles with each failure in a row, up to the maximum.
  std::chrono::milliseconds min_backoff_ms{500};
  std::chrono::milliseconds max_backoff_ms{60'000};
  /// File that has url; see `secret_files` in http/config/config.hpp.
  std::string url_file{};
  /// What `secret_file` says: the keys, one or two, the first of which receivers are to know first.
  std::vector<std::string> keys{};
};

} // namespace herald
