#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/architecture/source_tree.hpp"

namespace herald::testing {

/// More files than this make a room another list that nobody reads.
inline constexpr std::size_t max_files_in_a_room = 25;

/// A folder of the product whose files have one subject.
struct room {
  std::string name;
  std::string purpose;
  std::set<std::string> may_include;
};

/// The rooms of a list in the form of rooms.txt; a line that is none throws `std::runtime_error`.
[[nodiscard]] std::vector<room> parse_rooms(std::string_view list);

/// What is wrong with the list itself: a room twice, without a purpose or with an arrow to one that
/// is not listed; rooms that include each other, by whatever way.
[[nodiscard]] std::vector<std::string> complaints_about(const std::vector<room>& rooms);

/// What is wrong with files: outside of every room, too many in one, an include that the list does
/// not have; a room that has no files.
[[nodiscard]] std::vector<std::string>
complaints_about(const std::vector<room>& rooms, const std::vector<source>& files);

} // namespace herald::testing
