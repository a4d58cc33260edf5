#include "messages/json/json_text.hpp"

#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "messages/errors.hpp"

namespace herald {
namespace {

std::string compacted(std::string_view text) {
  auto result = compact_json(text);
  return result ? *result : "error: " + describe(result.error()).detail;
}

bool is_refused(std::string_view text) {
  auto result = compact_json(text);
  return !result && describe(result.error()).code == ec::invalid_json;
}

TEST(CompactJson, DropsWhiteSpaceOnly) {
  EXPECT_EQ(
    compacted(
      " { \"a\" : [ 1 , { } , [ ] , \"x y\" ] ,\n\t\"b\" : null, \"c\":true, \"d\": false }\r\n"),
    R"({"a":[1,{},[],"x y"],"b":null,"c":true,"d":false})");
  EXPECT_EQ(compacted(" [[],[[]],{\"a\":{}}] "), R"([[],[[]],{"a":{}}])");
}

TEST(CompactJson, KeepsTheTextOfNumbers) {
  for (const auto* number :
       {"0", "-0", "1.0", "1.10", "-0.0", "1e5", "1E+05", "1e-400",
        "123456789012345678901234567890", "18446744073709551616", "-9223372036854775809",
        "0.1000000000000000055511151231257827"})
    EXPECT_EQ(compacted(std::string(" ") + number + " "), number);
  EXPECT_EQ(compacted("[1.0, -0]"), "[1.0,-0]");
}

TEST(CompactJson, KeepsOrderAndDuplicatesOfKeys) {
  EXPECT_EQ(compacted(R"({"b":1, "a":2, "b":3})"), R"({"b":1,"a":2,"b":3})");
}

TEST(CompactJson, EscapesNoMoreThanItMust) {
  EXPECT_EQ(compacted(R"("\u0041\/\u00e9\ud83d\ude00")"), "\"A/\u00e9\U0001F600\"");
  EXPECT_EQ(
    compacted(R"("\u000a\u0000\"\\\b\f\n\r\t\u001f")"), R"("\n\u0000\"\\\b\f\n\r\t\u001f")");
  EXPECT_EQ(compacted(R"({"\u0041\n":1})"), R"({"A\n":1})");
}

TEST(CompactJson, IsOneLineWhateverComesIn) {
  EXPECT_EQ(compacted("{\n\"a\":\r\n[\n1,\n\"\\n\"]}"), R"({"a":[1,"\n"]})");
}

TEST(CompactJson, RefusesWhatIsNotJson) {
  for (const auto* text :
       {"",    "  ",       "{",     "}",      "[1,]",    "{\"a\":}",      "{\"a\":1,}", "{a:1}",
        "'a'", "01",       "1.",    ".5",     "+1",      "- 1",           "1e",         "nul",
        "NaN", "Infinity", "[1 2]", "\"a",    "\"\\x\"", "\"\\u12\"",     "1 1",        "{}{}",
        "[]]", "// c\n1",  "/**/1", "\"\t\"", "\"\n\"",  "\xef\xbb\xbf{}"})
    EXPECT_TRUE(is_refused(text)) << text;
}

TEST(CompactJson, RefusesWhatIsNotUtf8) {
  for (const auto* bytes :
       {"\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3",
        "\xe2\x82"}) {
    const auto text = "\"" + std::string(bytes) + "\"";
    EXPECT_TRUE(is_refused(text)) << text;
    EXPECT_TRUE(is_refused("{" + text + ":1}")) << text;
  }
  for (const auto* text : {R"("\ud800")", R"("\ud800x")", R"("\udc00")", R"("\ud800\ud800")"})
    EXPECT_TRUE(is_refused(text)) << text;
}

TEST(CompactJson, BoundsTheDepth) {
  const auto nested = [](std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  EXPECT_EQ(compacted(nested(max_json_depth)), nested(max_json_depth));
  EXPECT_EQ(compacted(nested(max_json_depth + 1)), "error: nested deeper than 128 levels");
  EXPECT_TRUE(is_refused(std::string(1'000'000, '[')));
  std::string objects;
  for (int i = 0; i < 100'000; ++i)
    objects += "{\"a\":";
  EXPECT_TRUE(is_refused(objects));
}

/// Edits a JSON text here and there, so that about half of the results are still JSON.
std::string mutated(std::string text, std::mt19937& random) {
  constexpr std::string_view bytes = "{}[]:,\"\\ \n\t0123456789-+.eEtrufalsn/\x80\xc3\xa9\xed\xff";
  const auto edits = random() % 4;
  for (std::size_t i = 0; i < edits && !text.empty(); ++i) {
    const auto at = random() % text.size();
    if (random() % 2 == 0)
      text[at] = bytes[random() % bytes.size()];
    else if (random() % 2 == 0)
      text.erase(at, 1 + random() % 3);
    else
      text.insert(at, 1, bytes[random() % bytes.size()]);
  }
  return text;
}

TEST(CompactJson, AgreesWithAnotherParserOnMutatedTexts) {
  const std::string seeds[] = {
    R"({"event":"a","data":{"x":[1,2.5,-3e2,"\u00e9\n",null,true,false]},"request_id":"b"})",
    "[[],{},\"\",0,-1,1e1,\"\\ud83d\\ude00\",\"\xc3\xa9\"]", R"("plain")", " 12.50 ",
    "[true , null]"};
  std::mt19937 random{7};
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto text = mutated(seeds[random() % std::size(seeds)], random);
    const auto ours = compact_json(text);
    const auto theirs = nlohmann::json::parse(text, nullptr, false);
    // The other one refuses numbers beyond double, which we carry as text.
    if (text.find_first_of("eE") == std::string::npos || !ours) {
      ASSERT_EQ(static_cast<bool>(ours), !theirs.is_discarded()) << text;
    }
    if (!ours || theirs.is_discarded())
      continue;
    ++accepted;
    ASSERT_EQ(nlohmann::json::parse(*ours), theirs) << text;
    ASSERT_EQ(compacted(*ours), *ours) << text;
  }
  EXPECT_GT(accepted, 2'000u);
}

TEST(AppendJsonString, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(json_string("a\"b\\\x01"), R"("a\"b\\\u0001")");
  EXPECT_EQ(
    json_string("\xff"
                "a\xc3\xa9\xe2\x82"),
    "\"\ufffda\u00e9\ufffd\ufffd\"");
  EXPECT_EQ(json_string(""), "\"\"");
  std::mt19937 random{3};
  for (int round = 0; round < 5'000; ++round) {
    std::string bytes(random() % 12, '\0');
    for (auto& byte : bytes)
      byte = static_cast<char>(random() % 4 == 0 ? random() % 128 : 128 + random() % 128);
    ASSERT_TRUE(compact_json(json_string(bytes))) << json_string(bytes);
  }
}

} // namespace
} // namespace herald
