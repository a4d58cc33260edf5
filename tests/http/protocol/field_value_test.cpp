#include "http/protocol/field_value.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using elements = std::vector<std::string_view>;

TEST(FieldValue, IsTrimmedOfBlanksAndTabs) {
  EXPECT_EQ(trimmed(" \ta b\t "), "a b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed(" \t"), "");
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed("\r\na"), "\r\na") << "no white space within a line";
}

TEST(FieldValue, IsAListOfWhatStandsBetweenCommas) {
  EXPECT_EQ(list_elements("a"), elements{"a"});
  EXPECT_EQ(list_elements("a,b"), (elements{"a", "b"}));
  EXPECT_EQ(list_elements("\ta b ,\t c "), (elements{"a b", "c"}));
}

TEST(FieldValue, HasEmptyElements) {
  EXPECT_EQ(list_elements(""), elements{""});
  EXPECT_EQ(list_elements(" , a,,"), (elements{"", "a", "", ""}));
}

TEST(FieldValue, KnowsNoQuotes) {
  EXPECT_EQ(list_elements("\"a, b"), (elements{"\"a", "b"}));
}

} // namespace
} // namespace herald
