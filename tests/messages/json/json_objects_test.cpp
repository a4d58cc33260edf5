#include "messages/json/json_objects.hpp"

#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

failure failure_of(const caf::error& error) {
  return error ? describe(error) : failure{ec::none, {}, {}};
}

TEST(ReadObject, BoundsTheNumberOfFields) {
  std::string text = "{";
  for (int i = 0; i <= 64; ++i)
    text += "\"" + std::to_string(i) + "\":0,";
  text.back() = '}';
  auto in = read_object(text);
  ASSERT_FALSE(in);
  EXPECT_EQ(failure_of(in.error()).code, ec::invalid_field);
  EXPECT_TRUE(read_object(text, 65));
  EXPECT_FALSE(read_object(text, 63));
  text.replace(text.rfind(','), std::string::npos, "}");
  EXPECT_TRUE(read_object(text)) << "no more than it may have";
}

TEST(ReadObjectLeniently, PassesOverWhatIsNotKnown) {
  std::string text = "{";
  for (int i = 0; i <= 64; ++i)
    text += "\"" + std::to_string(i) + "\":{\"a\":[\"" + std::to_string(i) + "\",{}]},";
  auto in = read_object_leniently(text + R"("a":"x","b":[1, 2]})", {"b", "a"});
  ASSERT_TRUE(in);
  EXPECT_EQ(in->text("a"), "x");
  EXPECT_EQ(in->optional_json("b"), "[1,2]");
  EXPECT_FALSE(in->finish());
}

TEST(ReadObjectLeniently, LetsTheLastOfARepeatedFieldCount) {
  auto in = read_object_leniently(R"({"a":[1],"x":0,"b":"y","a":"z"})", {"a", "b"});
  ASSERT_TRUE(in);
  EXPECT_EQ(in->text("a"), "z");
  EXPECT_EQ(in->text("b"), "y");
  EXPECT_FALSE(in->finish());
}

TEST(ReadObjectLeniently, RefusesWhatIsNoObject) {
  EXPECT_EQ(failure_of(read_object_leniently("[]", {"a"}).error()).code, ec::invalid_field);
  EXPECT_EQ(failure_of(read_object_leniently("{", {"a"}).error()).code, ec::invalid_json);
  EXPECT_EQ(
    failure_of(read_object_leniently(R"({"b":[1,]})", {"a"}).error()).code, ec::invalid_json);
}

struct seen {
  std::vector<std::string> names;
  std::string error;
};

template <class Read>
seen visit(Read read, std::string_view text, std::size_t limit = 10) {
  seen result;
  const auto answer = read(text, limit, [&](json_reader& in, std::size_t index) -> caf::error {
    EXPECT_EQ(index, result.names.size());
    result.names.push_back(in.text("n"));
    return in.finish();
  });
  if constexpr (std::is_same_v<std::decay_t<decltype(answer)>, caf::error>)
    result.error = failure_of(answer).field;
  else
    result.error = answer ? "" : failure_of(answer.error()).field + "!";
  return result;
}

TEST(ReadObjects, TellsAnArrayFromAnObject) {
  const object_visitor ignore = [](json_reader&, std::size_t) {
    return caf::error{};
  };
  EXPECT_EQ(*read_objects("[{},{}]", 2, ignore), json_shape::array);
  EXPECT_EQ(*read_objects("[]", 2, ignore), json_shape::array);
  EXPECT_EQ(*read_objects("{}", 2, ignore), json_shape::object);
}

TEST(ReadObjects, NamesTheElementThatIsToBlame) {
  EXPECT_EQ(visit(read_objects, R"([{"n":"a"},{"n":"b"}])").names.size(), 2u);
  EXPECT_EQ(visit(read_objects, R"([{"n":"a"},{"n":1}])").error, "[1].n!");
  EXPECT_EQ(visit(read_objects, R"([{"n":"a"},{"n":"b","m":1}])").error, "[1].m!");
  EXPECT_EQ(visit(read_objects, R"([{"n":"a"},7])").error, "[1]!");
  EXPECT_EQ(visit(read_objects, R"([[]])").error, "[0]!");
  EXPECT_EQ(visit(read_objects, R"({"n":1})").error, "n!");
}

TEST(ReadObjects, BoundsTheNumberOfObjects) {
  EXPECT_EQ(visit(read_objects, R"([{"n":"a"},{"n":"b"}])", 2).error, "");
  const auto result = visit(read_objects, R"([{"n":"a"},{"n":"b"},{"n":"c"}])", 2);
  EXPECT_EQ(result.error, "!");
  EXPECT_EQ(result.names.size(), 2u);
}

TEST(ReadObjectLines, ReadsOneObjectPerLine) {
  const auto result =
    visit(read_object_lines, "{\"n\":\"a\"}\n\r\n  \n\t\n{\"n\":\"b\"}\r\n{\"n\":\"c\"}");
  EXPECT_EQ(result.names, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(result.error, "");
}

TEST(ReadObjectLines, NamesTheLineThatIsToBlame) {
  EXPECT_EQ(visit(read_object_lines, "{\"n\":\"a\"}\n{\"n\":1}").error, "[1].n");
  EXPECT_EQ(visit(read_object_lines, "{\"n\":\"a\"}\n[{\"n\":\"b\"}]").error, "[1]");
  EXPECT_EQ(visit(read_object_lines, "{\"n\":\"a\"}\n{\"n\":").error, "[1]");
  EXPECT_EQ(visit(read_object_lines, "{\"n\":\"a\"}\n{\"n\":\"b\"} {}").error, "[1]");
}

} // namespace
} // namespace herald
