#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "messages/connections.hpp"
#include "messages/journal.hpp"

namespace herald {

/// Credentials that are not good any more, though they say so themselves: each by its id, or all of
/// a subject that were issued before a time. Each is kept until it can have no effect. At most
/// `limit`, each of which takes two texts.
///
/// Pure: time is given in. An operation that throws (out of memory) changes nothing.
class revocations {
public:
  explicit revocations(std::size_t limit) : limit_(limit) {}

  /// Keeps it until then; one for the same credential or subject is widened, never narrowed. Gives
  /// what is kept now; nothing, and no effect, where there are as many already.
  std::optional<revocation_kept> add(const revocation& what, wall_time until);
  /// Whether a credential is revoked, as of the last `expire`.
  [[nodiscard]] bool covers(const credential& one) const;
  /// Forgets those that can have no effect any more.
  std::vector<revocation_dropped> expire(wall_time now);

  [[nodiscard]] std::size_t size() const noexcept { return by_name_.size(); }
  /// What is wrong with it, or nothing.
  [[nodiscard]] std::optional<std::string> check() const;

private:
  struct name {
    std::string credential_id;
    std::string subject;

    friend bool operator==(const name&, const name&) = default;
  };
  struct name_hash {
    std::size_t operator()(const name& n) const noexcept;
  };
  using time_list = std::multimap<wall_time, name>;
  struct entry {
    wall_time issued_before;
    time_list::iterator end;
  };

  std::size_t limit_;
  std::unordered_map<name, entry, name_hash> by_name_;
  time_list by_time_;
};

/// Whether a revocation is one of this credential.
[[nodiscard]] bool revokes(const revocation& what, const credential& one);

} // namespace herald
