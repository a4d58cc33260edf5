#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <optional>

#include <caf/mailbox_element.hpp>

namespace herald {

/// Messages of an actor that cannot handle any now, in the order in which they came.
///
/// In place of CAF's own `skip`, which looks at all that was skipped again after each message that
/// was not: with some refused and some kept, the cost would grow with the square of their number.
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
  entry take_front();
  /// The first message that may be refused, or null.
  caf::mailbox_element_ptr take_refusable();

  [[nodiscard]] bool empty() const noexcept { return letters_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return letters_.size(); }

private:
  std::list<entry> letters_;
  std::deque<std::list<entry>::iterator> refusable_;
};

} // namespace herald
