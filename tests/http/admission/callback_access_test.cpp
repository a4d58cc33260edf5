#include "http/admission/callback_access.hpp"

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "http/access/authorizer.hpp"
#include "http/access/ticket_book.hpp"
#include "http/access/token_judge.hpp"
#include "tests/support/asked_application.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

/// Knows `ann`, and `fetched` once a fetch is over. Fetches are over at once, from another thread,
/// or never.
class fetching_judge final : public token_judge {
public:
  struct fetch {
    bool comes = true;
    bool final = true;
    bool brings = true;
  };
  explicit fetching_judge(const fetch& how) : how_(how) {}

  verdict judge(std::string_view token, wall_time now, fetch_over over) override {
    if (token == "ann" || (token == "fetched" && fetched_ && how_.brings))
      return right_of({"ann", {"ops"}, {"orders/*"}, now + 1h, now, "7"}, {});
    if (token != "fetched")
      return refusal::invalid;
    if (!over)
      return refusal::later;
    fetched_ = true;
    if (how_.comes)
      std::thread{[over = std::move(over), final = how_.final] {
        over(final);
      }}.detach();
    return refusal::soon;
  }

private:
  const fetch& how_;
  bool fetched_ = false;
};

class CallbackAccess : public ::testing::Test {
protected:
  stream_options options() {
    stream_options made;
    made.auth.mode = auth_mode::required;
    made.auth.max_waiting_callbacks = 1;
    made.cors_origins = {"https://app.example"};
    made.make_judge = [this] {
      return std::make_unique<fetching_judge>(fetch);
    };
    made.tickets = tickets;
    made.last_place = [] {
      return event_id{100};
    };
    return made;
  }

  /// The status that is answered; 0: none, the page may have its stream; 1: it is to come back; 2:
  /// it has left.
  int ask(header_list headers, const char* ticket = nullptr, std::chrono::seconds patience = 20s) {
    opening = {};
    if (ticket != nullptr)
      opening.ticket = ticket;
    return ask_for(opening, "t", std::move(headers), patience);
  }

  int ask_for(
    stream_opening& wanted, const char* stream, header_list headers,
    std::chrono::seconds patience = 20s) {
    return ask_at(access, wanted, stream, std::move(headers), patience);
  }

  static int ask_at(
    callback_access& where, stream_opening& wanted, const char* stream, header_list headers,
    std::chrono::seconds patience) {
    request_head page;
    page.method = "GET";
    page.target = "/api/sse/stream?request_id=p";
    page.headers = std::move(headers);
    wanted.id = request_id{"p"};
    const auto refused = where.ask(
      page, wanted, token::from_text(stream), std::chrono::steady_clock::now() + patience);
    if (!refused)
      return 0;
    if (refused->has_left)
      return 2;
    return refused->reply ? refused->reply->status : 1;
  }

  double found(const char* result) {
    return testing::metric(
      numbers, R"(herald_auth_total{port="gateway",result=")" + std::string{result} + "\"}");
  }

  static header_list bearer(const char* token) {
    return {{"authorization", "Bearer " + std::string{token}}};
  }

  metrics numbers;
  fetching_judge::fetch fetch;
  std::shared_ptr<ticket_book> tickets =
    std::make_shared<ticket_book>(ticket_book::limits{10, 10'000}, numbers);
  stream_opening opening;
  callback_access access{options(), numbers};
};

TEST_F(CallbackAccess, GivesThePageWhatItsTokenGrants) {
  EXPECT_EQ(ask(bearer("ann")), 0);
  ASSERT_TRUE(opening.by && opening.asks);
  EXPECT_EQ(opening.by->subject, "ann");
  EXPECT_EQ(opening.asks->roles, std::vector<std::string>{"ops"});
  EXPECT_TRUE(opening.expires_at);
  EXPECT_EQ(found("ok"), 1);
}

TEST_F(CallbackAccess, RefusesWithTheStatusThatAPageOfTheStreamPortGets) {
  EXPECT_EQ(ask({}), 401);
  EXPECT_EQ(ask(bearer("bob")), 401);
  EXPECT_EQ(ask(bearer("ann"), "ticket"), 400);
  EXPECT_EQ(found("missing") + found("invalid") + found("two_ways"), 3);
}

TEST_F(CallbackAccess, GoesByTheOriginsOfItsSettings) {
  const header_list cookie{{"cookie", "__Secure-herald=ann"}, {"origin", "https://app.example"}};
  EXPECT_EQ(ask(cookie), 0);
  access.change_origins({"https://other.example"});
  EXPECT_EQ(ask(cookie), 403);
}

TEST_F(CallbackAccess, WaitsForAKeyThatIsBeingFetched) {
  EXPECT_EQ(ask(bearer("fetched")), 0);
}

TEST_F(CallbackAccess, RefusesATokenWhoseKeyIsNoneOfThoseFetched) {
  fetch.brings = false;
  EXPECT_EQ(ask(bearer("fetched")), 401);
}

TEST_F(CallbackAccess, SaysWhatATokenDoesNotGrantWhoseKeyWasFetched) {
  reach asks;
  asks.patterns = {"rooms/7"};
  stream_opening wanted;
  wanted.asks = std::make_shared<const reach>(asks);
  EXPECT_EQ(ask_for(wanted, "t", bearer("fetched")), 403);
  EXPECT_EQ(found("insufficient_scope"), 1);
  EXPECT_EQ(found("invalid"), 0);
}

TEST_F(CallbackAccess, TellsAPageToComeBackWhoseKeyDoesNotComeInTime) {
  fetch.comes = false;
  EXPECT_EQ(ask(bearer("fetched"), nullptr, 0s), 0) << "it has come meanwhile";
  fetch.brings = false;
  EXPECT_EQ(ask(bearer("fetched"), nullptr, 0s), 1);
  EXPECT_EQ(found("later"), 1);
}

TEST_F(CallbackAccess, TakesATicketAndGivesItBack) {
  stream_grant grant;
  grant.subject = "ann";
  const auto now = std::chrono::system_clock::now();
  grant.expires_at = now + 1h;
  const auto ticket = tickets->issue(grant, request_id{}, now);
  ASSERT_TRUE(ticket);
  EXPECT_EQ(ask({}, ticket->c_str()), 0);
  EXPECT_EQ(opening.by->subject, "ann");
  EXPECT_EQ(ask({}, ticket->c_str()), 401) << "it is used";
  access.give_back(*ticket);
  EXPECT_EQ(ask({}, ticket->c_str()), 0);
}

TEST_F(CallbackAccess, WaitsForNoMorePagesThanItsLimitAndForNoneThatHasLeft) {
  fetch.comes = false;
  fetch.brings = false;
  int first = 0;
  std::thread waits{[&] {
    stream_opening wanted;
    first = ask_for(wanted, "first", bearer("fetched"), 60s);
  }};
  const auto waiting = [&] {
    return testing::metric(numbers, "herald_auth_waiting_callbacks");
  };
  EXPECT_TRUE(testing::eventually([&] { return waiting() == 1; }));
  EXPECT_EQ(ask(bearer("fetched"), nullptr, 60s), 1) << "one waits already";
  EXPECT_EQ(testing::metric(numbers, "herald_auth_waiting_callbacks_refused_total"), 1);
  EXPECT_EQ(ask(bearer("ann")), 0) << "who need not wait has a stream";
  access.left(token::from_text("another"));
  EXPECT_EQ(waiting(), 1);
  access.left(token::from_text("first"));
  waits.join();
  EXPECT_EQ(first, 2);
  EXPECT_EQ(waiting(), 0);
}

TEST_F(CallbackAccess, CountsWhomTheOwnerDoesNotWant) {
  access.refused_by_owner(ec::forbidden);
  access.refused_by_owner(ec::invalid_token);
  access.refused_by_owner(ec::overloaded);
  EXPECT_EQ(found("other_subject"), 1);
  EXPECT_EQ(found("invalid"), 1);
}

TEST_F(CallbackAccess, LogsWhomItRefusesAsAPageOfAGateway) {
  const testing::log_capture log;
  EXPECT_EQ(ask({}), 401);
  const auto lines = log.lines("stream_refused");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].starts_with("info gateway-pages stream_refused ")) << lines[0];
}

/// The application says who a page is, over one connection.
class CallbackAccessByApplication : public CallbackAccess {
protected:
  stream_options asking_options() {
    auto made = options();
    made.auth.authorize_url = application.url();
    made.auth.authorize_connections = 1;
    made.auth.authorize_timeout_ms = testing::patience;
    questions = std::make_shared<authorizer>(made.auth, numbers);
    made.questions = questions;
    return made;
  }
  int ask_application(header_list headers, std::chrono::seconds patience = testing::patience) {
    return ask_at(asking, opening, "t", std::move(headers), patience);
  }

  testing::asked_application application;
  std::shared_ptr<authorizer> questions;
  callback_access asking{asking_options(), numbers};
};

TEST_F(CallbackAccessByApplication, LeavesNoQuestionWhereItWaitsNoLonger) {
  application.hold();
  ASSERT_TRUE(questions->ask({}, [](const authorize_verdict&) {}));
  EXPECT_EQ(ask_application({}, 0s), 1);
  EXPECT_EQ(testing::metric(numbers, R"(herald_auth_questions_total{result="given_up"})"), 1);
  EXPECT_EQ(testing::metric(numbers, "herald_auth_questions"), 1) << "which was there before";
}

TEST_F(CallbackAccessByApplication, DoesNotSayWhereAPageIsAsAnybodyMayHaveSaidThat) {
  EXPECT_EQ(
    ask_application(
      {{"Cookie", "session=7"},
       {"X-Forwarded-For", "10.0.0.1"},
       {"X-Forwarded-Proto", "https"},
       {"X-Forwarded-Host", "app.example"}}),
    0);
  const auto asked = application.questions();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].get_header_value("Cookie"), "session=7");
  for (const auto* name : {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"})
    EXPECT_FALSE(asked[0].has_header(name)) << name;
}

} // namespace
} // namespace herald
