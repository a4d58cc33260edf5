#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/container/deque.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "actors/audience/posting_list.hpp"
#include "messages/audience.hpp"

namespace herald {

/// Which streams an event with an audience is for: keys (a subject, a role, a pattern of topics) to
/// the members that hear them, and back. Streams that hear no more than their page's events and
/// everyone's take no room in it. Pages are not its matter: who holds it knows which stream a page
/// has.
///
/// Finding takes time in proportion to the depth of a topic and to what is found, however many
/// patterns there are. Pure. Whatever throws (out of memory) changes nothing.
///
/// Where members have ten keys and keys ten members, a member takes about 17 bytes for each of its
/// keys, and a key about 60 beside its name.
class audience_index {
public:
  /// A number by which its holder knows a stream: low numbers, given again.
  using member = std::uint32_t;

  enum class key_kind : std::uint8_t { pattern, subject, role };

  audience_index();
  audience_index(const audience_index&) = delete;
  audience_index& operator=(const audience_index&) = delete;

  /// From now on the member hears this, instead of what it has heard before. The page in it does
  /// not count.
  void set(member who, const reach& hears);
  /// The member hears what a plain stream does. Nothing for one that does so already.
  void remove(member who) noexcept;

  /// What a member hears; a plain reach for one that was never set. Its lists are sorted.
  [[nodiscard]] reach reach_of(member who) const;
  [[nodiscard]] bool hears_broadcast(member who) const noexcept;
  /// Members that do not hear what is for everyone.
  [[nodiscard]] std::size_t without_broadcast() const noexcept;

  /// Appends the members that hear the subject, the role or a topic of `to`, each of them once, in
  /// rising order. Page and `except` do not count.
  void find(const audience& to, std::vector<member>& into) const;
  /// How many those are. Where a single key has members, it takes no time of theirs.
  [[nodiscard]] std::size_t count(const audience& to) const;

  /// Appends the members that have this very key, in rising order.
  void find_key(key_kind kind, std::string_view name, std::vector<member>& into) const;
  [[nodiscard]] std::size_t count_key(key_kind kind, std::string_view name) const noexcept;

  struct pattern_count {
    std::string pattern;
    std::size_t members = 0;
    /// Where to go on behind it.
    std::uint64_t cursor = 0;
  };
  /// Patterns that members have, from behind the cursor `after` (0: from the start), at most
  /// `limit`. A pattern that is there all the while is given once by those who go on with the
  /// cursor of the last.
  [[nodiscard]] std::vector<pattern_count> patterns(std::uint64_t after, std::size_t limit) const;
  [[nodiscard]] std::size_t pattern_total() const noexcept;

  /// Keys of all members, each member's counted.
  [[nodiscard]] std::size_t subscriptions() const noexcept;
  /// About what all of it takes.
  [[nodiscard]] std::size_t bytes() const noexcept;
  /// What a member takes that hears this, where it is the only one.
  [[nodiscard]] static std::size_t cost(const reach& hears) noexcept;
  /// Where the parts of the index do not agree: what is wrong.
  [[nodiscard]] std::optional<std::string> check() const;

private:
  using key_number = std::uint32_t;
  static constexpr auto no_key = std::numeric_limits<key_number>::max();

  struct key_name {
    key_kind kind;
    std::string_view text;

    friend bool operator==(const key_name&, const key_name&) = default;
  };

  /// Kept small: there are many. Has members, or is free.
  struct key_slot {
    /// The name; null in a free one.
    std::unique_ptr<char[]> text; // NOLINT(modernize-avoid-c-arrays)
    posting_list members;
    /// Of the name; in a free one the number of the next.
    std::uint32_t length = 0;
    key_kind kind = key_kind::pattern;

    [[nodiscard]] key_name name() const noexcept { return {kind, {text.get(), length}}; }
  };

  /// In blocks large enough not to lie between what is allocated for a moment.
  using slot_list = boost::container::deque<
    key_slot, void, boost::container::deque_options_t<boost::container::block_size<512>>>;

  /// The set holds numbers of slots (4 bytes) and compares what the slots hold.
  struct name_hash {
    using is_transparent = void;
    const slot_list* slots;
    std::size_t operator()(const key_name& name) const noexcept;
    std::size_t operator()(key_number n) const noexcept;
  };
  struct name_equal {
    using is_transparent = void;
    const slot_list* slots;
    bool operator()(key_number a, key_number b) const noexcept { return a == b; }
    bool operator()(const key_name& a, key_number b) const noexcept;
    bool operator()(key_number a, const key_name& b) const noexcept;
  };

  /// A key of a member, and the member's place among those of the key.
  struct subscription {
    key_number key = no_key;
    std::uint32_t place = 0;
  };

  /// What one member has, in one allocation: by rising key.
  class subscription_list {
  public:
    subscription_list(const std::vector<key_number>& keys, bool broadcast);

    [[nodiscard]] std::span<subscription> all() const noexcept {
      return {cells_.get() + 1, cells_[0].key};
    }
    /// Null for a key that is not there.
    [[nodiscard]] subscription* find(key_number key) const noexcept;
    [[nodiscard]] bool broadcast() const noexcept { return cells_[0].place != 0; }

  private:
    /// The first one holds how many follow, and whether broadcasts are heard.
    std::unique_ptr<subscription[]> cells_; // NOLINT(modernize-avoid-c-arrays)
  };

  [[nodiscard]] key_number number_of(const key_name& name) const noexcept;
  [[nodiscard]] std::vector<key_number> keys_of(const audience& to) const;
  void append_members(std::span<const key_number> keys, std::vector<member>& into) const;
  key_number intern(const key_name& name);
  void drop_if_unused(key_number key) noexcept;
  void unlink(const subscription& what) noexcept;
  void put_back(key_number key) noexcept;
  [[nodiscard]] std::optional<std::string> check_keys() const;
  [[nodiscard]] std::optional<std::string> check_members() const;

  slot_list slots_;
  key_number first_free_ = no_key;
  std::size_t patterns_ = 0;
  std::size_t name_bytes_ = 0;
  std::size_t subscriptions_ = 0;
  std::size_t without_broadcast_ = 0;
  boost::unordered_flat_set<key_number, name_hash, name_equal> by_name_;
  /// Those with a key, and those that hear no broadcasts.
  boost::unordered_flat_map<member, subscription_list> members_;
};

} // namespace herald
