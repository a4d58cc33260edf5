#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "actors/idempotency/key_book.hpp"
#include "tests/memory/each_failure.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::each_failure;
using testing::state_lines;

/// Two answers have room, and what is under way.
constexpr key_limits room_for_two{300s, 25'000};
constexpr key_book::time_point long_ago{12h};
constexpr auto just_now = long_ago + 5s;

kept_answer_ptr long_answer(char of) {
  return std::make_shared<const kept_answer>(kept_answer{200, "", {}, std::string(10'000, of)});
}
const auto an_answer = long_answer('a');
const auto another_answer = long_answer('b');

request_key key_of(const std::string& name) {
  return {"a key whose name takes memory of its own: " + name, std::string(32, 'h')};
}

// What is done with a book, and what that gives, as a number. All else has its memory before.

using key_step = std::function<std::uint64_t(key_book&, key_book::time_point)>;

/// A step that gives nothing.
template <class Operation>
key_step key_step_of(Operation operation) {
  return [operation](key_book& keys, key_book::time_point now) {
    operation(keys, now);
    return std::uint64_t{0};
  };
}

enum class ahead : std::uint8_t { unplanned, planned };

key_step claims(claim_id who, ahead how = ahead::unplanned, request_key key = key_of("1")) {
  return key_step_of(
    [wish = claim_key{who, std::move(key), how == ahead::planned}](auto& keys, auto now) {
      keys.claim(wish, token::from_bits(0, wish.claim), now);
    });
}
key_step claims_other(claim_id who, const char* name) {
  return claims(who, ahead::unplanned, key_of(name));
}
key_step settles(claim_id who, const kept_answer_ptr& answer) {
  return key_step_of([=](auto& keys, auto now) { keys.settle(who, answer, now); });
}
key_step has_answer(claim_id who, const kept_answer_ptr& answer) {
  return key_step_of([=](auto& keys, auto now) { keys.answered(who, answer, now); });
}
key_step is_released(claim_id who) {
  return key_step_of([=](auto& keys, auto now) { keys.released(who, now); });
}
key_step leaves(claim_id who) {
  return [=](key_book& keys, auto now) -> std::uint64_t {
    return keys.leave(who, false, now);
  };
}
key_step leaves_untouched(claim_id who) {
  return [=](key_book& keys, auto now) -> std::uint64_t {
    return keys.leave(who, true, now);
  };
}
key_step is_recorded(const char* name = "1") {
  return key_step_of([name = key_of(name).name](auto& keys, auto now) {
    keys.recorded(name, {ec::none, {}, {}}, now);
  });
}
key_step is_not_recorded(const char* name = "1") {
  const failure why{ec::storage_full, "there is no room for it on the disk of the journal", {}};
  return key_step_of([name = key_of(name).name, why](auto& keys, auto now) { //
    keys.recorded(name, why, now);
  });
}
key_step restores(const char* name, const kept_answer_ptr& answer = an_answer) {
  return key_step_of([one = answer_kept{key_of(name), {}, answer, {}}](auto& keys, auto now) {
    keys.restore(one, now);
  });
}
key_step expires(std::chrono::seconds after) {
  return [=](key_book& keys, auto now) {
    std::uint64_t gone = 0;
    for (const auto claim : keys.expire(now + after))
      gone = 10 * gone + claim;
    return gone;
  };
}

// What can be seen of a book.

/// What it has to say, which is taken.
state_lines said_by_keys(key_book& keys) {
  state_lines lines{std::to_string(keys.size()) + " keys of " + std::to_string(keys.bytes())};
  for (const auto& one : keys.verdicts())
    lines.push_back(
      std::to_string(one.claim) + " is told " + std::to_string(static_cast<int>(one.what)) + " "
      + one.why.detail + one.seed.str() + (one.answer ? one.answer->body.substr(0, 1) : ""));
  for (const auto& one : keys.orders())
    lines.push_back(
      one.key->name + one.key->body_hash + one.seed.str()
      + (one.answer ? one.answer->body.substr(0, 1) : " is planned"));
  for (const auto& key : keys.dropped())
    lines.push_back(key->name + " is dropped");
  keys.verdicts_told();
  keys.orders_given();
  return lines;
}

state_lines state_of_keys(const key_book& keys) {
  // Good for nothing else: claims of a copy are on keys of the original.
  auto copy = keys;
  return said_by_keys(copy);
}

/// All that comes of a book when whatever is under way comes to its end, and of what is forgotten.
state_lines end_of_keys(key_book& keys) {
  state_lines lines;
  const auto see = [&](const key_step& step, std::chrono::seconds after = 0s) {
    lines.push_back("gives " + std::to_string(step(keys, just_now + after)));
    for (auto& line : said_by_keys(keys))
      lines.push_back(std::move(line));
  };
  for (int round = 0; round < 4; ++round) {
    for (const auto* name : {"1", "2", "3"})
      see(is_recorded(name));
    for (claim_id who = 1; who < 9; ++who) {
      see(leaves(who));
      see(is_released(who));
    }
  }
  for (const auto* name : {"1", "2", "3"})
    see(claims_other(9, name));
  for (auto after = 290s; after < 310s; ++after)
    see(expires(after));
  return lines;
}

struct key_situation {
  const char* name;
  std::vector<key_step> before;
  key_step operation;

  [[nodiscard]] std::unique_ptr<key_book> make() const {
    auto keys = std::make_unique<key_book>(room_for_two);
    for (const auto& step : before)
      step(*keys, long_ago);
    (void)said_by_keys(*keys);
    return keys;
  }
};

void each_key_failure(const std::vector<key_situation>& situations) {
  using given = std::pair<key_book*, std::uint64_t>;
  for (const auto& one : situations) {
    SCOPED_TRACE(one.name);
    each_failure(
      [&] { return one.make(); },
      [&](key_book& keys) {
        return given{&keys, one.operation(keys, just_now)};
      },
      state_of_keys,
      [](const given& what) {
        auto lines = end_of_keys(*what.first);
        lines.push_back(std::to_string(what.second));
        return lines;
      });
  }
}

TEST(KeyBookMemory, IsAsItWasWhenAFirstClaimFails) {
  const std::string too_long(30'000, 'n');
  each_key_failure({
    {"of none", {}, claims(1)},
    {"of none, planned", {}, claims(1, ahead::planned)},
    {"of some", {claims_other(1, "2"), restores("3")}, claims(2)},
    {"without room", {restores("2"), restores("3")}, claims_other(1, too_long.c_str())},
  });
}

TEST(KeyBookMemory, IsAsItWasWhenALaterClaimFails) {
  const request_key other_body{key_of("1").name, "other"};
  each_key_failure({
    {"that waits", {claims(1)}, claims(2)},
    {"that waits with others", {claims(1), claims(2), claims(3)}, claims(4, ahead::planned)},
    {"with another body", {claims(1)}, claims(2, ahead::unplanned, other_body)},
    {"that has an answer", {restores("1")}, claims(1)},
    {"where nothing is known to be done", {restores("1", nullptr)}, claims(1)},
    {"where nothing is, planned", {restores("1", nullptr)}, claims(1, ahead::planned)},
    {"whose answer was not recorded",
     {claims(1), settles(1, an_answer), is_not_recorded()},
     claims(2)},
  });
}

TEST(KeyBookMemory, IsAsItWasWhenAnAnswerFails) {
  each_key_failure({
    {"the first", {claims(1), claims(2)}, settles(1, an_answer)},
    {"another", {claims(1), claims(2), has_answer(1, an_answer)}, settles(1, another_answer)},
    {"the same", {claims(1), has_answer(1, an_answer)}, settles(1, an_answer)},
    {"the same for others",
     {claims(1), claims(2), claims(3), has_answer(1, an_answer)},
     settles(1, an_answer)},
    {"the same, and others have to go",
     {restores("2"), claims(1), has_answer(1, an_answer), restores("3")},
     settles(1, an_answer)},
    {"of nobody", {claims(1), claims(2)}, settles(3, an_answer)},
    {"of one that waits", {claims(1), claims(2)}, settles(2, an_answer)},
  });
}

TEST(KeyBookMemory, IsAsItWasWhenALeaveFails) {
  each_key_failure({
    {"of the only one", {claims(1)}, leaves_untouched(1)},
    {"of the only one, in the file", {restores("1", nullptr), claims(1)}, leaves_untouched(1)},
    {"before another", {claims(1), claims(2), claims(3)}, leaves_untouched(1)},
    {"before a planned one", {claims(1), claims(2, ahead::planned)}, leaves_untouched(1)},
    {"with an answer", {claims(1), has_answer(1, an_answer)}, leaves(1)},
    {"with an answer for others",
     {claims(1), claims(2), claims(3), has_answer(1, an_answer)},
     leaves(1)},
    {"with an answer, and others have to go",
     {restores("2"), claims(1), has_answer(1, an_answer), restores("3")},
     leaves(1)},
  });
}

TEST(KeyBookMemory, IsAsItWasWhenWhatIsPublishedCannotBeKept) {
  each_key_failure({
    {"for one that left", {claims(1), leaves(1)}, has_answer(1, an_answer)},
    {"for others", {claims(1), claims(2), claims(3), leaves(1)}, has_answer(1, an_answer)},
    {"and others have to go",
     {restores("2"), restores("3"), claims(1), leaves(1)},
     has_answer(1, an_answer)},
  });
}

TEST(KeyBookMemory, IsAsItWasWhenAReleaseFails) {
  each_key_failure({
    {"of the only one", {claims(1), leaves(1)}, is_released(1)},
    {"of a planned one", {claims(1, ahead::planned), is_recorded(), leaves(1)}, is_released(1)},
    {"before another", {claims(1), claims(2), claims(3), leaves(1)}, is_released(1)},
    {"before a planned one", {claims(1), claims(2, ahead::planned), leaves(1)}, is_released(1)},
  });
}

TEST(KeyBookMemory, IsAsItWasWhenARecordFails) {
  const auto planned = claims(1, ahead::planned);
  each_key_failure({
    {"of a plan", {planned}, is_recorded()},
    {"of a plan of one that left", {planned, leaves(1)}, is_recorded()},
    {"before another", {planned, claims(2), claims(3), leaves(1)}, is_recorded()},
    {"before a planned one", {planned, claims(2, ahead::planned), leaves(1)}, is_recorded()},
    {"of an answer", {claims(1), settles(1, an_answer)}, is_recorded()},
    {"for others", {claims(1), claims(2), claims(3), settles(1, an_answer)}, is_recorded()},
    {"of one that left", {claims(1), claims(2), settles(1, an_answer), leaves(1)}, is_recorded()},
    {"and others have to go",
     {restores("2"), restores("3"), claims(1), settles(1, an_answer)},
     is_recorded()},
    {"again",
     {claims(1), settles(1, an_answer), is_not_recorded(), claims(2), claims(3)},
     is_recorded()},
  });
}

TEST(KeyBookMemory, IsAsItWasWhenItCannotBeToldThatNothingIsRecorded) {
  const auto planned = claims(1, ahead::planned);
  each_key_failure({
    {"of a plan", {planned}, is_not_recorded()},
    {"of a plan of one that left", {planned, leaves(1)}, is_not_recorded()},
    {"before another", {planned, claims(2), claims(3)}, is_not_recorded()},
    {"before a planned one", {planned, claims(2, ahead::planned)}, is_not_recorded()},
    {"of an answer", {claims(1), settles(1, an_answer)}, is_not_recorded()},
    {"for others", {claims(1), claims(2), claims(3), settles(1, an_answer)}, is_not_recorded()},
    {"of one that left",
     {claims(1), claims(2), settles(1, an_answer), leaves(1)},
     is_not_recorded()},
    {"and others have to go",
     {restores("2"), restores("3"), claims(1), settles(1, an_answer)},
     is_not_recorded()},
  });
}

TEST(KeyBookMemory, IsAsItWasWhenAnAnswerOfAFormerLifeFails) {
  each_key_failure({
    {"the first", {}, restores("1")},
    {"a claim", {restores("2")}, restores("1", nullptr)},
    {"and others have to go", {restores("2"), restores("3")}, restores("1")},
  });
}

TEST(KeyBookMemory, IsAsItWasWhenWhatIsOldCannotBeFound) {
  each_key_failure({
    {"among claims", {claims(1), claims_other(2, "2"), claims_other(3, "3")}, expires(1h)},
    {"among answers, too", {restores("1"), restores("2"), claims_other(3, "3")}, expires(1h)},
  });
}

TEST(KeyBookMemory, NeedsNoneToForget) {
  const std::vector<key_situation> situations{
    {"one that waits", {claims(1), claims(2), claims(3)}, leaves(2)},
    {"nobody", {claims(1)}, leaves(2)},
    {"until it is known what was done", {claims(1), claims(2)}, leaves(1)},
    {"until it is recorded", {claims(1), settles(1, an_answer)}, leaves(1)},
    {"answers", {restores("1"), restores("2")}, expires(1h)},
  };
  for (const auto& one : situations) {
    SCOPED_TRACE(one.name);
    const auto keys = one.make();
    testing::failing_memory memory;
    one.operation(*keys, just_now);
    EXPECT_EQ(memory.allocations(), 0U);
  }
}

} // namespace
} // namespace herald
