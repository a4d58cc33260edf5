#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "actors/audience/audience_index.hpp"

namespace herald {
namespace {

using member = audience_index::member;
using key_kind = audience_index::key_kind;

/// Random reaches and audiences over few names, so that they meet.
class random_names {
public:
  explicit random_names(unsigned seed) : random_(seed) {}

  /// 0 to n - 1.
  unsigned below(unsigned n) { return std::uniform_int_distribution<unsigned>{0, n - 1}(random_); }

  std::string topic() {
    auto text = segment();
    for (auto more = below(3); more > 0; --more)
      text += "/" + segment();
    return text;
  }

  std::string pattern() {
    if (below(20) == 0)
      return "*";
    return below(3) == 0 ? topic() + "/*" : topic();
  }

  /// The same names as patterns have.
  std::string principal() { return below(4) == 0 ? topic() : segment(); }

  reach hears() {
    reach result;
    result.broadcast = below(4) != 0;
    if (below(3) == 0)
      result.subject = principal();
    std::set<std::string> roles;
    for (auto more = below(3); more > 0; --more)
      roles.insert(principal());
    result.roles.assign(roles.begin(), roles.end());
    std::set<std::string> patterns;
    for (auto more = below(8); more > 0; --more)
      patterns.insert(pattern());
    result.patterns.assign(patterns.begin(), patterns.end());
    return result;
  }

  audience to() {
    audience result;
    if (below(4) == 0)
      result.subject = principal();
    if (below(4) == 0)
      result.role = principal();
    for (auto more = below(4); more > 0; --more)
      result.topics.push_back(topic());
    return result;
  }

private:
  std::string segment() {
    static const std::vector<std::string> segments = {"a", "b", "c", "a*", "$a"};
    return segments[below(static_cast<unsigned>(segments.size()))];
  }

  std::mt19937 random_;
};

/// What everybody hears, asked one after the other.
class naive_index {
public:
  void set(member who, const reach& hears) {
    if (hears.plain())
      members_.erase(who);
    else
      members_[who] = hears;
  }

  reach reach_of(member who) const {
    const auto found = members_.find(who);
    return found == members_.end() ? reach{} : found->second;
  }

  std::vector<member> find(const audience& to) const {
    std::vector<member> result;
    if (to.everyone())
      return result;
    const auto shared = std::make_shared<const audience>(to);
    for (const auto& [who, hears] : members_)
      if (hears.hears(shared))
        result.push_back(who);
    return result;
  }

  std::vector<member> find_key(key_kind which, const std::string& name) const {
    std::vector<member> result;
    for (const auto& [who, hears] : members_) {
      const auto& list = which == key_kind::role ? hears.roles : hears.patterns;
      if (
        which == key_kind::subject ? hears.subject == name
                                   : std::find(list.begin(), list.end(), name) != list.end())
        result.push_back(who);
    }
    return result;
  }

  std::map<std::string, std::size_t> patterns() const {
    std::map<std::string, std::size_t> result;
    for (const auto& [who, hears] : members_)
      for (const auto& pattern : hears.patterns)
        ++result[pattern];
    return result;
  }

  std::size_t subscriptions() const {
    std::size_t result = 0;
    for (const auto& [who, hears] : members_)
      result += hears.patterns.size() + hears.roles.size() + (hears.subject.empty() ? 0 : 1);
    return result;
  }

  std::size_t without_broadcast() const {
    return static_cast<std::size_t>(std::count_if(
      members_.begin(), members_.end(), [](const auto& one) { return !one.second.broadcast; }));
  }

private:
  std::map<member, reach> members_;
};

class AudienceIndexModel : public ::testing::TestWithParam<unsigned> {
protected:
  /// Numbers close together, or far apart.
  member some_member() { return names.below(60) * (GetParam() % 2 == 0 ? 1 : 10'007); }

  void change() {
    const auto who = some_member();
    if (names.below(3) == 0) {
      index.remove(who);
      model.set(who, {});
      return;
    }
    auto hears = names.hears();
    if (names.below(2) == 0) {
      // Little changes.
      hears = model.reach_of(who);
      if (hears.patterns.size() > 1 && names.below(2) == 0)
        hears.patterns.pop_back();
      else if (const auto more = names.pattern();
               !std::count(hears.patterns.begin(), hears.patterns.end(), more))
        hears.patterns.push_back(more);
      std::sort(hears.patterns.begin(), hears.patterns.end());
    }
    model.set(who, hears);
    std::reverse(hears.patterns.begin(), hears.patterns.end());
    index.set(who, hears);
  }

  void ask() {
    const auto to = names.to();
    std::vector<member> found;
    index.find(to, found);
    ASSERT_EQ(found, model.find(to));
    ASSERT_EQ(index.count(to), found.size());
    for (const auto which : {key_kind::pattern, key_kind::subject, key_kind::role}) {
      const auto name = which == key_kind::pattern ? names.pattern() : names.principal();
      found.clear();
      index.find_key(which, name, found);
      ASSERT_EQ(found, model.find_key(which, name));
      ASSERT_EQ(index.count_key(which, name), found.size());
    }
    const auto who = some_member();
    ASSERT_EQ(index.reach_of(who), model.reach_of(who));
    ASSERT_EQ(index.hears_broadcast(who), model.reach_of(who).broadcast);
    ASSERT_EQ(index.subscriptions(), model.subscriptions());
    ASSERT_EQ(index.without_broadcast(), model.without_broadcast());
  }

  /// All patterns, page by page; with changes between the pages those that are there all the while.
  void list(bool changing) {
    const auto limit = 1 + names.below(20);
    auto expected = model.patterns();
    std::map<std::string, std::size_t> given;
    std::uint64_t after = 0;
    for (;;) {
      const auto page = index.patterns(after, limit);
      if (page.empty())
        break;
      ASSERT_LE(page.size(), limit);
      const auto there = model.patterns();
      for (const auto& one : page) {
        ++given[one.pattern];
        ASSERT_EQ(one.members, there.at(one.pattern));
        ASSERT_GT(one.cursor, after);
        after = one.cursor;
      }
      if (changing)
        change();
      std::erase_if(
        expected, [now = model.patterns()](const auto& one) { return !now.contains(one.first); });
    }
    for (const auto& [pattern, count] : expected)
      ASSERT_EQ(given[pattern], 1u) << pattern;
    if (!changing) {
      ASSERT_EQ(given.size(), expected.size());
      ASSERT_EQ(index.pattern_total(), expected.size());
    }
  }

  random_names names{GetParam()};
  audience_index index;
  naive_index model;
};

TEST_P(AudienceIndexModel, FindsWhoHears) {
  for (int i = 0; i < 500; ++i) {
    change();
    ASSERT_EQ(index.check(), std::nullopt) << "after step " << i;
    ASSERT_NO_FATAL_FAILURE(ask()) << "after step " << i;
    if (i % 50 == 0) {
      ASSERT_NO_FATAL_FAILURE(list(i % 100 == 0)) << "after step " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AudienceIndexModel, ::testing::Range(0u, 200u));

} // namespace
} // namespace herald
