#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <optional>

#include <caf/mailbox_element.hpp>

namespace herald {

/// Messages of an actor that cannot handle any now, in the order in which they came.
///
/// CAF's own `skip` looks again, after each message that was not skipped, at all that were: with
/// some refused and some kept, its cost would grow with the square of their number.
class stash {
public:
  struct entry {
    caf::mailbox_element_ptr letter;
    /// How often its handler has thrown before.
    unsigned failures = 0;
  };

  void push_back(caf::mailbox_element_ptr letter, bool refusable);
  /// Puts a message in front of all others; it is not refused any more.
  void push_front(entry next);

  /// The first message; there must be one.
  entry pop_front();
  /// The first message that may be refused, or null.
  caf::mailbox_element_ptr pop_refusable();

  [[nodiscard]] bool empty() const noexcept { return letters_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return letters_.size(); }

private:
  std::list<entry> letters_;
  std::deque<std::list<entry>::iterator> refusable_;
};

} // namespace herald
