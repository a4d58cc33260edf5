#include "tests/support/audience_rules.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <sstream>

namespace herald::testing {

namespace {

std::vector<std::string> segments_of(const std::string& text) {
  std::vector<std::string> segments;
  std::istringstream in{text};
  for (std::string segment; std::getline(in, segment, '/');)
    segments.push_back(segment);
  return segments;
}

} // namespace

bool rule_covers(const std::string& pattern, const std::string& topic) {
  auto wanted = segments_of(pattern);
  auto said = segments_of(topic);
  if (said.at(0).at(0) == '$' && wanted.at(0) != said.at(0))
    return false;
  if (wanted.back() != "*")
    return wanted == said;
  wanted.pop_back();
  if (said.size() <= wanted.size())
    return false;
  said.resize(wanted.size());
  return wanted == said;
}

bool rule_is_for(const audience_ptr& to, const reach& hears) {
  if (!to)
    return hears.broadcast;
  for (const auto& left_out : to->except)
    if (left_out == hears.page)
      return false;
  bool named = false;
  if (!to->page.empty()) {
    named = true;
    if (to->page == hears.page)
      return true;
  }
  if (!to->subject.empty()) {
    named = true;
    if (to->subject == hears.subject)
      return true;
  }
  if (!to->role.empty()) {
    named = true;
    for (const auto& role : hears.roles)
      if (role == to->role)
        return true;
  }
  for (const auto& topic : to->topics) {
    named = true;
    for (const auto& pattern : hears.patterns)
      if (rule_covers(pattern, topic))
        return true;
  }
  return !named && hears.broadcast;
}

std::set<std::string> rule_changed(
  std::set<std::string> patterns, const std::set<std::string>& add,
  const std::set<std::string>& remove) {
  patterns.insert(add.begin(), add.end());
  for (const auto& one : remove)
    patterns.erase(one);
  return patterns;
}

std::string audience_draws::topic() {
  // In `a*` the star is a letter like others.
  static constexpr std::array names{"a", "b", "a*"};
  std::string text = names.at(below_(names.size()));
  for (auto more = below_(3); more > 0; --more)
    text += std::string{"/"} + names.at(below_(names.size()));
  return text;
}

std::string audience_draws::pattern() {
  if (chance(8))
    return "*";
  auto text = topic();
  if (chance(3))
    text += "/*";
  return text;
}

std::vector<std::string> audience_draws::patterns(std::size_t most) {
  std::vector<std::string> list;
  for (auto count = below_(most + 1); count > 0; --count)
    if (auto one = pattern(); std::find(list.begin(), list.end(), one) == list.end())
      list.push_back(std::move(one));
  return list;
}

audience_ptr audience_draws::audience() {
  herald::audience to;
  if (chance(8)) {
    to.except.emplace_back(page());
    return std::make_shared<const herald::audience>(std::move(to));
  }
  do {
    if (chance(4))
      to.page = request_id{page()};
    if (chance(4))
      to.subject = subject();
    if (chance(4))
      to.role = role();
    if (chance(2))
      for (auto count = 1 + below_(3); count > 0; --count)
        if (auto one = topic();
            std::find(to.topics.begin(), to.topics.end(), one) == to.topics.end())
          to.topics.push_back(std::move(one));
  } while (to.everyone());
  for (auto count = chance(4) ? 1 + below_(2) : 0; count > 0; --count)
    if (request_id one{page()};
        std::find(to.except.begin(), to.except.end(), one) == to.except.end())
      to.except.push_back(std::move(one));
  return std::make_shared<const herald::audience>(std::move(to));
}

reach_ptr audience_draws::asks(std::size_t most_patterns) {
  if (chance(3))
    return nullptr;
  reach wanted;
  wanted.broadcast = !chance(3);
  if (chance(3))
    wanted.subject = subject();
  for (auto count = chance(3) ? 1 + below_(2) : 0; count > 0; --count)
    if (auto one = role();
        std::find(wanted.roles.begin(), wanted.roles.end(), one) == wanted.roles.end())
      wanted.roles.push_back(std::move(one));
  wanted.patterns = patterns(most_patterns);
  return wanted.plain() ? nullptr : std::make_shared<const reach>(std::move(wanted));
}

} // namespace herald::testing
