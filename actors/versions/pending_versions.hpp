#pragma once

#include <cstddef>
#include <limits>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "messages/versions.hpp"

namespace herald {

/// The pending versions, at most one per request_id. Past a limit the one that was queued longest
/// ago goes; the last one never does. Pure. What throws (out of memory) changes nothing.
class pending_versions {
public:
  explicit pending_versions(
    std::size_t limit, std::size_t max_bytes = std::numeric_limits<std::size_t>::max())
    : limit_(limit),
      max_bytes_(max_bytes) {}

  /// Keeps this version, over an earlier one of the same request_id. Gives whose versions went.
  std::vector<request_id> put(const request_id& id, pending_version version);

  [[nodiscard]] const pending_version* find(const request_id& id) const;
  [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }
  /// Of texts, and what keeping them costs besides.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// What is wrong with it, or nothing.
  [[nodiscard]] std::optional<std::string> check() const;

private:
  using entry = std::pair<request_id, pending_version>;

  static std::size_t cost(const entry& one) noexcept;
  [[nodiscard]] bool too_many(std::size_t count, std::size_t bytes) const noexcept;

  std::size_t limit_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::list<entry> oldest_first_;
  std::unordered_map<request_id, std::list<entry>::iterator> by_id_;
};

} // namespace herald
