#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "actors/pages/kept_away_pages.hpp"
#include "actors/pages/page_subjects.hpp"
#include "actors/pages/page_topics.hpp"
#include "actors/pages/revocations.hpp"
#include "tests/memory/each_failure.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::each_failure;
using testing::state_lines;

/// Sizes at which the tables of hashes of libstdc++ grow (13, 29, 59) are among them.
constexpr unsigned sizes = 60;

constexpr page_ends::time_point start{1h};
constexpr wall_time noon{12h};

/// Too long to lie inside of a string.
std::string long_name(unsigned n) {
  return "a-name-that-needs-memory-of-its-own-" + std::to_string(n);
}
request_id page(unsigned n) {
  return request_id{long_name(n)};
}

std::vector<std::string> names(const std::vector<request_id>& ids) {
  std::vector<std::string> result;
  for (const auto& id : ids)
    result.push_back(id.str());
  return result;
}

/// Pages that are away, each for a second longer.
auto away(unsigned count) {
  return [count] {
    auto made = std::make_unique<kept_away_pages>(1000);
    for (unsigned n = 0; n < count; ++n)
      made->keep_away(page(n), start + std::chrono::seconds{n});
    return made;
  };
}

state_lines state_of_away(const kept_away_pages& one) {
  state_lines lines{std::to_string(one.size())};
  for (unsigned n = 0; n <= sizes; ++n)
    if (one.contains(page(n)))
      lines.push_back(page(n).str());
  return lines;
}

TEST(KeptAwayPagesMemory, AreAsTheyWereWhenOneMoreFails) {
  for (unsigned count = 0; count < sizes; ++count)
    each_failure(
      away(count), [id = page(count)](kept_away_pages& all) { return all.keep_away(id, start); },
      state_of_away);
}

TEST(KeptAwayPagesMemory, AreAsTheyWereWhenALongerTimeFails) {
  each_failure(
    away(3), [id = page(0)](kept_away_pages& all) { return all.keep_away(id, start + 1h); },
    state_of_away);
  const auto all = away(1)();
  {
    testing::failing_memory memory{1};
    EXPECT_THROW(all->keep_away(request_id{}, start), std::bad_alloc);
  }
  all->expire(start);
  EXPECT_EQ(all->size(), 0U);
}

/// The page 0 has a stream, the others are forgotten one after the other.
auto changed_pages(unsigned count) {
  return [count] {
    auto made = std::make_unique<page_topics>(1'000'000);
    for (unsigned n = 0; n < count; ++n) {
      made->keep(page(n), {{long_name(n)}, {}});
      if (n != 0)
        made->closed(page(n), start + std::chrono::seconds{n});
    }
    return made;
  };
}

state_lines state_of_topics(const page_topics& one) {
  state_lines lines{std::to_string(one.size()), std::to_string(one.bytes())};
  for (unsigned n = 0; n <= sizes; ++n) {
    if (const auto* what = one.find(page(n))) {
      lines.push_back(page(n).str() + ":");
      lines.insert(lines.end(), what->added.begin(), what->added.end());
      lines.insert(lines.end(), what->removed.begin(), what->removed.end());
    }
  }
  return lines;
}

TEST(PageTopicsMemory, AreAsTheyWereWhenAChangeFails) {
  const page_topics::changes what{{"b/*", long_name(7)}, {long_name(8)}};
  for (unsigned count = 0; count < sizes; ++count) {
    const auto keep = [&what, id = page(count)](page_topics& all) {
      return all.keep(id, what);
    };
    each_failure(changed_pages(count), keep, state_of_topics);
  }
  for (const auto known : {0U, 2U})
    each_failure(
      changed_pages(4), [&what, id = page(known)](page_topics& all) { return all.keep(id, what); },
      state_of_topics);
}

TEST(PageTopicsMemory, AreAsTheyWereWhenTheEndOfAStreamFails) {
  for (const auto known : {0U, 2U})
    each_failure(
      changed_pages(4),
      [id = page(known)](page_topics& all) {
        all.closed(id, start + 1h);
        return true;
      },
      state_of_topics);
}

TEST(PageTopicsMemory, AreForgottenAllOrNone) {
  each_failure(
    changed_pages(9), [](page_topics& all) { return all.expire(start + 6s); }, state_of_topics,
    names);
}

auto owned_pages(unsigned count) {
  return [count] {
    auto made = std::make_unique<page_subjects>(std::max(count, 5U));
    std::optional<request_id> none;
    for (unsigned n = 0; n < count; ++n)
      made->bind(page(n), long_name(n), start + std::chrono::seconds{n}, none);
    if (count != 0)
      made->opened(page(0), std::make_shared<const credential>());
    return made;
  };
}

state_lines state_of_subjects(const page_subjects& one) {
  state_lines lines{std::to_string(one.size())};
  for (unsigned n = 0; n <= sizes; ++n)
    if (const auto* subject = one.find(page(n)))
      lines.push_back(page(n).str() + "=" + *subject + (one.right_of(page(n)) ? "+" : ""));
  return lines;
}

TEST(PageSubjectsMemory, AreAsTheyWereWhenOneMoreFails) {
  const auto told = [](const std::pair<bool, std::optional<request_id>>& given) {
    return given.second ? given.second->str() : std::to_string(static_cast<int>(given.first));
  };
  for (unsigned count = 0; count < sizes; ++count)
    each_failure(
      owned_pages(count),
      [id = page(count), subject = long_name(99)](page_subjects& all) {
        std::pair<bool, std::optional<request_id>> given;
        given.first = all.bind(id, subject, start + 1h, given.second);
        return given;
      },
      state_of_subjects, told);
}

TEST(PageSubjectsMemory, AreAsTheyWereWhenTheEndOfAStreamFails) {
  for (const auto known : {0U, 2U})
    each_failure(
      owned_pages(4),
      [id = page(known)](page_subjects& all) {
        all.closed(id, start + 1h);
        return true;
      },
      state_of_subjects);
}

TEST(PageSubjectsMemory, AreForgottenAllOrNone) {
  each_failure(
    owned_pages(9), [](page_subjects& all) { return all.expire(start + 6s); }, state_of_subjects,
    names);
}

/// Every other one of a credential, the others of a subject.
revocation revoked(unsigned n) {
  return n % 2 == 0 ? revocation{long_name(n), {}, {}} : revocation{{}, long_name(n), noon};
}

auto revoked_ones(unsigned count) {
  return [count] {
    auto made = std::make_unique<revocations>(1000);
    for (unsigned n = 0; n < count; ++n)
      (void)made->add(revoked(n), noon + std::chrono::seconds{n});
    return made;
  };
}

state_lines state_of_revocations(const revocations& one) {
  state_lines lines{std::to_string(one.size())};
  for (unsigned n = 0; n <= sizes; ++n) {
    const auto what = revoked(n);
    for (const auto at : {noon - 1s, noon, noon + 1s})
      if (one.covers({what.subject, what.credential_id, at, {}}))
        lines.push_back(long_name(n) + " " + std::to_string((at - noon).count()));
  }
  return lines;
}

std::string told_of_revocation(const std::optional<revocation_kept>& kept) {
  if (!kept)
    return "none";
  return kept->what.credential_id + kept->what.subject + " "
         + std::to_string((kept->what.issued_before - noon).count()) + " "
         + std::to_string((kept->until - noon).count());
}

TEST(RevocationsMemory, AreAsTheyWereWhenOneMoreFails) {
  for (unsigned count = 0; count < sizes; ++count)
    each_failure(
      revoked_ones(count),
      [what = revoked(count)](revocations& all) { return all.add(what, noon + 1h); },
      state_of_revocations, told_of_revocation);
}

TEST(RevocationsMemory, AreAsTheyWereWhenAWiderOneFails) {
  auto wider = revoked(1);
  wider.issued_before = noon + 1s;
  each_failure(
    revoked_ones(4), [&wider](revocations& all) { return all.add(wider, noon + 1h); },
    state_of_revocations, told_of_revocation);
}

TEST(RevocationsMemory, AreForgottenAllOrNone) {
  each_failure(
    revoked_ones(9), [](revocations& all) { return all.expire(noon + 6s); }, state_of_revocations,
    [](const std::vector<revocation_dropped>& gone) {
      state_lines lines;
      for (const auto& one : gone)
        lines.push_back(one.credential_id + one.subject);
      return lines;
    });
}

} // namespace
} // namespace herald
