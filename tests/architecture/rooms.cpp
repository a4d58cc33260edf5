#include "tests/architecture/rooms.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <stdexcept>

namespace herald::testing {

namespace {

std::vector<std::string> parts_of(const std::string& text, char separator) {
  std::vector<std::string> result;
  std::istringstream in{text};
  for (std::string part; std::getline(in, part, separator);) {
    const auto first = part.find_first_not_of(' ');
    const auto last = part.find_last_not_of(' ');
    result.push_back(first == std::string::npos ? "" : part.substr(first, last - first + 1));
  }
  return result;
}

room parse_room(const std::string& line) {
  const auto columns = parts_of(line, '|');
  if (columns.size() != 3)
    throw std::runtime_error{"no room: " + line};
  room result{columns[0], columns[1], {}};
  if (columns[2] != "-")
    for (const auto& name : parts_of(columns[2], ','))
      result.may_include.insert(name);
  return result;
}

using arrows = std::map<std::string, std::set<std::string>>;

arrows arrows_of(const std::vector<room>& rooms) {
  arrows result;
  for (const auto& r : rooms)
    result[r.name] = r.may_include;
  return result;
}

/// Where the arrows lead from a room, itself only if there is a way back.
std::set<std::string> reachable(const arrows& from, const std::string& name) {
  std::set<std::string> seen;
  std::vector<std::string> todo{name};
  while (!todo.empty()) {
    const auto at = from.find(todo.back());
    todo.pop_back();
    if (at == from.end())
      continue;
    for (const auto& next : at->second)
      if (seen.insert(next).second)
        todo.push_back(next);
  }
  return seen;
}

} // namespace

std::vector<room> parse_rooms(std::string_view list) {
  std::vector<room> result;
  std::istringstream in{std::string{list}};
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && !line.starts_with('#'))
      result.push_back(parse_room(line));
  return result;
}

std::vector<std::string> complaints_about(const std::vector<room>& rooms) {
  std::vector<std::string> result;
  const auto all = arrows_of(rooms);
  if (all.size() != rooms.size())
    result.emplace_back("a room is listed twice");
  for (const auto& r : rooms) {
    if (r.purpose.empty())
      result.push_back(r.name + " has no purpose");
    for (const auto& name : r.may_include)
      if (!all.contains(name))
        result.push_back(r.name + " may include " + name + ", which is not listed");
    if (reachable(all, r.name).contains(r.name))
      result.push_back(r.name + " is in a circle");
  }
  return result;
}

std::vector<std::string>
complaints_about(const std::vector<room>& rooms, const std::vector<source>& files) {
  std::vector<std::string> result;
  const auto all = arrows_of(rooms);
  std::map<std::string, std::size_t> sizes;
  for (const auto& file : files) {
    const auto home = file.folder();
    ++sizes[home];
    const auto found = all.find(home);
    if (found == all.end()) {
      result.push_back(file.path + " is in no room");
      continue;
    }
    for (const auto& path : file.own_includes()) {
      const auto other = path.substr(0, path.rfind('/'));
      if (other != home && !found->second.contains(other))
        result.push_back(
          file.path + " includes " + path + ", but " + home + " may not include " + other);
    }
  }
  for (const auto& [name, may_include] : all) {
    const auto size = sizes[name];
    if (size == 0)
      result.push_back(name + " has no files");
    if (size > max_files_in_a_room)
      result.push_back(name + " has " + std::to_string(size) + " files");
  }
  return result;
}

} // namespace herald::testing
