#include "actors/audience/audience_index.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/memory/each_failure.hpp"

namespace herald {
namespace {

using testing::each_failure;
using testing::state_lines;

std::string pattern(unsigned n) {
  return "a/pattern/whose/name/takes/memory/" + std::to_string(n) + "/*";
}

/// Own patterns and such as others have, a subject and roles.
reach reach_of(unsigned n) {
  reach made;
  made.patterns = {pattern(n), pattern(n / 2), pattern(1000)};
  made.roles = {"role " + std::to_string(n % 5)};
  if (n % 3 == 0)
    made.subject = "subject " + std::to_string(n);
  made.broadcast = n % 4 != 0;
  return made;
}

auto index_of(unsigned members) {
  return [members] {
    auto made = std::make_unique<audience_index>();
    for (unsigned n = 0; n < members; ++n)
      made->set(n, reach_of(n));
    return made;
  };
}

state_lines state_of_index(const audience_index& all) {
  state_lines lines;
  for (const auto& one : all.patterns(0, 10'000))
    lines.push_back(one.pattern + " " + std::to_string(one.members));
  // A number that was given back may be that of another.
  std::sort(lines.begin(), lines.end());
  for (const auto number :
       {all.pattern_total(), all.subscriptions(), all.bytes(), all.without_broadcast()})
    lines.push_back(std::to_string(number));
  for (unsigned n = 0; n < 300; ++n) {
    const auto hears = all.reach_of(n);
    if (hears.plain())
      continue;
    auto line = std::to_string(n) + (hears.broadcast ? "+ " : "- ") + hears.subject;
    for (const auto* names : {&hears.roles, &hears.patterns})
      for (const auto& name : *names)
        line += " " + name;
    lines.push_back(std::move(line));
  }
  return lines;
}

auto set(unsigned who, const reach& hears) {
  return [who, hears](audience_index& all) {
    all.set(who, hears);
    return true;
  };
}

TEST(AudienceIndexMemory, IsAsItWasWhenOneMoreMemberFails) {
  for (unsigned members = 0; members < 120; ++members)
    each_failure(index_of(members), set(members, reach_of(members)), state_of_index);
}

TEST(AudienceIndexMemory, IsAsItWasWhenAMemberCannotHearSomethingElse) {
  for (const auto members : {1U, 2U, 14U, 60U}) {
    reach other;
    other.broadcast = false;
    other.patterns = {pattern(500), pattern(1000), pattern(500)};
    each_failure(index_of(members), set(0, other), state_of_index);
    each_failure(index_of(members), set(members - 1, reach_of(members + 7)), state_of_index);
  }
}

TEST(AudienceIndexMemory, HasMembersThatGoWithoutMemory) {
  for (const auto members : {1U, 9U, 60U}) {
    const auto all = index_of(members)();
    for (unsigned n = 0; n < members; ++n) {
      // Lists that could be shorter stay as they are.
      testing::failing_memory memory{1};
      all->remove(n);
      memory.fail_at(1);
      all->set(members - 1, {});
    }
    EXPECT_EQ(all->check(), std::nullopt);
    EXPECT_EQ(all->subscriptions(), 0U);
  }
}

} // namespace
} // namespace herald
