#include "actors/telemetry/log.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace herald::log {
namespace {

std::string text_of(std::initializer_list<field> fields) {
  return render(format::text, level::warning, "T", "registry", "connection_replaced", fields);
}

std::string json_of(std::initializer_list<field> fields) {
  return render(format::json, level::warning, "T", "registry", "connection_replaced", fields);
}

TEST(Log, WritesALineOfText) {
  EXPECT_EQ(text_of({}), "T warning registry connection_replaced");
  EXPECT_EQ(
    text_of({{"request_id", "page-1"}, {"n", 3}, {"ok", true}}),
    "T warning registry connection_replaced request_id=page-1 n=3 ok=true");
}

TEST(Log, QuotesTextThatWouldRunIntoWhatFollows) {
  EXPECT_EQ(
    text_of({{"a", ""}, {"b", "x y"}, {"c", "k=v"}, {"d", "\"\\"}, {"e", "\\"}}),
    R"(T warning registry connection_replaced a="" b="x y" c="k=v" d="\"\\" e="\\")");
}

TEST(Log, StaysOnOneLine) {
  EXPECT_EQ(
    text_of({{"a", "1\n2\r\x7f"}}),
    R"(T warning registry connection_replaced a="1\u000a2\u000d\u007f")");
}

TEST(Log, EscapesWhatTerminalsAndViewersObey) {
  const std::pair<const char*, const char*> rows[] = {
    {"\u0080", "\\u0080"}, {"\u009b", "\\u009b"}, {"\u009f", "\\u009f"}, {"\u061c", "\\u061c"},
    {"\u200e", "\\u200e"}, {"\u200f", "\\u200f"}, {"\u2028", "\\u2028"}, {"\u2029", "\\u2029"},
    {"\u202a", "\\u202a"}, {"\u202e", "\\u202e"}, {"\u2066", "\\u2066"}, {"\u2069", "\\u2069"},
  };
  for (const auto& [text, escape] : rows) {
    const auto value = std::string{"a"} + text + "z";
    const auto escaped = std::string{"\"a"} + escape + "z\"";
    EXPECT_EQ(text_of({{"id", value}}), "T warning registry connection_replaced id=" + escaped);
    const auto line = json_of({{"id", value}});
    EXPECT_NE(line.find("\"id\":" + escaped), std::string::npos) << line;
    EXPECT_EQ(nlohmann::json::parse(line).at("id"), value);
  }
  for (const auto* const text :
       {"\u00a0", "\u00e4", "\u061d", "\u200d", "\u2027", "\u202f", "\u206a", "\u20ac"})
    EXPECT_TRUE(text_of({{"id", text}}).ends_with(std::string{"id="} + text)) << text;
  EXPECT_TRUE(text_of({{"id", "a\x9bz"}}).ends_with("id=a\xef\xbf\xbdz")) << "no UTF-8";
}

TEST(Log, WritesALineOfJson) {
  const auto line = json_of({{"id", "a\"\\\n"}, {"n", -3}, {"ok", false}});
  const auto document = nlohmann::ordered_json::parse(line);
  EXPECT_EQ(
    document, (nlohmann::ordered_json{
                {"time", "T"},
                {"level", "warning"},
                {"component", "registry"},
                {"event", "connection_replaced"},
                {"id", "a\"\\\n"},
                {"n", -3},
                {"ok", false}}));
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

/// As a request_id may have them.
TEST(Log, WritesJsonWhateverBytesThereAre) {
  const auto document = nlohmann::json::parse(json_of({{"request_id", "a\x80z"}}));
  EXPECT_EQ(document.at("request_id"), "a\xef\xbf\xbdz");
}

TEST(Log, LeavesOutWhatIsBelowItsThreshold) {
  configure({level::warning, format::text});
  EXPECT_FALSE(enabled(level::info));
  EXPECT_TRUE(enabled(level::warning));
  configure({});
  EXPECT_TRUE(enabled(level::info));
  EXPECT_FALSE(enabled(level::debug));
}

} // namespace
} // namespace herald::log
