#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/pages/page_ends.hpp"
#include "messages/connections.hpp"
#include "messages/ids.hpp"

namespace herald {

/// Whose pages are: a page belongs to the subject that opened it, from its first stream until some
/// time after its last; and by what right its stream is open. At most `limit` of them, each with
/// two texts; pages without a stream go first.
///
/// Pure: time is given in. An operation that throws (out of memory) changes nothing.
class page_subjects {
public:
  using time_point = page_ends::time_point;

  explicit page_subjects(std::size_t limit) : limit_(limit) {}

  /// The subject that has the page; null for a page that nobody has.
  [[nodiscard]] const std::string* find(const request_id& id) const;

  /// The page, which nobody has, belongs to the subject until then, unless it is opened. Gives the
  /// page that has to be forgotten for it. False, and no effect, where all that are kept have
  /// streams.
  bool bind(
    const request_id& id, const std::string& subject, time_point until,
    std::optional<request_id>& forgotten);
  /// The stream of a page that is bound is open: it is kept. / It is not: it is until then.
  void opened(const request_id& id, credential_ptr by);
  void closed(const request_id& id, time_point until);
  /// By what right the page's stream is open; null where none is, or without one.
  [[nodiscard]] credential_ptr right_of(const request_id& id) const;
  /// The pages whose streams have a credential that is revoked by this, sorted. A walk over all.
  [[nodiscard]] std::vector<request_id> revoked_by(const revocation& what) const;
  /// Forgets what is due. Gives whose pages that were.
  std::vector<request_id> expire(time_point now);

  [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }
  /// What is wrong with it, or nothing.
  [[nodiscard]] std::optional<std::string> check() const;

private:
  struct entry {
    std::string subject;
    /// While its stream is open.
    credential_ptr by;
    page_ends::place end;
  };
  using entry_map = std::unordered_map<request_id, entry>;

  void erase(entry_map::iterator where) noexcept;

  std::size_t limit_;
  entry_map by_id_;
  /// Of pages without a stream.
  page_ends ends_;
};

} // namespace herald
