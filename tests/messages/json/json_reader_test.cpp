#include "messages/json/json_reader.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

failure failure_of(const caf::error& error) {
  return error ? describe(error) : failure{ec::none, {}, {}};
}

/// What a small protocol of one required and some optional fields makes of a text.
failure read(std::string_view text) {
  auto in = read_object(text);
  if (!in)
    return failure_of(in.error());
  in->text("name");
  in->optional_number("size");
  in->optional_boolean("on");
  in->optional_object("extra");
  in->optional_id("request_id");
  in->nullable_text("note");
  return failure_of(in->finish());
}

TEST(JsonReader, GivesTheFields) {
  auto in =
    read_object(R"({"a":"x\ny","b":1.5,"c":true,"d":{"k": [1, 2]},"e":"X","f":null,"g":"s"})");
  ASSERT_TRUE(in);
  EXPECT_EQ(in->text("a"), "x\ny");
  EXPECT_EQ(in->number("b"), 1.5);
  EXPECT_EQ(in->optional_boolean("c"), true);
  EXPECT_EQ(in->json("d"), R"({"k":[1,2]})");
  EXPECT_EQ(in->id("e"), request_id{"X"});
  EXPECT_EQ(in->nullable_text("f"), std::nullopt);
  EXPECT_EQ(in->optional_json("g"), "\"s\"");
  EXPECT_EQ(in->optional_text("h"), std::nullopt);
  EXPECT_EQ(in->optional_json("i"), std::nullopt);
  EXPECT_FALSE(in->finish());
}

TEST(JsonReader, ReadsAnObjectInsideOfAnObject) {
  auto in = read_object(R"({"request":{"url":"/x","headers":{"a":["b"]}}})");
  ASSERT_TRUE(in);
  auto request = in->object("request");
  ASSERT_FALSE(in->finish());
  EXPECT_EQ(request.text("url"), "/x");
  request.number("size");
  EXPECT_EQ(failure_of(request.finish_leniently()).field, "request.size");
  EXPECT_EQ(failure_of(request.finish()).field, "request.headers");
}

TEST(JsonReader, NamesTheFieldThatIsToBlame) {
  const struct {
    const char* text;
    ec code;
    const char* field;
    const char* detail;
  } cases[] = {
    {R"({})", ec::invalid_field, "name", "is required"},
    {R"({"name":1})", ec::invalid_field, "name", "must be a string, not a number"},
    {R"({"name":null})", ec::invalid_field, "name", "must be a string, not null"},
    {R"({"name":"a","name":"b"})", ec::invalid_field, "name", "is given twice"},
    {R"({"name":"a","size":"1"})", ec::invalid_field, "size", "must be a number, not a string"},
    {R"({"name":"a","size":1e999})", ec::invalid_field, "size", "is out of range"},
    {R"({"name":"a","on":0})", ec::invalid_field, "on", "must be a boolean, not a number"},
    {R"({"name":"a","extra":[]})", ec::invalid_field, "extra", "must be an object, not an array"},
    {R"({"name":"a","request_id":null})", ec::invalid_field, "request_id",
     "must be a string, not null"},
    {R"({"name":"a","request_id":"a:b"})", ec::invalid_field, "request_id",
     "must not contain a colon"},
    {R"({"naem":"a"})", ec::unknown_field, "naem",
     "is not known here; known are: name, size, on, extra, request_id, note"},
    {R"([])", ec::invalid_field, "", "the body must be an object, not an array"},
    {R"("x")", ec::invalid_field, "", "the body must be an object, not a string"},
    {R"(12)", ec::invalid_field, "", "the body must be an object, not a number"},
    {R"(null)", ec::invalid_field, "", "the body must be an object, not null"},
    {R"({"name":"a"} x)", ec::invalid_json, "", ""},
    {R"()", ec::invalid_json, "", "there is no JSON text"},
  };
  for (const auto& c : cases) {
    const auto why = read(c.text);
    EXPECT_EQ(why.code, c.code) << c.text;
    EXPECT_EQ(why.field, c.field) << c.text;
    if (*c.detail != '\0') {
      EXPECT_EQ(why.detail, c.detail) << c.text;
    }
  }
}

TEST(JsonReader, IgnoresUnknownFieldsWhereAsked) {
  auto in = read_object(R"({"name":"a","other":{"x":[1]}})");
  ASSERT_TRUE(in);
  EXPECT_EQ(in->text("name"), "a");
  EXPECT_FALSE(in->finish_leniently());
}

TEST(JsonReader, BoundsTheNumberOfFields) {
  std::string text = "{";
  for (int i = 0; i <= 64; ++i)
    text += "\"" + std::to_string(i) + "\":0,";
  text.back() = '}';
  auto in = read_object(text);
  ASSERT_FALSE(in);
  EXPECT_EQ(failure_of(in.error()).code, ec::invalid_field);
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
    visit(read_object_lines, "{\"n\":\"a\"}\n\r\n  \n{\"n\":\"b\"}\r\n{\"n\":\"c\"}");
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
