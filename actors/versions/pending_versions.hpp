#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "messages/versions.hpp"

namespace herald {

/// The pending versions, at most one per request_id. Past the limit the one that was queued longest
/// ago goes. Pure.
class pending_versions {
public:
  explicit pending_versions(std::size_t limit) : limit_(limit) {}

  /// Keeps this version, over an earlier one of the same request_id. Gives whose versions went.
  std::vector<request_id> put(const request_id& id, pending_version version);

  [[nodiscard]] const pending_version* find(const request_id& id) const;
  [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }

  /// What is wrong with it, or nothing.
  [[nodiscard]] std::optional<std::string> check() const;

private:
  using entry = std::pair<request_id, pending_version>;

  std::size_t limit_;
  std::list<entry> oldest_first_;
  std::unordered_map<request_id, std::list<entry>::iterator> by_id_;
};

} // namespace herald
