#include "messages/json/json_texts.hpp"

#include <gtest/gtest.h>

#include "messages/errors.hpp"
#include "messages/json/json_text.hpp"

namespace herald {
namespace {

using texts = std::vector<std::string>;

TEST(JsonTexts, AreTheStringsOfAnArray) {
  EXPECT_EQ(*read_texts(R"(["a"])", 3), texts{"a"});
  EXPECT_EQ(*read_texts(R"([ "a", "b" , "" ])", 3), (texts{"a", "b", ""}));
  EXPECT_EQ(*read_texts(R"(["\u00e9\n\"","[1]"])", 3), (texts{"\xc3\xa9\n\"", "[1]"}));
}

TEST(JsonTexts, MayBeLong) {
  const std::string text(1'000'000, 'x');
  EXPECT_EQ(*read_texts("[" + json_string(text) + ",\"a\"]", 2), (texts{text, "a"}));
}

TEST(JsonTexts, AreNothingElse) {
  const struct {
    const char* text;
    ec code;
    const char* field;
    const char* detail;
  } cases[] = {
    {R"([])", ec::invalid_field, "", "must not be empty"},
    {R"(["a","b","c","d"])", ec::invalid_field, "", "must have at most 3 items"},
    {R"([1])", ec::invalid_field, "[0]", "must be a string, not a number"},
    {R"(["a",-1.5e3])", ec::invalid_field, "[1]", "must be a string, not a number"},
    {R"(["a","b",null])", ec::invalid_field, "[2]", "must be a string, not null"},
    {R"([true])", ec::invalid_field, "[0]", "must be a string, not a boolean"},
    {R"(["a",["b"]])", ec::invalid_field, "[1]", "must be a string, not an array"},
    {R"(["a",{"b":1}])", ec::invalid_field, "[1]", "must be a string, not an object"},
    {R"("a")", ec::invalid_field, "", "must be an array, not a string"},
    {R"({"a":1})", ec::invalid_field, "", "must be an array, not an object"},
    {R"(1)", ec::invalid_field, "", "must be an array, not a number"},
    {R"(["a")", ec::invalid_json, "", "the JSON text ends too early"},
    {R"(["a"]x)", ec::invalid_json, "", ""},
  };
  for (const auto& c : cases) {
    const auto result = read_texts(c.text, 3);
    ASSERT_FALSE(result) << c.text;
    const auto why = describe(result.error());
    EXPECT_EQ(why.code, c.code) << c.text;
    EXPECT_EQ(why.field, c.field) << c.text;
    if (*c.detail != '\0') {
      EXPECT_EQ(why.detail, c.detail) << c.text;
    }
  }
}

} // namespace
} // namespace herald
