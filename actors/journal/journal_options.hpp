#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace herald {

/// How far a written entry has got (`journal.sync`, SQLite's `PRAGMA synchronous`). Each survives
/// the end of herald at any instant, `kill -9` included.
enum class journal_sync : std::uint8_t {
  /// On the disk: survives a power cut.
  full,
  /// With the kernel: a power cut may take the last few seconds, and leaves a good file.
  normal,
  /// As `normal`, but a power cut may leave a damaged file, which the next start sets aside.
  off,
};

/// How herald remembers over a restart (settings `journal`).
struct journal_settings {
  /// Empty: nothing is remembered.
  std::string path;
  journal_sync sync = journal_sync::full;
  /// Events that may wait to be written; with more, publishers are refused.
  std::size_t max_queue_events = 200'000;
  std::size_t max_queue_bytes = std::size_t{64} << 20U;
};

/// The settings, and what is none.
struct journal_options : journal_settings {
  /// What is written in one transaction at most.
  std::size_t max_group_bytes = std::size_t{8} << 20U;
  /// Pause before what could not be written is tried again.
  std::chrono::milliseconds retry{1000};
};

} // namespace herald
