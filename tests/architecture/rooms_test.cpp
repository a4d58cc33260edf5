#include "tests/architecture/rooms.hpp"

#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace herald::testing {
namespace {

using texts = std::vector<std::string>;

/// Two rooms, the upper one may include the lower one.
const char* const small_list = "# a comment\n"
                               "\n"
                               "low | is below | -\n"
                               "high | is above | low\n";

source file(std::string path, texts includes = {}) {
  source result{std::move(path), {}};
  for (const auto& name : includes)
    result.lines.push_back("#include \"" + name + "\"");
  return result;
}

texts complaints(const std::string& list, const std::vector<source>& files) {
  return complaints_about(parse_rooms(list), files);
}

TEST(Rooms, AreReadFromTheirList) {
  const auto rooms = parse_rooms("a/b | what it is for | c, d/e\n");
  ASSERT_EQ(rooms.size(), 1u);
  EXPECT_EQ(rooms[0].name, "a/b");
  EXPECT_EQ(rooms[0].purpose, "what it is for");
  EXPECT_EQ(rooms[0].may_include, (std::set<std::string>{"c", "d/e"}));
  EXPECT_THROW(parse_rooms("a/b | what it is for\n"), std::runtime_error);
}

TEST(Rooms, AllowWhatTheirListAllows) {
  EXPECT_EQ(complaints_about(parse_rooms(small_list)), texts{});
  EXPECT_EQ(
    complaints(small_list, {file("low/a.hpp"), file("high/b.cpp", {"high/b.hpp", "low/a.hpp"})}),
    texts{});
}

TEST(Rooms, RefuseAnIncludeThatIsNotListed) {
  EXPECT_EQ(
    complaints(small_list, {file("low/a.hpp", {"high/b.hpp"}), file("high/b.hpp")}),
    texts{"low/a.hpp includes high/b.hpp, but low may not include high"});
}

TEST(Rooms, RefuseACircle) {
  const auto rooms = parse_rooms("a | . | b\nb | . | c\nc | . | a\nd | . | a\n");
  EXPECT_EQ(
    complaints_about(rooms), (texts{"a is in a circle", "b is in a circle", "c is in a circle"}));
}

TEST(Rooms, RefuseAFileOutsideOfThem) {
  EXPECT_EQ(
    complaints(small_list, {file("low/a.hpp"), file("high/b.hpp"), file("high/deep/c.hpp")}),
    texts{"high/deep/c.hpp is in no room"});
}

TEST(Rooms, RefuseToBeCrowdedOrEmpty) {
  std::vector<source> files{file("low/a.hpp")};
  for (std::size_t i = 0; i != max_files_in_a_room; ++i)
    files.push_back(file("high/" + std::to_string(i) + ".hpp"));
  EXPECT_EQ(complaints(small_list, files), texts{});
  files.push_back(file("high/one_more.hpp"));
  EXPECT_EQ(complaints(small_list, files), texts{"high has 26 files"});
  EXPECT_EQ(complaints(small_list, {file("high/b.hpp")}), texts{"low has no files"});
}

TEST(Rooms, RefuseAListThatIsNotInOrder) {
  EXPECT_EQ(complaints_about(parse_rooms("a | | -\n")), texts{"a has no purpose"});
  EXPECT_EQ(
    complaints_about(parse_rooms("a | x | -\na | x | -\n")), texts{"a room is listed twice"});
  EXPECT_EQ(
    complaints_about(parse_rooms("a | x | b\n")), texts{"a may include b, which is not listed"});
}

TEST(Rooms, HoldTheProduct) {
  const auto rooms = parse_rooms(text_of("tests/architecture/rooms.txt"));
  EXPECT_EQ(complaints_about(rooms), texts{});
  EXPECT_EQ(complaints_about(rooms, product()), texts{});
}

/// The rows between the marks of the architecture page, in the form of rooms.txt.
std::string rows_of(const std::string& page) {
  const auto begin = page.find("<!-- rooms -->");
  const auto end = page.find("<!-- /rooms -->");
  std::istringstream in{page.substr(begin, end - begin)};
  std::string result;
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("| `"))
      result += line.substr(2, line.size() - 4) + "\n";
  std::erase(result, '`');
  return result;
}

TEST(Rooms, AreThoseOfTheArchitecturePage) {
  const auto listed = parse_rooms(text_of("tests/architecture/rooms.txt"));
  const auto shown = parse_rooms(rows_of(text_of("deploy/ARCHITECTURE.md")));
  ASSERT_EQ(shown.size(), listed.size());
  for (std::size_t i = 0; i != listed.size(); ++i) {
    EXPECT_EQ(shown[i].name, listed[i].name);
    EXPECT_EQ(shown[i].purpose, listed[i].purpose);
    EXPECT_EQ(shown[i].may_include, listed[i].may_include) << listed[i].name;
  }
}

} // namespace
} // namespace herald::testing
