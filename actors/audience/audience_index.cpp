#include "actors/audience/audience_index.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include <boost/container/small_vector.hpp>

namespace herald {

namespace {

/// What a key takes beside its name, and a member for each of its keys, where both have ten.
constexpr std::size_t key_bytes = 60;
constexpr std::size_t subscription_bytes = 17;

using member = audience_index::member;
using member_view = std::span<const member>;

/// More are put in order by marking them, where that is less work than comparing.
constexpr std::size_t few_members = 32;

/// Most events name fewer: their lists take no memory of their own.
constexpr std::size_t few_keys = 8;

/// Room for more, so that appending them does not throw.
void make_room(std::vector<member>& into, std::size_t more) {
  const auto wanted = into.size() + more;
  if (wanted > into.capacity())
    into.reserve(std::max(wanted, 2 * into.capacity()));
}

void append_sorted(std::span<const member_view> lists, std::vector<member>& into) {
  const auto start = static_cast<std::ptrdiff_t>(into.size());
  for (const auto& list : lists)
    into.insert(into.end(), list.begin(), list.end());
  std::sort(into.begin() + start, into.end());
  into.erase(std::unique(into.begin() + start, into.end()), into.end());
}

void append_marked(
  const std::vector<std::uint64_t>& marks, std::size_t bits, std::vector<member>& into) {
  for (std::size_t i = 0; i < marks.size(); ++i)
    for (auto word = marks[i]; word != 0; word &= word - 1)
      into.push_back(static_cast<member>(i * bits) + static_cast<member>(std::countr_zero(word)));
}

/// Appends what is in any of the lists, once, in rising order.
void append_union(std::span<const member_view> lists, std::vector<member>& into) {
  std::size_t total = 0;
  member highest = 0;
  for (const auto& list : lists) {
    total += list.size();
    for (const auto who : list)
      highest = std::max(highest, who);
  }
  constexpr std::size_t bits = 64;
  const auto words = highest / bits + 1;
  const bool mark = total > few_members && words <= 4 * total;
  std::vector<std::uint64_t> marks(mark ? words : 0);
  make_room(into, total);
  if (!mark)
    return append_sorted(lists, into);
  for (const auto& list : lists)
    for (const auto who : list)
      marks[who / bits] |= std::uint64_t{1} << who % bits;
  append_marked(marks, bits, into);
}

} // namespace

std::size_t audience_index::name_hash::operator()(const key_name& name) const noexcept {
  constexpr std::size_t apart = 0x9e3779b97f4a7c15;
  return std::hash<std::string_view>{}(name.text) + static_cast<std::size_t>(name.kind) * apart;
}
std::size_t audience_index::name_hash::operator()(key_number n) const noexcept {
  return (*this)((*slots)[n].name());
}
bool audience_index::name_equal::operator()(const key_name& a, key_number b) const noexcept {
  return a == (*slots)[b].name();
}
bool audience_index::name_equal::operator()(key_number a, const key_name& b) const noexcept {
  return (*slots)[a].name() == b;
}

audience_index::subscription_list::subscription_list(
  const std::vector<key_number>& keys, bool broadcast)
  : cells_(std::make_unique<subscription[]>(keys.size() + 1)) { // NOLINT(modernize-avoid-c-arrays)
  cells_[0] = {static_cast<key_number>(keys.size()), broadcast ? 1U : 0U};
  std::transform(keys.begin(), keys.end(), all().begin(), [](key_number key) {
    return subscription{key, 0};
  });
}

audience_index::subscription*
audience_index::subscription_list::find(key_number key) const noexcept {
  const auto found = std::lower_bound(
    all().begin(), all().end(), key,
    [](const subscription& one, key_number wanted) { return one.key < wanted; });
  return found == all().end() || found->key != key ? nullptr : &*found;
}

audience_index::audience_index() : by_name_(0, name_hash{&slots_}, name_equal{&slots_}) {}

void audience_index::set(member who, const reach& hears) {
  if (hears.plain())
    return remove(who);

  // All that can throw comes first, so that a failure leaves the index as it was.
  std::vector<key_number> keys;
  keys.reserve(hears.patterns.size() + hears.roles.size() + 1);
  const auto former = members_.find(who);
  const auto had = [&](key_number key) {
    return former == members_.end() ? nullptr : former->second.find(key);
  };
  auto place = former;
  std::optional<subscription_list> made;
  try {
    for (const auto& pattern : hears.patterns)
      keys.push_back(intern({key_kind::pattern, pattern}));
    for (const auto& role : hears.roles)
      keys.push_back(intern({key_kind::role, role}));
    if (!hears.subject.empty())
      keys.push_back(intern({key_kind::subject, hears.subject}));
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    for (const auto key : keys)
      if (had(key) == nullptr)
        slots_[key].members.reserve_one();
    made.emplace(keys, hears.broadcast);
    if (former == members_.end())
      place = members_.emplace(who, subscription_list{{}, true}).first;
  } catch (...) {
    for (const auto key : keys)
      drop_if_unused(key);
    throw;
  }

  auto& held = place->second;
  for (auto& one : made->all()) {
    const auto* before = held.find(one.key);
    one.place = before != nullptr ? before->place : slots_[one.key].members.push(who);
  }
  for (const auto& one : held.all())
    if (made->find(one.key) == nullptr)
      unlink(one);
  subscriptions_ += made->all().size() - held.all().size();
  without_broadcast_ += made->broadcast() ? 0U : 1U;
  without_broadcast_ -= held.broadcast() ? 0U : 1U;
  held = std::move(*made);
}

void audience_index::remove(member who) noexcept {
  const auto found = members_.find(who);
  if (found == members_.end())
    return;
  const auto& held = found->second;
  for (const auto& one : held.all())
    unlink(one);
  subscriptions_ -= held.all().size();
  without_broadcast_ -= held.broadcast() ? 0U : 1U;
  members_.erase(found);
}

reach audience_index::reach_of(member who) const {
  reach result;
  const auto found = members_.find(who);
  if (found == members_.end())
    return result;
  result.broadcast = found->second.broadcast();
  for (const auto& one : found->second.all()) {
    const auto name = slots_[one.key].name();
    switch (name.kind) {
    case key_kind::pattern:
      result.patterns.emplace_back(name.text);
      break;
    case key_kind::subject:
      result.subject = name.text;
      break;
    case key_kind::role:
      result.roles.emplace_back(name.text);
      break;
    }
  }
  std::sort(result.patterns.begin(), result.patterns.end());
  std::sort(result.roles.begin(), result.roles.end());
  return result;
}

bool audience_index::hears_broadcast(member who) const noexcept {
  const auto found = members_.find(who);
  return found == members_.end() || found->second.broadcast();
}

std::size_t audience_index::without_broadcast() const noexcept {
  return without_broadcast_;
}

void audience_index::find(const audience& to, std::vector<member>& into) const {
  append_members(keys_of(to), into);
}

std::size_t audience_index::count(const audience& to) const {
  const auto keys = keys_of(to);
  if (keys.empty())
    return 0;
  if (keys.size() == 1)
    return slots_[keys.front()].members.size();
  std::vector<member> all;
  append_members(keys, all);
  return all.size();
}

void audience_index::find_key(
  key_kind kind, std::string_view name, std::vector<member>& into) const {
  if (const auto key = number_of({kind, name}); key != no_key)
    append_members({&key, 1}, into);
}

std::size_t audience_index::count_key(key_kind kind, std::string_view name) const noexcept {
  const auto key = number_of({kind, name});
  return key == no_key ? 0 : slots_[key].members.size();
}

std::vector<audience_index::pattern_count>
audience_index::patterns(std::uint64_t after, std::size_t limit) const {
  std::vector<pattern_count> result;
  for (auto n = after; n < slots_.size() && result.size() < limit; ++n) {
    const auto& slot = slots_[n];
    if (slot.text && slot.kind == key_kind::pattern)
      result.push_back({std::string{slot.name().text}, slot.members.size(), n + 1});
  }
  return result;
}

std::size_t audience_index::pattern_total() const noexcept {
  return patterns_;
}

std::size_t audience_index::subscriptions() const noexcept {
  return subscriptions_;
}

std::optional<std::string> audience_index::check() const {
  if (auto wrong = check_keys())
    return wrong;
  return check_members();
}

audience_index::key_number audience_index::number_of(const key_name& name) const noexcept {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? no_key : *found;
}

/// Those that have members, each of them once: two topics may be covered by one pattern.
std::vector<audience_index::key_number> audience_index::keys_of(const audience& to) const {
  std::vector<key_number> found;
  const auto add = [&](const key_name& name) {
    if (const auto key = number_of(name); key != no_key)
      found.push_back(key);
  };
  if (!to.subject.empty())
    add({key_kind::subject, to.subject});
  if (!to.role.empty())
    add({key_kind::role, to.role});
  if (patterns_ != 0)
    for (const auto& topic : to.topics)
      for_each_pattern_of(topic, [&](std::string_view pattern) {
        add({key_kind::pattern, pattern});
      });
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

/// Appends the members of any of the keys, once, in rising order.
void audience_index::append_members(
  std::span<const key_number> keys, std::vector<member>& into) const {
  boost::container::small_vector<member_view, few_keys> lists;
  for (const auto key : keys)
    lists.push_back(slots_[key].members.members());
  append_union({lists.data(), lists.size()}, into);
}

/// The number of a name; of a new one, which has no members yet, where there is none.
std::size_t audience_index::bytes() const noexcept {
  return subscriptions_ * subscription_bytes + by_name_.size() * key_bytes + name_bytes_;
}

std::size_t audience_index::cost(const reach& hears) noexcept {
  const auto of_key = [](const std::string& name) {
    return subscription_bytes + key_bytes + name.size();
  };
  auto sum = hears.subject.empty() ? 0 : of_key(hears.subject);
  for (const auto* names : {&hears.roles, &hears.patterns})
    for (const auto& name : *names)
      sum += of_key(name);
  return sum;
}

audience_index::key_number audience_index::intern(const key_name& name) {
  if (const auto key = number_of(name); key != no_key)
    return key;
  auto text = std::make_unique<char[]>(name.text.size()); // NOLINT(modernize-avoid-c-arrays)
  name.text.copy(text.get(), name.text.size());
  auto key = first_free_;
  if (key == no_key) {
    slots_.emplace_back();
    key = static_cast<key_number>(slots_.size() - 1);
  } else {
    first_free_ = slots_[key].length;
  }
  auto& slot = slots_[key];
  slot.text = std::move(text);
  slot.length = static_cast<std::uint32_t>(name.text.size());
  slot.kind = name.kind;
  try {
    by_name_.insert(key);
  } catch (...) {
    put_back(key);
    throw;
  }
  patterns_ += name.kind == key_kind::pattern ? 1U : 0U;
  name_bytes_ += name.text.size();
  return key;
}

/// Frees a key without members. Nothing for one with members, or that is free.
void audience_index::drop_if_unused(key_number key) noexcept {
  const auto& slot = slots_[key];
  if (!slot.text || !slot.members.empty())
    return;
  by_name_.erase(by_name_.find(key));
  name_bytes_ -= slot.length;
  patterns_ -= slot.kind == key_kind::pattern ? 1U : 0U;
  put_back(key);
}

void audience_index::unlink(const subscription& what) noexcept {
  const auto moved = slots_[what.key].members.remove_at(what.place);
  if (moved)
    members_.find(*moved)->second.find(what.key)->place = what.place;
  drop_if_unused(what.key);
}

void audience_index::put_back(key_number key) noexcept {
  auto& slot = slots_[key];
  slot.text.reset();
  slot.length = first_free_;
  first_free_ = key;
}

std::optional<std::string> audience_index::check_keys() const {
  std::size_t used = 0;
  std::size_t patterns = 0;
  std::size_t name_bytes = 0;
  std::size_t places = 0;
  for (key_number n = 0; n < slots_.size(); ++n) {
    const auto& slot = slots_[n];
    places += slot.members.size();
    if (slot.text ? slot.members.empty() : !slot.members.empty())
      return "key " + std::to_string(n) + " is free with members, or in use without";
    if (!slot.text)
      continue;
    ++used;
    patterns += slot.kind == key_kind::pattern ? 1U : 0U;
    name_bytes += slot.length;
    if (number_of(slot.name()) != n)
      return "key " + std::to_string(n) + " is not found by its name";
  }
  std::size_t free = 0;
  for (auto n = first_free_; n != no_key && free <= slots_.size(); n = slots_[n].length)
    ++free;
  if (used != by_name_.size() || used + free != slots_.size())
    return "keys in use and free ones are not all keys";
  if (patterns != patterns_ || name_bytes != name_bytes_)
    return "patterns or their bytes are counted wrongly";
  if (places != subscriptions_)
    return "keys and members differ in number of subscriptions";
  return std::nullopt;
}

std::optional<std::string> audience_index::check_members() const {
  std::size_t subscriptions = 0;
  std::size_t without = 0;
  for (const auto& [who, held] : members_) {
    const auto all = held.all();
    subscriptions += all.size();
    without += held.broadcast() ? 0U : 1U;
    if (all.empty() && held.broadcast())
      return "member " + std::to_string(who) + " takes room for nothing";
    const auto disorder =
      std::adjacent_find(all.begin(), all.end(), [](const subscription& a, const subscription& b) {
        return a.key >= b.key;
      });
    if (disorder != all.end())
      return "the keys of member " + std::to_string(who) + " are not in order";
    for (const auto& [key, place] : all) {
      const auto others = key < slots_.size() ? slots_[key].members.members() : member_view{};
      if (place >= others.size() || others[place] != who)
        return "member " + std::to_string(who) + " is not where it says in key "
               + std::to_string(key);
    }
  }
  if (subscriptions != subscriptions_)
    return "subscriptions are counted wrongly";
  if (without != without_broadcast_)
    return "members without broadcasts are counted wrongly";
  return std::nullopt;
}

} // namespace herald
