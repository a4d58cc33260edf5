#include "http/admission/stream_admission.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "actors/telemetry/metrics.hpp"
#include "http/access/ticket_book.hpp"
#include "http/access/token_judge.hpp"

namespace herald {
namespace {

using refusal = stream_metrics::refusal;
using namespace std::chrono_literals;

/// That is counted to nobody.
const ip_address no_peer;

request_head page(std::string method = "GET", std::string target = "/api/sse/stream?request_id=p") {
  return {
    std::move(method),
    std::move(target),
    11,
    {{"Host", "herald"}, {"Origin", "http://app.example"}}};
}

/// What EventSource asks for.
request_head event_source() {
  auto request = page();
  request.headers.emplace_back("Accept", "text/event-stream");
  return request;
}

std::optional<std::string> header(const header_list& headers, std::string_view name) {
  const auto found =
    std::find_if(headers.begin(), headers.end(), [&](const auto& h) { return h.first == name; });
  return found == headers.end() ? std::nullopt : std::optional{found->second};
}

class StreamAdmission : public ::testing::Test {
protected:
  StreamAdmission() {
    options_.max_openings = 3;
    options_.retry_ms = 4000ms;
  }

  /// The answer to a page that is refused.
  api_reply refused(const request_head& request, const stream_admission::load& now = {}) {
    const auto verdict = admission_.decide(request, no_peer, now);
    EXPECT_TRUE(std::holds_alternative<api_reply>(verdict));
    return std::holds_alternative<api_reply>(verdict) ? std::get<api_reply>(verdict) : api_reply{};
  }

  /// Whether it is told so in a stream that ends, and of which reason.
  static void expect_to_come_back_by_a_stream(const api_reply& reply, const std::string& why) {
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.content_type, "text/event-stream");
    EXPECT_FALSE(header(reply.headers, "Retry-After"));
    EXPECT_EQ(header(reply.headers, "Cache-Control"), "no-cache, no-transform");
    ASSERT_TRUE(reply.body.starts_with("retry: ")) << reply.body;
    const auto after = std::stoi(reply.body.substr(7));
    EXPECT_GE(after, 4000);
    EXPECT_LE(after, 12000);
    EXPECT_EQ(reply.body.substr(reply.body.find('\n')), "\n: " + why + "\n");
  }

  /// Whether it is told to come back, within the time that is set.
  static void expect_to_come_back(const api_reply& reply) {
    EXPECT_EQ(reply.status, 503);
    const auto after = header(reply.headers, "Retry-After");
    ASSERT_TRUE(after);
    EXPECT_GE(std::stoi(*after), 4);
    EXPECT_LE(std::stoi(*after), 12);
    const auto times =
      std::count_if(reply.headers.begin(), reply.headers.end(), [](const auto& one) {
        return one.first == "Retry-After";
      });
    EXPECT_EQ(times, 1);
  }

  [[nodiscard]] double count(refusal why) const { return counts_.refused(why).Value(); }
  [[nodiscard]] double all_refusals() const {
    double sum = 0;
    for (auto i = 0; i <= static_cast<int>(refusal::too_many_questions); ++i)
      sum += count(static_cast<refusal>(i));
    return sum;
  }

  static limit_settings limits_of_clients() {
    limit_settings each;
    each.failed_auth_per_min = 2;
    each.opens_per_s = 5;
    each.subject_opens_per_s = 3;
    return each;
  }

  stream_options options_;
  stream_limits limits_{2, 0};
  metrics numbers_;
  client_limits clients_{0, limits_of_clients(), numbers_};
  stream_metrics counts_{numbers_, 0};
  stream_admission admission_{options_, limits_, clients_, counts_, 10, 1};
};

TEST_F(StreamAdmission, GivesALeaseToAPageThatMayHaveAStream) {
  const auto verdict = admission_.decide(page(), no_peer, {});
  ASSERT_TRUE(std::holds_alternative<stream_admission::admitted>(verdict));
  EXPECT_EQ(std::get<stream_admission::admitted>(verdict).opening.id.str(), "p");
  EXPECT_EQ(all_refusals(), 0);
}

/// Has no memory left.
class failing_judge final : public token_judge {
public:
  [[nodiscard]] verdict judge(std::string_view, wall_time, fetch_over) override {
    throw std::bad_alloc{};
  }
};

TEST_F(StreamAdmission, KeepsNoLeaseWhereItFailsToAskForARight) {
  options_.auth.mode = auth_mode::required;
  options_.make_judge = [] {
    return std::make_unique<failing_judge>();
  };
  stream_limits one{1, 0};
  stream_admission asking{options_, one, clients_, counts_, 10, 1};
  auto request = page();
  request.headers.emplace_back("Authorization", "Bearer a.b.c");
  for (int i = 0; i < 2; ++i)
    EXPECT_THROW((void)asking.decide(request, no_peer, {}), std::bad_alloc);
}

TEST_F(StreamAdmission, KeepsNoLeaseOfAClientWithoutARight) {
  options_.auth.mode = auth_mode::required;
  options_.make_judge = [] {
    return std::make_unique<no_tokens>();
  };
  stream_limits one{1, 0};
  stream_admission asking{options_, one, clients_, counts_, 10, 1};
  auto bad = page();
  bad.headers.emplace_back("Authorization", "Bearer a.b.c");
  for (const auto& request : {page(), bad, page()}) {
    const auto verdict = asking.decide(request, no_peer, {});
    ASSERT_TRUE(std::holds_alternative<api_reply>(verdict));
    EXPECT_EQ(std::get<api_reply>(verdict).status, 401);
  }
}

TEST_F(StreamAdmission, TellsABackendOnlyOfAWayThatIsVouchedFor) {
  options_.stand_in = true;
  options_.trusted_proxies = {"10.0.0.0/8"};
  stream_admission behind{options_, limits_, clients_, counts_, 10, 1};
  auto request = page();
  request.headers.emplace_back("X-Forwarded-For", "1.2.3.4");
  const auto shown = [&](const char* peer) {
    auto verdict = behind.decide(request, boost::asio::ip::make_address(peer), {});
    const auto& admitted = std::get<stream_admission::admitted>(verdict);
    return std::pair{
      header(*admitted.opening.headers, "X-Forwarded-For"),
      header(*admitted.opening.headers, "x-forwarded-for")};
  };
  EXPECT_EQ(
    shown("10.1.1.1"),
    (std::pair{std::optional<std::string>{"1.2.3.4"}, std::optional<std::string>{}}));
  EXPECT_EQ(
    shown("9.9.9.9"),
    (std::pair{std::optional<std::string>{}, std::optional<std::string>{"9.9.9.9"}}));
}

TEST_F(StreamAdmission, SaysWhomAStreamIsCountedTo) {
  const auto client = [&](const char* peer) {
    auto verdict = admission_.decide(page(), boost::asio::ip::make_address(peer), {});
    return std::get<stream_admission::admitted>(verdict).client;
  };
  EXPECT_EQ(client("8.8.8.8"), counted_as(boost::asio::ip::make_address("8.8.8.8")));
  EXPECT_EQ(client("127.0.0.1"), std::nullopt);
}

TEST_F(StreamAdmission, CountsWhatIsNoStreamByItsStatus) {
  EXPECT_EQ(refused(page("GET", "/elsewhere")).status, 404);
  EXPECT_EQ(count(refusal::not_found), 1);
  EXPECT_EQ(refused(page("POST")).status, 405);
  EXPECT_EQ(count(refusal::method), 1);
  EXPECT_EQ(refused(page("GET", "/api/sse/stream")).status, 400);
  EXPECT_EQ(count(refusal::invalid), 1);
  EXPECT_EQ(all_refusals(), 3);
}

TEST_F(StreamAdmission, DoesNotCountAnAnswerThatRefusesNothing) {
  EXPECT_EQ(refused(page("OPTIONS")).status, 204);
  EXPECT_EQ(all_refusals(), 0);
}

TEST_F(StreamAdmission, TellsPagesToComeBackToALoopThatIsFullOrEnds) {
  struct row {
    stream_admission::load now;
    refusal why;
  };
  for (const auto& [now, why] : {
         row{{10, 0, false}, refusal::too_many},
         row{{9, 3, false}, refusal::too_many_openings},
         row{{0, 0, true}, refusal::shutting_down},
       }) {
    const auto before = count(why);
    const auto reply = refused(page(), now);
    expect_to_come_back(reply);
    EXPECT_TRUE(header(reply.headers, "Access-Control-Allow-Origin"));
    EXPECT_EQ(count(why), before + 1);
  }
  // None of them holds a lease.
  EXPECT_TRUE(std::holds_alternative<stream_admission::admitted>(
    admission_.decide(page(), no_peer, {9, 2, false})));
  EXPECT_TRUE(std::holds_alternative<stream_admission::admitted>(
    admission_.decide(page(), no_peer, {9, 2, false})));
}

/// EventSource comes back after a stream has ended, and at any status but 200 never.
TEST_F(StreamAdmission, TellsWhoAcceptsAStreamToComeBackByAStreamThatEnds) {
  struct row {
    stream_admission::load now;
    refusal why;
    std::string says;
  };
  for (const auto& [now, why, says] : {
         row{{10, 0, false}, refusal::too_many, "Too many streams: no more streams here"},
         row{
           {9, 3, false},
           refusal::too_many_openings,
           "Overloaded: too many streams are opening at once"},
         row{{0, 0, true}, refusal::shutting_down, "Shutting down: this herald is ending"},
       }) {
    const auto before = count(why);
    const auto reply = refused(event_source(), now);
    expect_to_come_back_by_a_stream(reply, says);
    EXPECT_TRUE(header(reply.headers, "Access-Control-Allow-Origin"));
    EXPECT_EQ(count(why), before + 1);
  }
}

TEST_F(StreamAdmission, SpreadsWhoAcceptsAStream) {
  std::set<std::string> times;
  for (int i = 0; i < 20; ++i)
    times.insert(admission_.busy(refusal::too_many, true).body);
  EXPECT_GT(times.size(), 10u);
}

TEST_F(StreamAdmission, TellsWhoAcceptsAStreamToComeBackWhereItsOwnerCannotTakeIt) {
  expect_to_come_back_by_a_stream(
    admission_.refused_by_owner({ec::overloaded, "no room", {}}, 0, true), "Overloaded: no room");
  expect_to_come_back_by_a_stream(
    admission_.refused_by_owner({ec::actor_failed, {}, {}}, 0, true), "Internal error");
  expect_to_come_back_by_a_stream(
    admission_.refused_by_owner({ec::timed_out, "a\nb", {}}, 0, true), "Timed out: a");
  EXPECT_EQ(count(refusal::by_owner), 3);
}

TEST_F(StreamAdmission, NamesOneTimeToComeBackWhereItsOwnerCannotTakeAStream) {
  expect_to_come_back(admission_.refused_by_owner({ec::overloaded, "no room", {}}, 0, false));
  expect_to_come_back(admission_.refused_by_owner({ec::overloaded, "no room", {}}, 503, false));
}

TEST_F(StreamAdmission, RefusesForGoodByTheStatusWhateverTheClientAccepts) {
  EXPECT_EQ(admission_.refused_by_owner({ec::unauthorized, {}, {}}, 0, true).status, 401);
  EXPECT_EQ(admission_.refused_by_owner({ec::upstream_refused, {}, {}}, 403, true).status, 403);
  auto request = event_source();
  request.target = "/api/sse/stream";
  EXPECT_EQ(refused(request).status, 400);
}

TEST_F(StreamAdmission, TellsWhoIsKeptAwayNotToComeBack) {
  for (const bool accepts_stream : {true, false})
    EXPECT_EQ(admission_.refused_by_owner({ec::kept_away, {}, {}}, 0, accepts_stream).status, 204);
  EXPECT_EQ(count(refusal::kept_away), 2);
}

TEST_F(StreamAdmission, CountsWhomItHasNoRoomToAskAbout) {
  expect_to_come_back(admission_.no_room_to_ask(false));
  EXPECT_EQ(count(refusal::too_many_questions), 1);
  EXPECT_EQ(counts_.found(stream_metrics::finding::later).Value(), 1);
}

TEST_F(StreamAdmission, CountsWhoseRightHasEndedBeforeItsOwnerTookIt) {
  EXPECT_EQ(admission_.refused_by_owner({ec::invalid_token, {}, {}}, 0, false).status, 401);
  EXPECT_EQ(counts_.found(stream_metrics::finding::invalid).Value(), 1);
}

TEST_F(StreamAdmission, StandingInLeavesTheStatus) {
  options_.stand_in = true;
  stream_admission standing_in{options_, limits_, clients_, counts_, 10, 1};
  expect_to_come_back(standing_in.busy(refusal::too_many, true));
  const failure away{ec::upstream_unavailable, {}, {}};
  expect_to_come_back(standing_in.refused_by_owner(away, 0, true));
  expect_to_come_back(standing_in.refused_by_owner(away, 503, true));
}

TEST_F(StreamAdmission, StandingInIsBusyInTheWordsOfAGateway) {
  options_.stand_in = true;
  stream_admission standing_in{options_, limits_, clients_, counts_, 10, 1};
  for (const auto& [why, code] :
       {std::pair{refusal::too_many, "OVERLOADED"}, {refusal::shutting_down, "SHUTTING_DOWN"}}) {
    const auto reply = standing_in.busy(why, true);
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.content_type, "application/json");
    EXPECT_NE(reply.body.find(std::string{R"("code":")"} + code + '"'), std::string::npos)
      << reply.body;
  }
}

TEST_F(StreamAdmission, AdmitsNoMoreThanTheLimitOfAllLoops) {
  ASSERT_EQ(limits_.admit({}).index(), 0u);
  ASSERT_EQ(limits_.admit({}).index(), 0u);
  expect_to_come_back(refused(page()));
  EXPECT_EQ(count(refusal::too_many), 1);
}

TEST_F(StreamAdmission, CountsClientsWhoseRequestIsNeverRead) {
  const auto counted_as = [&](ec what, refusal why) {
    const auto before = count(why);
    EXPECT_EQ(header(admission_.refuse_unread(what), "Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(count(why), before + 1);
  };
  counted_as(ec::malformed_request, refusal::malformed);
  counted_as(ec::unsupported_version, refusal::malformed);
  counted_as(ec::unsupported_coding, refusal::malformed);
  counted_as(ec::unsupported_expectation, refusal::malformed);
  counted_as(ec::target_too_long, refusal::head_too_large);
  counted_as(ec::head_too_large, refusal::head_too_large);
  counted_as(ec::request_timed_out, refusal::head_timed_out);
  counted_as(ec::overloaded, refusal::head_crowded_out);
}

TEST_F(StreamAdmission, PassesOnTheStatusWithWhichABackendRefuses) {
  const failure no{ec::upstream_refused, "not today", {}};
  const auto forbidden = admission_.refused_by_owner(no, 403, false);
  EXPECT_EQ(forbidden.status, 403);
  EXPECT_FALSE(header(forbidden.headers, "Retry-After"));
  expect_to_come_back(admission_.refused_by_owner(no, 503, false));
  // No status that an answer could have, or none at all: herald's own.
  EXPECT_EQ(admission_.refused_by_owner(no, 200, false).status, 502);
  EXPECT_EQ(admission_.refused_by_owner(no, 0, false).status, 502);
  EXPECT_EQ(count(refusal::by_owner), 4);
}

/// Knows the names of subjects.
class judge_of_names final : public token_judge {
public:
  [[nodiscard]] verdict judge(std::string_view token, wall_time, fetch_over over) override {
    if (token == "fetched")
      return over ? verdict{refusal::soon} : verdict{right_of({"ann", {}, {}, {}, {}, {}}, {})};
    if (token == "gone")
      return over ? refusal::soon : refusal::later;
    if (token == "ann" || token == "bob")
      return right_of({std::string{token}, {}, {}, {}, {}, {}}, {});
    return refusal::invalid;
  }
};

class StreamAdmissionWithTokens : public StreamAdmission {
protected:
  static request_head with(const std::string& token, request_head request = page()) {
    if (!token.empty())
      request.headers.emplace_back("Authorization", "Bearer " + token);
    return request;
  }
  /// 0: it may have its stream.
  int status(const request_head& request, std::chrono::milliseconds after = {}) {
    const auto peer = boost::asio::ip::make_address(from_);
    last_ = asking_.decide(request, peer, {0, 0, false, beginning_ + after});
    const auto* const reply = std::get_if<api_reply>(&last_);
    return reply == nullptr ? 0 : reply->status;
  }
  void release() { many_.release(std::get<stream_admission::admitted>(last_).lease); }
  /// A request of a page that waits for its key, and what is decided when that is there.
  std::optional<api_reply>
  status_of_waiting(const std::string& token, bool final, request_head wanted = page()) {
    const auto request = with(token, std::move(wanted));
    auto verdict = asking_.decide(
      request, boost::asio::ip::make_address(from_), {0, 0, false, beginning_}, [](bool) {});
    auto& waiting = std::get<stream_admission::admitted>(verdict);
    EXPECT_TRUE(waiting.awaits_key);
    auto reply = asking_.decide_again(request, waiting, final, beginning_);
    many_.release(waiting.lease);
    return reply;
  }
  /// What is decided of a page when the application has said who it is.
  std::optional<api_reply>
  status_by(const authorize_verdict& said, std::chrono::milliseconds after) {
    auto verdict = asking_.decide(
      page(), boost::asio::ip::make_address(from_), {0, 0, false, beginning_ + after});
    auto& asked = std::get<stream_admission::admitted>(verdict);
    auto reply = asking_.decide_by(said, asked, beginning_ + after);
    many_.release(asked.lease);
    return reply;
  }
  static void expect_to_come_back_after(const api_reply& reply, int seconds) {
    EXPECT_EQ(reply.status, 429);
    const auto after = header(reply.headers, "Retry-After");
    ASSERT_TRUE(after);
    EXPECT_GE(std::stoi(*after), seconds);
    EXPECT_LE(std::stoi(*after), 3 * seconds);
  }
  [[nodiscard]] const api_reply& reply() const { return std::get<api_reply>(last_); }

  const stream_admission::time_point beginning_{1h};
  std::string from_ = "8.8.8.8";
  stream_limits many_{100, 0, 2};
  stream_admission asking_{with_tokens(), many_, clients_, counts_, 200, 1};
  std::variant<stream_admission::admitted, api_reply> last_;

private:
  const stream_options& with_tokens() {
    options_.auth.mode = auth_mode::optional;
    options_.make_judge = [] {
      return std::make_unique<judge_of_names>();
    };
    options_.tickets = std::make_shared<ticket_book>(ticket_book::limits{10, 100'000}, numbers_);
    options_.last_place = [] {
      return event_id{1};
    };
    return options_;
  }
};

TEST_F(StreamAdmissionWithTokens, LooksAtNothingFromAnAddressFromWhichTooMuchHasFailed) {
  EXPECT_EQ(status(with("bad")), 401);
  EXPECT_EQ(status(page("GET", "/api/sse/stream?request_id=p&ticket=none")), 401);
  EXPECT_EQ(status(with("bad")), 429);
  expect_to_come_back_after(reply(), 30);
  EXPECT_TRUE(header(reply().headers, "Access-Control-Allow-Origin"));
  EXPECT_EQ(status(with("ann")), 429) << "nor at a good one";
  EXPECT_EQ(status(page("GET", "/api/sse/stream?request_id=p&ticket=none")), 429);
  EXPECT_EQ(status(page("HEAD")), 200) << "who presents nothing has not tried";
  EXPECT_EQ(status(with("ann", page("HEAD"))), 429);
  EXPECT_EQ(status(page()), 0);
  EXPECT_EQ(count(refusal::failed_auth), 4);
  EXPECT_EQ(counts_.found(stream_metrics::finding::limited).Value(), 4);
  EXPECT_EQ(status(with("ann", event_source())), 200);
  EXPECT_NE(
    reply().body.find("\n: Overloaded: too many attempts from this address have failed\n"),
    std::string::npos)
    << reply().body;
  from_ = "9.9.9.9";
  EXPECT_EQ(status(with("ann")), 0) << "another address";
  from_ = "8.8.8.8";
  EXPECT_EQ(status(with("ann"), 30s), 0);
}

TEST_F(StreamAdmissionWithTokens, CountsNoFailureOfWhoHasNoneOrTwoOrMayNotListen) {
  options_.auth.mode = auth_mode::required;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(status(page(), i * 1s), 401);
    EXPECT_EQ(status(with("ann", with("ann")), i * 1s), 400);
    EXPECT_EQ(
      status(with("ann", page("GET", "/api/sse/stream?request_id=p&topic=a")), i * 1s), 403);
  }
  EXPECT_EQ(status(with("ann"), 5s), 0);
}

TEST_F(StreamAdmissionWithTokens, CountsFailuresOfNoAddressThatMayBeAProxys) {
  from_ = "10.0.0.1";
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(status(with("bad")), 401);
}

TEST_F(StreamAdmissionWithTokens, CountsATokenAsAFailureWhoseKeyIsNoneOfThoseFetched) {
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(status_of_waiting("gone", true)->status, 401);
  EXPECT_EQ(status(with("ann")), 429);
}

TEST_F(StreamAdmissionWithTokens, SaysWhatATokenDoesNotGrantWhoseKeyWasFetched) {
  const auto wanted = page("GET", "/api/sse/stream?request_id=p&topic=a");
  EXPECT_EQ(status_of_waiting("fetched", true, wanted)->status, 403);
  EXPECT_EQ(count(refusal::forbidden), 1);
  EXPECT_EQ(count(refusal::unauthorized), 0);
}

TEST_F(StreamAdmissionWithTokens, CountsNoFailureWhereItsKeyCannotBeFetchedNow) {
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(status_of_waiting("gone", false)->status, 503);
  EXPECT_EQ(status(with("ann"), 1s), 0);
}

TEST_F(StreamAdmissionWithTokens, LetsAnAddressOpenSoManyStreamsInASecond) {
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(status(page()), 0);
  EXPECT_EQ(status(page()), 429);
  expect_to_come_back_after(reply(), 4);
  EXPECT_EQ(status(event_source()), 200);
  EXPECT_NE(
    reply().body.find("\n: Overloaded: too many streams were opened from this address\n"),
    std::string::npos)
    << reply().body;
  EXPECT_EQ(count(refusal::opens_per_address), 2);
  EXPECT_EQ(status(page(), 1s), 0);
  from_ = "127.0.0.1";
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(status(page()), 0) << "may be a proxy";
}

TEST_F(StreamAdmissionWithTokens, LetsASubjectOpenSoManyStreamsInASecondFromWhereverItIs) {
  for (int i = 0; i < 3; ++i) {
    from_ = "8.8.8." + std::to_string(i);
    EXPECT_EQ(status(with("ann")), 0);
    release();
  }
  from_ = "127.0.0.1";
  EXPECT_EQ(status(with("ann")), 429);
  expect_to_come_back_after(reply(), 4);
  EXPECT_EQ(count(refusal::opens_per_subject), 1);
  EXPECT_EQ(status(with("bob")), 0);
  EXPECT_EQ(status(page()), 0) << "nobody is no subject";
  EXPECT_EQ(status(with("ann"), 1s), 0);
}

TEST_F(StreamAdmissionWithTokens, LetsASubjectHaveSoManyStreams) {
  from_ = "127.0.0.1";
  EXPECT_EQ(status(with("ann")), 0);
  const auto subject = std::get<stream_admission::admitted>(last_).subject;
  EXPECT_EQ(subject, counted_as_subject("ann"));
  EXPECT_EQ(status(with("ann")), 0);
  EXPECT_EQ(status(with("ann"), 10s), 429);
  EXPECT_EQ(count(refusal::too_many_per_subject), 1);
  EXPECT_EQ(status(with("ann", event_source()), 10s), 200);
  EXPECT_NE(
    reply().body.find("\n: Too many streams: no more streams of this subject\n"), std::string::npos)
    << reply().body;
  EXPECT_EQ(status_of_waiting("fetched", true)->status, 429) << "also one whose key was fetched";
  const auto vouched_for = status_by(stream_grant{"ann", {}, {}, {}, {}, {}}, 10s);
  ASSERT_TRUE(vouched_for) << "and one whom the application vouches for";
  EXPECT_EQ(vouched_for->status, 429);
  EXPECT_FALSE(status_by(stream_grant{"bob", {}, {}, {}, {}, {}}, 10s));
  EXPECT_EQ(status(with("bob"), 10s), 0);
}

TEST_F(StreamAdmissionWithTokens, GivesATicketBackWhoseSubjectHasTooMany) {
  from_ = "127.0.0.1";
  const auto now = std::chrono::system_clock::now();
  const auto ticket =
    options_.tickets->issue(stream_grant{"ann", {}, {}, now + 1h, now, {}}, request_id{}, now);
  ASSERT_TRUE(ticket);
  EXPECT_EQ(status(with("ann")), 0);
  EXPECT_EQ(status(with("ann")), 0);
  const auto held = std::get<stream_admission::admitted>(last_).lease;
  const auto by_ticket = page("GET", "/api/sse/stream?request_id=p&ticket=" + *ticket);
  EXPECT_EQ(status(by_ticket), 429);
  EXPECT_EQ(status(by_ticket), 429) << "it is as it was";
  many_.release(held);
  EXPECT_EQ(status(by_ticket, 1s), 0);
}

} // namespace
} // namespace herald
