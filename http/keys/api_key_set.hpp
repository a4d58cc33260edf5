#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "http/auth/digests.hpp"
#include "http/keys/api_caller.hpp"
#include "http/keys/api_key.hpp"

namespace herald {

/// The keys that are good now. Never changes: another set takes its place.
class api_key_set {
public:
  api_key_set() = default;
  /// `each` is what a key is good for without a rate of its own. Whoever had a rate in `former`
  /// that has not changed goes on with what is left of it.
  api_key_set(
    const std::vector<api_key>& keys, const publish_limits& each, const api_key_set& former = {});

  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

  /// Whose key it is; null: nobody's. The digests are compared in a time that depends on their
  /// number alone.
  [[nodiscard]] api_caller_ptr find(std::string_view presented) const;

private:
  struct entry {
    bits256 digest;
    api_caller_ptr who;
  };

  std::vector<entry> entries_;
};

} // namespace herald
