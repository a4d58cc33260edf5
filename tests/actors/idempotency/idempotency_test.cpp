#include "actors/idempotency/idempotency.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/actor_test.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

kept_answer_ptr kept_text(std::string body) {
  return std::make_shared<const kept_answer>(
    kept_answer{202, "application/json", {}, std::move(body)});
}

/// The book of keys with a journal that answers when it is told to, and a registry at the end of a
/// way of two.
class Idempotency : public testing::actor_test {
protected:
  Idempotency() {
    log = mock<journal_actor>(
      [this](const record_entries& m) {
        for (const auto& entry : m.entries)
          note(entry);
        if (m.ticket != 0) {
          listener = m.listener;
          tickets.push_back(m.ticket);
        }
      },
      [](const flush&) {});
    last_keeper = mock<claim_keeper_actor>([this](const release_claim& m) {
      EXPECT_TRUE(m.way.empty());
      releases.push_back(m);
    });
    first_keeper = mock<claim_keeper_actor>([](const release_claim& m) {
      ASSERT_EQ(m.way.size(), 1u);
      auto next = m;
      next.way.clear();
      caf::anon_send(m.way.front(), next);
    });
  }

  void begin(bool with_journal = true, std::vector<answer_kept> known = {}) {
    book = own(idempotency_actor{spawn_idempotency(
      system(), {"idempotency", {}, nullptr}, {300s, 1 << 20}, numbers, {first_keeper, last_keeper},
      {with_journal ? log : journal_actor{}, std::move(known)})});
  }

  void note(const journal_entry& entry) {
    if (const auto* kept = std::get_if<answer_kept>(&entry))
      recorded.push_back(kept->key.name + " " + (kept->answer ? kept->answer->body : "-"));
    else if (const auto* dropped = std::get_if<answer_dropped>(&entry))
      recorded.push_back("no " + dropped->name);
    else
      ADD_FAILURE() << "not ours";
  }

  void answer_journal(ec code = ec::none) {
    ASSERT_FALSE(tickets.empty());
    tell(listener, entries_recorded{tickets.front(), tickets.back(), {code, "disk", {}}});
    tickets.clear();
  }

  /// "granted", "answered a", "waits" or the error.
  std::string claim(claim_id who, const char* body = "b", bool planned = false) {
    const auto got = ask<key_grant>(book, claim_key{who, {"k", body}, planned});
    if (!got)
      return got.error() == caf::sec::request_timeout
               ? "waits"
               : std::string{to_string(describe(got.error()).code)};
    return got->answer ? "answered " + got->answer->body : "granted";
  }

  metrics numbers;
  journal_actor log;
  claim_keeper_actor first_keeper;
  claim_keeper_actor last_keeper;
  idempotency_actor book;
  journal_listener_actor listener;
  std::vector<ticket_id> tickets;
  lines recorded;
  std::vector<release_claim> releases;
};

TEST_F(Idempotency, RecordsAnAnswerBeforeItIsGiven) {
  begin();
  EXPECT_EQ(claim(1), "granted");
  caf::scoped_actor who{system(), true};
  auto pending = who->request(book, caf::infinite, settle_claim{1, kept_text("a")});
  drain();
  EXPECT_EQ(recorded, (lines{"k a"}));
  EXPECT_FALSE(who->has_next_message());
  answer_journal();
  pending.receive([] {}, [](const caf::error&) { FAIL(); });
  EXPECT_EQ(claim(2), "answered a");
  EXPECT_EQ(claim(3, "other"), "key_reused");
  const auto page = numbers.render();
  EXPECT_NE(page.find("herald_idempotency_replayed_total 1"), std::string::npos) << page;
  EXPECT_NE(page.find("herald_idempotency_conflicts_total 1"), std::string::npos);
  EXPECT_NE(page.find("herald_idempotency_keys 1"), std::string::npos);
}

TEST_F(Idempotency, TellsWhyAnAnswerIsNotKeptAndTriesAgainForTheNext) {
  begin();
  EXPECT_EQ(claim(1), "granted");
  caf::scoped_actor who{system(), true};
  auto pending = who->request(book, caf::infinite, settle_claim{1, kept_text("a")});
  drain();
  answer_journal(ec::storage_full);
  pending.receive(
    [] { FAIL(); }, [](caf::error& why) { EXPECT_EQ(describe(why).code, ec::storage_full); });
  tell(book, leave_claim{1});
  EXPECT_EQ(claim(2), "waits");
  EXPECT_EQ(recorded, (lines{"k a", "k a"}));
  answer_journal();
  EXPECT_EQ(claim(3), "answered a");
}

TEST_F(Idempotency, AnswersWhoHasWaitedWhenTheFirstHasItsAnswer) {
  begin(false);
  EXPECT_EQ(claim(1), "granted");
  caf::scoped_actor who{system(), true};
  auto pending = who->request(book, caf::infinite, claim_key{2, {"k", "b"}, false});
  drain();
  EXPECT_FALSE(who->has_next_message());
  EXPECT_TRUE(ask<void>(book, settle_claim{1, kept_text("a")}));
  pending.receive(
    [](const key_grant& got) { EXPECT_EQ(got.answer->body, "a"); },
    [](const caf::error&) { FAIL(); });
}

TEST_F(Idempotency, AsksBehindAllThatWasOrderedBeforeTheKeyIsGrantedAnew) {
  begin();
  EXPECT_EQ(claim(1), "granted");
  tell(book, leave_claim{1});
  ASSERT_EQ(releases.size(), 1u) << "by the whole way";
  EXPECT_EQ(claim(2), "waits");
  tell(book, leave_claim{2});
  tell(releases[0].listener, claim_released{1});
  EXPECT_EQ(claim(3), "granted");
  tell(book, leave_claim{3});
  ASSERT_EQ(releases.size(), 2u);
  tell(releases[1].listener, claim_answered{3, kept_text("a")});
  EXPECT_EQ(claim(4), "answered a") << "it was published after all";
}

TEST_F(Idempotency, DoesNotAskWhereNothingWasCarriedOut) {
  begin();
  EXPECT_EQ(claim(1), "granted");
  tell(book, leave_claim{1, true});
  EXPECT_TRUE(releases.empty());
  EXPECT_TRUE(recorded.empty());
  EXPECT_EQ(claim(2, "other"), "granted");
}

TEST_F(Idempotency, RecordsAPlannedClaimBeforeItIsGranted) {
  begin();
  caf::scoped_actor who{system(), true};
  auto pending = who->request(book, caf::infinite, claim_key{1, {"k", "b"}, true});
  drain();
  EXPECT_EQ(recorded, (lines{"k -"}));
  EXPECT_FALSE(who->has_next_message());
  answer_journal();
  pending.receive(
    [](const key_grant& got) {
      EXPECT_EQ(got.answer, nullptr);
      const auto uuid = got.seed.str();
      EXPECT_EQ(uuid.size(), 36u);
      EXPECT_EQ(uuid[14], '4') << "random ones have this version (RFC 9562)";
      EXPECT_NE(std::string{"89ab"}.find(uuid[19]), std::string::npos) << uuid;
    },
    [](const caf::error&) { FAIL(); });
}

TEST_F(Idempotency, CountsRequestsThatHaveNoRoom) {
  begin();
  const auto got =
    ask<key_grant>(book, claim_key{1, {std::string(std::size_t{1} << 20, 'n'), "b"}, false});
  ASSERT_FALSE(got);
  EXPECT_EQ(describe(got.error()).code, ec::overloaded);
  EXPECT_EQ(testing::metric(numbers, "herald_idempotency_refused_total"), 1);
}

TEST_F(Idempotency, ForgetsAnswersInTheFileToo) {
  const auto wall = std::chrono::system_clock::now();
  begin(true, {{{"k", "b"}, {}, kept_text("a"), wall - 200s}});
  EXPECT_EQ(claim(1), "answered a");
  advance(101s);
  EXPECT_EQ(recorded, (lines{"no k"}));
  EXPECT_EQ(claim(2), "granted");
}

TEST_F(Idempotency, FindsOutAboutAClaimThatWasNeverLeft) {
  begin();
  EXPECT_EQ(claim(1), "granted");
  for (int i = 0; i < 200; ++i)
    advance(1s);
  EXPECT_EQ(releases.size(), 1u);
  tell(releases.at(0).listener, claim_released{1});
  EXPECT_EQ(claim(2), "granted");
}

} // namespace
} // namespace herald
