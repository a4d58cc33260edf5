#include "http/access/ticket_book.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

const wall_time noon{12h};
const request_id p{"p"};
const request_id q{"q"};
constexpr event_id place{100};

class TicketBook : public ::testing::Test {
protected:
  std::string issue(const request_id& page = {}, std::chrono::seconds ttl = 1h) {
    stream_grant grant;
    grant.subject = "ann";
    grant.expires_at = noon + ttl;
    return book.issue(std::move(grant), page, noon).value_or("");
  }
  bool use(
    const std::string& ticket, const request_id& page, wall_time now = noon,
    std::optional<std::uint64_t> cursor = std::nullopt, event_id last = place) {
    const auto at = cursor ? std::optional{event_id{*cursor}} : std::nullopt;
    return book.use({ticket, page, at, last}, now).has_value();
  }

  metrics numbers;
  ticket_book book{{3, 10'000}, numbers};
};

TEST_F(TicketBook, LetsOnePageInOnce) {
  const auto ticket = issue();
  ASSERT_EQ(ticket.size(), 14u + 43u);
  const auto grant = book.use({ticket, p, std::nullopt, place}, noon + 29s);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->subject, "ann");
  EXPECT_EQ(grant->expires_at, noon + 1h);
  EXPECT_FALSE(use(ticket, p));
  EXPECT_FALSE(use(ticket, q));
  EXPECT_FALSE(use("herald-ticket-", p));
}

TEST_F(TicketBook, IsUsedSoonOrNever) {
  const auto ticket = issue();
  EXPECT_FALSE(use(ticket, p, noon + 30s));
  EXPECT_EQ(book.size(), 0u);
  EXPECT_EQ(book.bytes(), 0u);
  EXPECT_FALSE(use(issue({}, 5s), p, noon + 5s)) << "nor for longer than what it grants";
}

TEST_F(TicketBook, IsForThePageThatItNames) {
  const auto ticket = issue(p);
  EXPECT_FALSE(use(ticket, q));
  EXPECT_TRUE(use(ticket, p));
}

TEST_F(TicketBook, LetsItsPageComeBackWithACursorOfItsStream) {
  const auto ticket = issue();
  ASSERT_TRUE(use(ticket, p));
  EXPECT_FALSE(use(ticket, p, noon + 1s, 99, {150})) << "its stream began at 100";
  EXPECT_FALSE(use(ticket, p, noon + 1s, 151, {150})) << "nobody was given that yet";
  EXPECT_FALSE(use(ticket, q, noon + 1s, 120, {150})) << "it is another's";
  EXPECT_TRUE(use(ticket, p, noon + 1s, 120, {150}));
  EXPECT_TRUE(use(ticket, p, noon + 59min, 100, {150})) << "as often as it has to";
  EXPECT_FALSE(use(ticket, p, noon + 1h, 120, {150})) << "what it grants has ended";
}

TEST_F(TicketBook, KnowsThatAReplayBeginsAtTheCursorOfItsFirstUse) {
  const auto ticket = issue();
  ASSERT_TRUE(use(ticket, p, noon, 40));
  EXPECT_TRUE(use(ticket, p, noon, 45));
  EXPECT_FALSE(use(ticket, p, noon, 39));
}

TEST_F(TicketBook, LetsAPageComeBackWhoseFirstCursorWasOfALifeBefore) {
  const auto ticket = issue();
  ASSERT_TRUE(use(ticket, p, noon, 500)) << "which nobody was given in this one";
  EXPECT_TRUE(use(ticket, p, noon + 1s, 120, {150}));
  EXPECT_FALSE(use(ticket, p, noon + 1s, 99, {150})) << "its stream began at 100";
}

TEST_F(TicketBook, IsAsBeforeWhereNoStreamCameOfIt) {
  const auto ticket = issue();
  ASSERT_TRUE(use(ticket, p));
  book.give_back(ticket);
  EXPECT_TRUE(use(ticket, q)) << "it was for any page";
  EXPECT_TRUE(use(ticket, q, noon, 100));
  book.give_back(ticket);
  EXPECT_FALSE(use(ticket, q)) << "it has had a stream before";
  EXPECT_TRUE(use(ticket, q, noon, 100));
  book.give_back("no ticket");

  const auto late = issue();
  ASSERT_TRUE(use(late, p, noon + 29s));
  book.give_back(late);
  EXPECT_FALSE(use(late, p, noon + 30s)) << "and no longer good than before";
}

TEST_F(TicketBook, IsNotUsedByALook) {
  const auto ticket = issue();
  EXPECT_TRUE(book.look_at({ticket, p, std::nullopt, place}, noon));
  EXPECT_TRUE(use(ticket, p));
  EXPECT_FALSE(book.look_at({ticket, p, std::nullopt, place}, noon));
}

TEST_F(TicketBook, IsBoundedInNumberAndInBytes) {
  for (int i = 0; i < 3; ++i)
    EXPECT_NE(issue(), "");
  EXPECT_EQ(issue(), "");
  EXPECT_EQ(testing::metric(numbers, "herald_tickets_refused_total"), 1);
  EXPECT_EQ(testing::metric(numbers, "herald_tickets"), 3);
  EXPECT_EQ(testing::metric(numbers, "herald_ticket_bytes"), static_cast<double>(book.bytes()));

  ticket_book small{{100, 2000}, numbers};
  stream_grant grant;
  grant.expires_at = noon + 1h;
  grant.topics.assign(8, std::string(200, 't'));
  EXPECT_FALSE(small.issue(grant, p, noon));
  grant.topics.clear();
  EXPECT_TRUE(small.issue(grant, p, noon));
}

TEST_F(TicketBook, NamesNoTwoTicketsAlike) {
  ticket_book large{{1000, 10'000'000}, numbers};
  std::set<std::string> names;
  stream_grant grant;
  grant.expires_at = noon + 1h;
  for (int i = 0; i < 1000; ++i)
    names.insert(large.issue(grant, p, noon).value_or(""));
  EXPECT_EQ(names.size(), 1000u);
}

} // namespace
} // namespace herald
