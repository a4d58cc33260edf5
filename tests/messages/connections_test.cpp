#include "messages/connections.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(Credential, CoversAPatternThatHearsNoMoreThanOneOfItsOwn) {
  const std::vector<std::string> granted = {"orders/*", "news", "$own/x"};
  for (const auto* pattern : {"orders/1", "orders/*", "orders/1/*", "news", "$own/x"})
    EXPECT_TRUE(covers(granted, pattern)) << pattern;
  for (const auto* pattern :
       {"orders", "*", "news/*", "news/1", "ordersx/1", "$own/*", "$own/y", "$orders/1"})
    EXPECT_FALSE(covers(granted, pattern)) << pattern;
  EXPECT_TRUE(covers({"*"}, "a/*"));
  EXPECT_TRUE(covers({"*"}, "*"));
  EXPECT_FALSE(covers({"*"}, "$own/x")) << "what is herald's own is granted by name";
  EXPECT_FALSE(covers({}, "a"));
}

TEST(ShownPath, HasNothingThatMayBeASecret) {
  for (const auto* url : {"/a/b", "/a/b?c=d", "/a/b#c", "/a/b#c?d", "/a/b?c#d"})
    EXPECT_EQ(shown_path(url), "/a/b") << url;
}

} // namespace
} // namespace herald
