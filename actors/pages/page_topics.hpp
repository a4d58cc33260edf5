#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/pages/page_ends.hpp"
#include "messages/audience.hpp"
#include "messages/ids.hpp"

namespace herald {

/// What was added to the topics of pages' URLs, and what was removed, while their streams were
/// open. It belongs to the page, and is kept until some time after its last stream. In bytes
/// bounded.
///
/// Pure: time is given in. An operation that throws (out of memory) changes nothing.
class page_topics {
public:
  using time_point = page_ends::time_point;

  /// Patterns; sorted, and in one of the lists at most.
  struct changes {
    std::vector<std::string> added;
    std::vector<std::string> removed;

    friend bool operator==(const changes&, const changes&) = default;
  };

  explicit page_topics(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// The changes of a page that has some.
  [[nodiscard]] const changes* find(const request_id& id) const;
  /// What its changes would be with these as well.
  [[nodiscard]] changes with(
    const request_id& id, const std::vector<std::string>& add,
    const std::vector<std::string>& remove) const;
  /// Keeps the changes of a page whose stream is open. False, and nothing changes, where there is
  /// no room for them.
  bool keep(const request_id& id, changes what);
  /// The page has no changes any more. Whether it had some.
  bool forget(const request_id& id);

  /// The page's stream is open: its changes are kept. / It is not: they are until then.
  void opened(const request_id& id);
  void closed(const request_id& id, time_point until);
  /// Forgets what is due. Gives whose changes that were.
  std::vector<request_id> expire(time_point now);

  [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Where its parts do not agree: what is wrong.
  [[nodiscard]] std::optional<std::string> check() const;

private:
  struct entry {
    changes what;
    page_ends::place end;
  };
  using entry_map = std::unordered_map<request_id, entry>;

  [[nodiscard]] static std::size_t bytes_of(const request_id& id, const changes& what) noexcept;
  void erase(entry_map::iterator where) noexcept;

  std::size_t max_bytes_;
  entry_map by_id_;
  /// Of pages without a stream.
  page_ends ends_;
  std::size_t bytes_ = 0;
};

/// `patterns` with the changes: with what was added, without what was removed.
[[nodiscard]] std::vector<std::string>
changed(std::vector<std::string> patterns, const page_topics::changes& by);

} // namespace herald
