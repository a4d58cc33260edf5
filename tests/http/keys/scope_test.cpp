#include "http/keys/scope.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(Scope, HasOneNameEach) {
  for (std::size_t i = 0; i < scope_count; ++i) {
    const auto which = static_cast<scope>(i);
    EXPECT_EQ(parse_scope(to_string(which)), which);
  }
  for (const auto* text : {"", "events", "Events:publish", "events:publish ", "*"})
    EXPECT_EQ(parse_scope(text), std::nullopt) << text;
}

TEST(ScopeSet, HasWhatWasAddedAndNothingElse) {
  scope_set scopes;
  EXPECT_TRUE(scopes.empty());
  scopes.add(scope::tasks_read);
  scopes.add(scope::events_publish);
  for (std::size_t i = 0; i < scope_count; ++i) {
    const auto which = static_cast<scope>(i);
    EXPECT_EQ(scopes.has(which), which == scope::tasks_read || which == scope::events_publish);
  }
  EXPECT_EQ(scopes.names(), (std::vector<std::string>{"events:publish", "tasks:read"}));
}

TEST(ScopeSet, HasAllWithAdmin) {
  scope_set scopes;
  scopes.add(scope::admin);
  for (std::size_t i = 0; i < scope_count; ++i)
    EXPECT_TRUE(scopes.has(static_cast<scope>(i)));
  EXPECT_EQ(scopes.names(), std::vector<std::string>{"admin"});
}

} // namespace
} // namespace herald
