#include "actors/supervision/stash.hpp"

#include <utility>

namespace herald {

void stash::push_back(caf::mailbox_element_ptr letter, bool refusable) {
  letters_.push_back({std::move(letter), 0});
  if (refusable)
    refusable_.push_back(std::prev(letters_.end()));
}

void stash::push_front(entry next) {
  letters_.push_front(std::move(next));
}

stash::entry stash::pop_front() {
  if (!refusable_.empty() && refusable_.front() == letters_.begin())
    refusable_.pop_front();
  auto first = std::move(letters_.front());
  letters_.pop_front();
  return first;
}

caf::mailbox_element_ptr stash::pop_refusable() {
  if (refusable_.empty())
    return nullptr;
  const auto first = refusable_.front();
  refusable_.pop_front();
  auto letter = std::move(first->letter);
  letters_.erase(first);
  return letter;
}

} // namespace herald
