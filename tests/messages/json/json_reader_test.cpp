#include "messages/json/json_reader.hpp"

#include <gtest/gtest.h>

#include "messages/json/json_objects.hpp"

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
  EXPECT_EQ(in->optional_json("d"), R"({"k":[1,2]})");
  EXPECT_EQ(in->id("e"), request_id{"X"});
  EXPECT_EQ(in->nullable_text("f"), std::nullopt);
  EXPECT_EQ(in->optional_json("g"), "\"s\"");
  EXPECT_EQ(in->optional_text("h"), std::nullopt);
  EXPECT_EQ(in->optional_json("i"), std::nullopt);
  EXPECT_FALSE(in->finish());
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
    {R"()", ec::invalid_json, "", "JSON is wanted, and there is no text"},
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

TEST(JsonReader, GivesTheStringsOfAnArray) {
  auto in = read_object(R"({"a":["x","\u00e9"],"b":"X","c":["X","Y"]})");
  ASSERT_TRUE(in);
  EXPECT_EQ(in->optional_texts("a", 2), (std::vector<std::string>{"x", "\xc3\xa9"}));
  EXPECT_EQ(in->optional_ids("b", 2), std::vector<request_id>{request_id{"X"}});
  EXPECT_EQ(in->optional_ids("c", 2), (std::vector<request_id>{request_id{"X"}, request_id{"Y"}}));
  EXPECT_EQ(in->optional_texts("d", 2), std::nullopt);
  EXPECT_EQ(in->optional_ids("e", 2), std::nullopt);
  EXPECT_FALSE(in->finish());
}

TEST(JsonReader, NamesTheItemThatIsToBlame) {
  const struct {
    const char* text;
    const char* field;
    const char* detail;
  } cases[] = {
    {R"([{"texts":"x"}])", "[0].texts", "must be an array, not a string"},
    {R"([{"texts":null}])", "[0].texts", "must be an array, not null"},
    {R"([{"texts":[]}])", "[0].texts", "must not be empty"},
    {R"([{"texts":["a","b","c"]}])", "[0].texts", "must have at most 2 items"},
    {R"([{"texts":["a",1]}])", "[0].texts[1]", "must be a string, not a number"},
    {R"([{"texts":["a"],"texts":["b"]}])", "[0].texts", "is given twice"},
    {R"([{},{"ids":["a","b:c"]}])", "[1].ids[1]", "must not contain a colon"},
    {R"([{},{"ids":["a:b","b:c"]}])", "[1].ids[0]", "must not contain a colon"},
    {R"([{"ids":"b:c"}])", "[0].ids", "must not contain a colon"},
    {R"([{"ids":7}])", "[0].ids", "must be a string, not a number"},
    {R"([{"ids":null}])", "[0].ids", "must be a string, not null"},
    {R"([{"ids":[]}])", "[0].ids", "must not be empty"},
    {R"([{"ids":["a",{}]}])", "[0].ids[1]", "must be a string, not an object"},
  };
  for (const auto& c : cases) {
    const auto shape = read_objects(c.text, 9, [](json_reader& in, std::size_t) {
      in.optional_texts("texts", 2);
      in.optional_ids("ids", 2);
      return in.finish();
    });
    ASSERT_FALSE(shape) << c.text;
    const auto why = failure_of(shape.error());
    EXPECT_EQ(why.code, ec::invalid_field) << c.text;
    EXPECT_EQ(why.field, c.field) << c.text;
    EXPECT_EQ(why.detail, c.detail) << c.text;
  }
}

TEST(JsonReader, IgnoresUnknownFieldsWhereAsked) {
  auto in = read_object(R"({"name":"a","other":{"x":[1]}})");
  ASSERT_TRUE(in);
  EXPECT_EQ(in->text("name"), "a");
  EXPECT_FALSE(in->finish_leniently());
}

TEST(JsonReader, RefusesWhatComesTwiceAlsoWhereNobodyAsked) {
  const auto fault = [](const char* text) {
    auto in = read_object(text);
    in->refuse_duplicates();
    in->optional_text("name");
    const auto error = in->finish_leniently();
    return error ? describe(error) : failure{ec::none, {}, {}};
  };
  EXPECT_EQ(fault(R"({"name":"a","other":1,"more":{"other":2}})").code, ec::none);
  EXPECT_EQ(fault(R"({"name":"a","other":1,"other":1})").field, "other");
  EXPECT_EQ(fault(R"({"name":"a","other":1,"\u006fther":1})").field, "other");
  EXPECT_EQ(fault(R"({"name":"a","name":"a"})").detail, "is given twice");
}

TEST(JsonReader, TakesATextForAListOfOne) {
  const auto texts = [](const char* text) {
    auto in = read_object(text);
    auto found = in->optional_text_or_texts("a", 2);
    return in->finish() ? std::nullopt : found;
  };
  using list = std::vector<std::string>;
  EXPECT_EQ(texts(R"({"a":"x"})"), list{"x"});
  EXPECT_EQ(texts(R"({"a":["x","y"]})"), (list{"x", "y"}));
  EXPECT_EQ(texts(R"({"a":[]})"), list{});
  EXPECT_EQ(texts("{}"), std::nullopt);
  for (const auto* bad :
       {R"({"a":["x","y","z"]})", R"({"a":7})", R"({"a":null})", R"({"a":["x",7]})"})
    EXPECT_EQ(texts(bad), std::nullopt) << bad;
}

TEST(JsonReader, CutsALongNameThatIsToBlame) {
  const auto fault = [](const std::string& name) {
    auto in = read_object("{\"" + name + "\":1}");
    return describe(in ? in->finish() : in.error());
  };
  EXPECT_EQ(fault(std::string(128, 'x')).field, std::string(128, 'x'));
  EXPECT_EQ(fault(std::string(7'000'000, 'x')).field, std::string(128, 'x') + "..");
  EXPECT_EQ(fault(std::string(127, 'x') + "\xc3\xa4").field, std::string(127, 'x') + "..");
  EXPECT_LT(fault(std::string(7'000'000, 'x')).detail.size(), 100u);
}

TEST(JsonReader, GivesAllTextsWithTheirNames) {
  auto in = read_object(R"({"b":"1","n":2,"a":"\u00e4","o":{"x":"y"},"b":"3"})");
  ASSERT_TRUE(in);
  using texts = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(in->all_texts(), (texts{{"b", "1"}, {"a", "\u00e4"}, {"b", "3"}}));
  EXPECT_FALSE(in->finish()) << "all of them are known";
}

} // namespace
} // namespace herald
