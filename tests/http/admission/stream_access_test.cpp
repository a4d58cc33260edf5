#include "http/admission/stream_access.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "http/access/authorizer.hpp"
#include "http/access/ticket_book.hpp"
#include "http/access/token_judge.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

const wall_time noon{12h};

/// Knows some tokens by heart.
class known_tokens final : public token_judge {
public:
  verdict judge(std::string_view token, wall_time now, fetch_over) override {
    if (token == "ann" && now == noon)
      return right_of({"ann", {"ops"}, {"orders/*"}, noon + 1h, noon - 1h, "7"}, {"news/*"});
    return token == "unknown key" ? refusal::later : refusal::invalid;
  }
};

class StreamAccess : public ::testing::Test {
protected:
  StreamAccess() {
    options.auth.mode = auth_mode::required;
    options.auth.public_topics = {"news/*"};
    options.cors_origins = {"*", "https://app.example"};
    options.make_judge = [] {
      return std::make_unique<known_tokens>();
    };
    options.tickets = std::make_shared<ticket_book>(ticket_book::limits{10, 10'000}, numbers);
    options.last_place = [] {
      return event_id{100};
    };
  }

  /// The status that is answered; 0: none, it may have its stream; 1: it is to come back; 2: the
  /// application is to be asked.
  int ask(
    header_list headers, const std::string& query = {}, const texts& patterns = {},
    bool head_only = false) {
    request_head request;
    request.method = head_only ? "HEAD" : "GET";
    request.target = "/api/sse/stream?request_id=p" + query;
    request.headers = std::move(headers);
    opening = {};
    opening.id = request_id{"p"};
    opening.url = request.target;
    opening.head_only = head_only;
    if (query.starts_with("&ticket="))
      opening.ticket = query.substr(8);
    if (!patterns.empty()) {
      reach asks;
      asks.patterns = patterns;
      opening.asks = std::make_shared<const reach>(asks);
    }
    stream_access access{options, counts};
    const auto refused = access.ask(request, opening, noon);
    if (!refused)
      return 0;
    if (refused->awaits == stream_access::awaited::application)
      return 2;
    if (!refused->reply)
      return 1;
    reply = *refused->reply;
    return reply.status;
  }

  /// From now on the application is there to be asked.
  void with_application() {
    options.auth.authorize_url = "http://127.0.0.1:1/authorize";
    options.questions = std::make_shared<authorizer>(options.auth, numbers);
  }

  /// The same as `ask` for what the application says.
  int take(const authorize_verdict& said, const texts& patterns = {}) {
    opening = {};
    opening.id = request_id{"p"};
    reach asks;
    asks.patterns = patterns;
    opening.asks = std::make_shared<const reach>(asks);
    stream_access access{options, counts};
    const auto refused = access.take(said, opening, noon);
    if (!refused)
      return 0;
    if (!refused->reply)
      return 1;
    reply = *refused->reply;
    return reply.status;
  }

  [[nodiscard]] std::string challenge() const {
    for (const auto& [name, value] : reply.headers)
      if (name == "WWW-Authenticate")
        return value;
    return {};
  }
  [[nodiscard]] double found(const char* result) const {
    return testing::metric(
      numbers, std::string{"herald_auth_total{port=\"stream\",result=\""} + result + "\"}");
  }

  metrics numbers;
  stream_metrics counts{numbers, 0};
  stream_options options;
  stream_opening opening;
  api_reply reply;
};

const header_list ann = {{"Authorization", "Bearer ann"}};

header_list cookie(header_list more = {}) {
  more.emplace_back("Cookie", "__Secure-herald=ann");
  return more;
}

TEST_F(StreamAccess, GivesAStreamWhatItsTokenGrants) {
  ASSERT_EQ(ask(ann, "&topic=orders/1", {"orders/1"}), 0);
  ASSERT_TRUE(opening.asks);
  EXPECT_EQ(opening.asks->subject, "ann");
  EXPECT_EQ(opening.asks->roles, texts{"ops"});
  EXPECT_EQ(opening.asks->patterns, texts{"orders/1"});
  ASSERT_TRUE(opening.by);
  EXPECT_EQ(opening.by->subject, "ann");
  EXPECT_EQ(opening.by->id, "7");
  EXPECT_EQ(opening.by->issued_at, noon - 1h);
  EXPECT_EQ(opening.by->topics, (texts{"orders/*", "news/*"}));
  EXPECT_TRUE(opening.by->targeted);
  EXPECT_EQ(opening.expires_at, noon + 1h);
  EXPECT_EQ(opening.url, "/api/sse/stream") << "what is kept of a URL has no query";
  EXPECT_EQ(found("ok"), 1);
}

TEST_F(StreamAccess, RefusesWhoHasNothingOrNothingGood) {
  EXPECT_EQ(ask({}), 401);
  EXPECT_EQ(challenge(), R"(Bearer realm="herald")") << "who has not tried is told no error";
  EXPECT_EQ(found("missing"), 1);
  texts bodies;
  for (const auto& headers : std::vector<header_list>{
         {{"Authorization", "Bearer bob"}},
         {{"Authorization", "Basic YW5u"}},
         {{"Authorization", "ann"}},
         {{"Cookie", "__Secure-herald=bob"}}}) {
    EXPECT_EQ(ask(headers), 401);
    EXPECT_EQ(challenge(), R"(Bearer realm="herald", error="invalid_token")");
    bodies.push_back(reply.body);
  }
  EXPECT_EQ(ask({}, "&ticket=none"), 401);
  bodies.push_back(reply.body);
  EXPECT_EQ(std::count(bodies.begin(), bodies.end(), bodies.front()), 5) << "one text for all";
  EXPECT_EQ(found("invalid"), 5);
}

TEST_F(StreamAccess, RefusesTwoCredentialsAndPassesTheCookieOver) {
  EXPECT_EQ(ask({{"Authorization", "Bearer ann"}, {"Authorization", "Bearer ann"}}), 400);
  EXPECT_EQ(challenge(), R"(Bearer realm="herald", error="invalid_request")");
  EXPECT_EQ(ask(ann, "&ticket=t"), 400);
  EXPECT_EQ(found("two_ways"), 2);
  EXPECT_EQ(ask({{"Authorization", "Bearer ann"}, {"Cookie", "__Secure-herald=bob"}}), 0);
}

TEST_F(StreamAccess, HasATokenOfAnUnknownKeyComeBack) {
  EXPECT_EQ(ask({{"Authorization", "Bearer unknown key"}}), 1);
  EXPECT_EQ(found("later"), 1);
}

TEST_F(StreamAccess, TakesACookieOfListedOriginsAndItsOwnAlone) {
  EXPECT_EQ(ask(cookie()), 0) << "no browser: nobody else's page";
  EXPECT_EQ(ask(cookie({{"Sec-Fetch-Site", "same-origin"}})), 0);
  for (const auto* site : {"same-site", "cross-site", "none", ""})
    EXPECT_EQ(ask(cookie({{"Sec-Fetch-Site", site}})), 403) << site;
  EXPECT_EQ(ask(cookie({{"Origin", "https://app.example"}, {"Sec-Fetch-Site", "cross-site"}})), 0);
  for (const auto* origin : {"https://evil.example", "null", "*", "http://app.example"})
    EXPECT_EQ(ask(cookie({{"Origin", origin}})), 403) << origin << " is not listed by name";
  EXPECT_EQ(found("origin"), 8);
  EXPECT_EQ(ask({{"Authorization", "Bearer ann"}, {"Origin", "https://evil.example"}}), 0)
    << "nobody sends a token by itself";
}

TEST_F(StreamAccess, RefusesATopicThatIsNotGranted) {
  EXPECT_EQ(ask(ann, {}, {"news/1", "orders/*"}), 0);
  EXPECT_EQ(ask(ann, {}, {"orders/1", "rooms/7"}), 403);
  EXPECT_NE(reply.body.find("rooms/7"), std::string::npos) << reply.body;
  EXPECT_EQ(challenge(), R"(Bearer realm="herald", error="insufficient_scope")");
  EXPECT_EQ(ask(ann, {}, {"*"}), 403);
  EXPECT_EQ(ask(ann, {}, {"orders"}), 403);
  EXPECT_EQ(found("insufficient_scope"), 3);
}

TEST_F(StreamAccess, LetsAnybodyHearWhatIsPublicWhereACredentialIsOptional) {
  options.auth.mode = auth_mode::optional;
  EXPECT_EQ(ask({}, {}, {"news/*"}), 0);
  EXPECT_FALSE(opening.by->targeted);
  EXPECT_EQ(opening.by->subject, "");
  EXPECT_FALSE(opening.expires_at);
  EXPECT_EQ(found("anonymous"), 1);
  EXPECT_EQ(ask({}, {}, {"orders/1"}), 403);
  EXPECT_EQ(ask({{"Authorization", "Bearer bob"}}), 401) << "one that is there must be good";
  EXPECT_EQ(ask(ann), 0);
  EXPECT_TRUE(opening.by->targeted);
}

TEST_F(StreamAccess, UsesATicketOnceAndNotForAHead) {
  stream_grant grant;
  grant.topics = {"rooms/7"};
  grant.expires_at = noon + 1min;
  const auto ticket = *options.tickets->issue(grant, request_id{"p"}, noon);
  EXPECT_EQ(ask({}, "&ticket=" + ticket, {}, true), 0);
  EXPECT_EQ(ask({}, "&ticket=" + ticket, {"rooms/7"}), 0);
  EXPECT_EQ(opening.expires_at, noon + 1min);
  EXPECT_EQ(ask({}, "&ticket=" + ticket), 401);
}

TEST_F(StreamAccess, UsesUpNoTicketWhoseStreamAsksForTooMuch) {
  stream_grant grant;
  grant.topics = {"rooms/7"};
  grant.expires_at = noon + 1min;
  const auto ticket = *options.tickets->issue(grant, request_id{"p"}, noon);
  EXPECT_EQ(ask({}, "&ticket=" + ticket, {"rooms/8"}), 403);
  EXPECT_EQ(ask({}, "&ticket=" + ticket, {"rooms/7"}), 0);
}

TEST_F(StreamAccess, LeavesToTheApplicationWhoBringsNoTicketWhereThereAreNoKeys) {
  with_application();
  EXPECT_EQ(ask({}), 2);
  EXPECT_EQ(ask(ann), 2) << "whatever is in Authorization";
  EXPECT_EQ(ask({{"Authorization", "Basic YW5u"}}), 2);
  EXPECT_EQ(ask(cookie()), 2);
  EXPECT_EQ(ask({{"Cookie", "session=7"}}), 2);
  EXPECT_EQ(ask({}, "&ticket=none"), 401);
  EXPECT_EQ(ask(ann, "&ticket=none"), 400);
  EXPECT_EQ(ask({{"Authorization", "Bearer ann"}, {"Authorization", "Bearer bob"}}), 400);
  options.auth.mode = auth_mode::optional;
  EXPECT_EQ(ask({}), 2) << "it may know the page all the same";
  EXPECT_EQ(found("later"), 0);
}

TEST_F(StreamAccess, LeavesToTheApplicationWhoBringsNoTokenBesideKeys) {
  with_application();
  options.auth.secret_file = "/secret";
  EXPECT_EQ(ask({}), 2);
  EXPECT_EQ(ask({{"Cookie", "session=7"}}), 2);
  EXPECT_EQ(ask(ann), 0);
  EXPECT_EQ(ask(cookie()), 0);
  EXPECT_EQ(ask({{"Authorization", "Bearer bob"}}), 401) << "a token that is there must be good";
  EXPECT_EQ(ask({{"Authorization", "Basic YW5u"}}), 401);
}

TEST_F(StreamAccess, AsksNobodyAboutAHead) {
  with_application();
  EXPECT_EQ(ask({}, {}, {}, true), 401);
  EXPECT_EQ(ask(ann, {}, {}, true), 0) << "keys answer";
  options.auth.mode = auth_mode::optional;
  EXPECT_EQ(ask({}, {}, {}, true), 0);
}

TEST_F(StreamAccess, AsksNothingByWhatABrowserSendsByItselfForAPageOfAnotherSite) {
  with_application();
  const header_list elsewhere = {{"Origin", "https://evil.example"}};
  for (const auto& by_itself :
       header_list{{"Cookie", "session=7"}, {"Authorization", "Basic YW5u"}}) {
    EXPECT_EQ(ask({by_itself, {"Origin", "https://evil.example"}}), 403) << by_itself.first;
    EXPECT_EQ(ask({by_itself, {"Sec-Fetch-Site", "cross-site"}}), 403) << by_itself.first;
    EXPECT_EQ(ask({by_itself, {"Origin", "https://app.example"}}), 2) << by_itself.first;
    EXPECT_EQ(ask({by_itself, {"Sec-Fetch-Site", "same-origin"}}), 2) << by_itself.first;
  }
  EXPECT_EQ(found("origin"), 4);
  EXPECT_EQ(ask({{"Authorization", "Bearer ann"}, elsewhere.front()}), 2);
  EXPECT_EQ(ask(elsewhere), 2) << "it has nothing that is the user's";
}

TEST_F(StreamAccess, GivesAStreamWhatTheApplicationGrants) {
  ASSERT_EQ(
    take(stream_grant{"ann", {"ops"}, {"orders/*"}, noon + 1h, noon, {}}, {"orders/1", "news/1"}),
    0);
  EXPECT_EQ(opening.asks->subject, "ann");
  EXPECT_EQ(opening.asks->roles, texts{"ops"});
  EXPECT_EQ(opening.by->subject, "ann");
  EXPECT_EQ(opening.by->issued_at, noon);
  EXPECT_EQ(opening.by->topics, (texts{"orders/*", "news/*"}));
  EXPECT_TRUE(opening.by->targeted);
  EXPECT_EQ(opening.expires_at, noon + 1h);
  EXPECT_EQ(found("ok"), 1);
  EXPECT_EQ(take(stream_grant{"ann", {}, {"orders/*"}, {}, noon, {}}, {"rooms/7"}), 403);
  EXPECT_NE(reply.body.find("rooms/7"), std::string::npos) << reply.body;
}

TEST_F(StreamAccess, LetsWhomTheApplicationDoesNotNameHearNothingTargeted) {
  options.auth.mode = auth_mode::optional;
  ASSERT_EQ(take(stream_grant{"", {"ops"}, {"rooms/*"}, noon + 1h, noon, {}}, {"rooms/7"}), 0);
  EXPECT_FALSE(opening.by->targeted);
  EXPECT_EQ(opening.by->subject, "");
  EXPECT_TRUE(opening.asks->roles.empty());
  EXPECT_EQ(opening.by->topics, (texts{"rooms/*", "news/*"}));
  EXPECT_EQ(opening.expires_at, noon + 1h);
  EXPECT_EQ(found("anonymous"), 1);
}

TEST_F(StreamAccess, PassesOnWhatTheApplicationRefuses) {
  EXPECT_EQ(take(turned_down{401, {}}), 401);
  EXPECT_EQ(challenge(), R"(Bearer realm="herald")");
  EXPECT_EQ(take(turned_down{401, "Basic realm=\"app\""}), 401);
  EXPECT_EQ(challenge(), "Basic realm=\"app\"");
  EXPECT_EQ(take(turned_down{403, {}}), 403);
  EXPECT_EQ(challenge(), "");
  EXPECT_EQ(found("refused"), 3);
  EXPECT_EQ(take(no_answer{"a reason"}), 1) << "it is to come back";
  EXPECT_EQ(found("later"), 1);
}

TEST_F(StreamAccess, LogsWhoIsRefusedAndNothingThatLetsAnybodyIn) {
  const testing::log_capture log;
  stream_access access{options, counts};
  const auto refuse = [&](header_list headers, std::optional<std::string> ticket, wall_time now) {
    request_head request;
    request.target = "/api/sse/stream?request_id=p&ticket=secret";
    request.headers = std::move(headers);
    opening.id = request_id{"p"};
    opening.ticket = std::move(ticket);
    EXPECT_TRUE(access.ask(request, opening, now));
  };
  refuse({{"Authorization", "Bearer secret"}}, {}, noon);
  refuse({}, "secret", noon);
  refuse({{"Cookie", "__Secure-herald=secret"}}, {}, noon);
  for (int i = 0; i < 20; ++i)
    refuse({}, {}, noon);
  refuse({}, {}, noon + 1s);
  const auto lines = log.lines("stream_refused");
  ASSERT_EQ(lines.size(), 11u) << "ten in a second";
  EXPECT_NE(lines[0].find("request_id=p"), std::string::npos) << lines[0];
  EXPECT_NE(lines[10].find("unlogged=13"), std::string::npos) << lines[10];
  for (const auto& line : lines)
    EXPECT_EQ(line.find("secret"), std::string::npos) << line;
}

} // namespace
} // namespace herald
