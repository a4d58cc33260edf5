#include "http/admission/stream_request_check.hpp"

#include <gtest/gtest.h>

#include "http/protocol/http_reply.hpp"

namespace herald {
namespace {

request_head get(std::string target, header_list more = {}) {
  request_head request{"GET", std::move(target), 11, {{"Host", "herald"}}};
  request.headers.insert(request.headers.end(), more.begin(), more.end());
  return request;
}

stream_opening opened(const request_head& request, const stream_rules& rules = {}) {
  const auto verdict = check_stream_request(request, rules);
  if (const auto* reply = std::get_if<api_reply>(&verdict)) {
    ADD_FAILURE() << "refused: " << reply->status << ' ' << reply->body;
    return {};
  }
  return std::get<stream_opening>(verdict);
}

api_reply refused(const request_head& request, const stream_rules& rules = {}) {
  const auto verdict = check_stream_request(request, rules);
  if (const auto* reply = std::get_if<api_reply>(&verdict))
    return *reply;
  ADD_FAILURE() << "opened";
  return {};
}

std::string header(const header_list& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (key == name)
      return value;
  return "(none)";
}

TEST(StreamRequestCheck, OpensAStreamForARequestId) {
  const auto opening = opened(get("/api/sse/stream?x=1&request_id=a%20b+c"));
  EXPECT_EQ(opening.id.str(), "a b c");
  EXPECT_EQ(opening.url, "/api/sse/stream") << "a query may hold secrets";
  EXPECT_EQ(opening.how, framing::chunked);
  EXPECT_EQ(opening.headers, nullptr);
}

TEST(StreamRequestCheck, KnowsWhoAcceptsAStream) {
  const auto accepts = [](const header_list& headers) {
    return opened(get("/api/sse/stream?request_id=a", headers)).accepts_stream;
  };
  EXPECT_FALSE(accepts({}));
  EXPECT_FALSE(accepts({{"Accept", "*/*"}})) << "as curl says";
  EXPECT_TRUE(accepts({{"Accept", "text/event-stream"}}));
  EXPECT_TRUE(accepts({{"accept", "text/html"}, {"ACCEPT", "*/*;q=0.1, Text/Event-Stream;q=1"}}));
}

TEST(StreamRequestCheck, RefusesABadRequestId) {
  for (const auto& query :
       {std::string{""}, std::string{"?request_id="}, std::string{"?request_id=a%3Ab"},
        std::string{"?request_id=a:b"}, std::string{"?request_id=a%0Ab"},
        std::string{"?request_id=%zz"}, std::string{"?request_id=%ff"},
        "?request_id=" + std::string(129, 'x')}) {
    const auto reply = refused(get("/api/sse/stream" + query));
    EXPECT_EQ(reply.status, 400) << query;
    EXPECT_EQ(reply.content_type, "application/problem+json");
    EXPECT_NE(reply.body.find(R"("field":"request_id")"), std::string::npos) << reply.body;
  }
}

TEST(StreamRequestCheck, SaysWhatIsWrongWithARequestId) {
  const auto says = [](const std::string& query, const std::string& detail) {
    const auto body = refused(get("/api/sse/stream" + query)).body;
    EXPECT_NE(body.find("\"detail\":\"request_id " + detail + '"'), std::string::npos) << body;
  };
  says("", "is required");
  says("?request=a", "is required");
  says("?my_request_id=a", "is required");
  says("?a=b&request_id=%zz", "must be percent-encoded");
  says("?request_id=%zz", "must be percent-encoded");
  says("?request_id=a%3Ab", "must not contain a colon");
}

TEST(StreamRequestCheck, RefusesOtherPathsAndMethods) {
  EXPECT_EQ(refused(get("/")).status, 404);
  EXPECT_EQ(refused(get("/api/sse/stream/?request_id=a")).status, 404);
  auto request = get("/api/sse/stream?request_id=a");
  request.method = "POST";
  const auto reply = refused(request);
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(header(reply.headers, "Allow"), "GET, HEAD, OPTIONS");
  request.target = "/healthz";
  EXPECT_EQ(refused(request).status, 405);
  request.target = "/readyz";
  EXPECT_EQ(refused(request).status, 404);
}

TEST(StreamRequestCheck, TakesAnAbsoluteTarget) {
  EXPECT_EQ(opened(get("http://h/api/sse/stream?request_id=a")).id.str(), "a");
}

TEST(StreamRequestCheck, TellsWhoSpeaksTheOlderHttp) {
  auto request = get("/api/sse/stream?request_id=a");
  request.version = 10;
  EXPECT_EQ(opened(request).how, framing::bare);
}

TEST(StreamRequestCheck, AnswersHeadAndHealth) {
  auto request = get("/api/sse/stream?request_id=a");
  request.method = "HEAD";
  const auto reply = refused(request);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content_type, "text/event-stream");
  EXPECT_EQ(header(reply.headers, "Cache-Control"), "no-cache, no-transform");
  EXPECT_EQ(header(reply.headers, "X-Accel-Buffering"), "no");
  EXPECT_EQ(refused(get("/healthz")).status, 200);
  EXPECT_EQ(refused(get("/readyz")).status, 404);
}

TEST(StreamRequestCheck, AnswersAPreflight) {
  auto request = get(
    "/api/sse/stream?request_id=a",
    {{"Origin", "https://app.example"}, {"Access-Control-Request-Method", "GET"}});
  request.method = "OPTIONS";
  const auto reply = refused(request);
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(header(reply.headers, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(header(reply.headers, "Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");
  const auto bytes = render_reply(reply);
  EXPECT_EQ(bytes.find("Content-"), std::string::npos) << bytes;
}

const stream_rules listing{{"https://app.example"}, false};
constexpr const char* a_stream = "/api/sse/stream?request_id=a";

TEST(StreamRequestCheck, ListedOriginsMayReadWithCredentials) {
  const auto listed = opened(get(a_stream, {{"origin", "https://app.example"}}), listing);
  EXPECT_EQ(header(listed.cors, "Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(header(listed.cors, "Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(header(listed.cors, "Vary"), "Origin");
  const auto none = opened(get(a_stream), listing);
  EXPECT_EQ(header(none.cors, "Access-Control-Allow-Origin"), "(none)");
  EXPECT_EQ(header(none.cors, "Vary"), "Origin");
  const auto refusal = refused(get("/nowhere", {{"Origin", "https://app.example"}}), listing);
  EXPECT_EQ(header(refusal.headers, "Access-Control-Allow-Origin"), "https://app.example");
}

TEST(StreamRequestCheck, TheStarNeverComesWithCredentials) {
  for (const auto* origin : {"https://app.example", "null", "*"}) {
    const auto opening = opened(get(a_stream, {{"Origin", origin}}));
    EXPECT_EQ(header(opening.cors, "Access-Control-Allow-Origin"), "*") << origin;
    EXPECT_EQ(header(opening.cors, "Access-Control-Allow-Credentials"), "(none)") << origin;
  }
  const stream_rules both{{"*", "https://app.example"}, false};
  const auto named = opened(get(a_stream, {{"Origin", "https://app.example"}}), both);
  EXPECT_EQ(header(named.cors, "Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(header(named.cors, "Vary"), "Origin");
  const auto other = opened(get(a_stream, {{"Origin", "https://other.example"}}), both);
  EXPECT_EQ(header(other.cors, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(header(other.cors, "Access-Control-Allow-Credentials"), "(none)");
  EXPECT_EQ(header(other.cors, "Vary"), "Origin");
}

TEST(StreamRequestCheck, RefusesPagesOfOtherOrigins) {
  for (const auto* origin : {"https://evil.example", "http://app.example", "null", "*", ""})
    for (const auto* method : {"GET", "HEAD", "OPTIONS"}) {
      auto request =
        get(a_stream, {{"Origin", origin}, {"Access-Control-Request-Headers", "authorization"}});
      request.method = method;
      const auto reply = refused(request, listing);
      EXPECT_EQ(reply.status, 403) << method << ' ' << origin;
      EXPECT_EQ(header(reply.headers, "Vary"), "Origin");
      for (const auto& [name, value] : reply.headers)
        EXPECT_FALSE(name.starts_with("Access-Control-")) << name << ": " << value;
    }
  auto standing_in = listing;
  standing_in.stand_in = true;
  EXPECT_EQ(refused(get("/any", {{"Origin", "https://evil.example"}}), standing_in).status, 403);
}

TEST(StreamRequestCheck, TakesPagesOfItsOwnHost) {
  const auto page = [](const char* origin, const stream_rules& rules) {
    return opened(get(a_stream, {{"Origin", origin}}), rules).id.str();
  };
  EXPECT_EQ(page("https://herald", listing), "a");
  EXPECT_EQ(page("http://herald", {{}, false}), "a");
  EXPECT_EQ(refused(get(a_stream, {{"Origin", "http://herald:81"}}), listing).status, 403);
}

TEST(StreamRequestCheck, TakesTheHostsThatAreListed) {
  const stream_rules ours{{"*"}, false, {"Herald"}};
  EXPECT_EQ(opened(get(a_stream), ours).id.str(), "a");
  EXPECT_EQ(opened(get("http://127.0.0.1/api/sse/stream?request_id=a"), ours).id.str(), "a");
  const auto reply = refused(get("http://evil.example/api/sse/stream?request_id=a"), ours);
  EXPECT_EQ(reply.status, 421);
  EXPECT_EQ(header(reply.headers, "Access-Control-Allow-Origin"), "*");
}

TEST(StreamRequestCheck, AllowsWhatAPreflightAsksFor) {
  const auto allowed = [](const header_list& more) {
    auto request = get(a_stream, {{"Origin", "https://app.example"}});
    request.method = "OPTIONS";
    request.headers.insert(request.headers.end(), more.begin(), more.end());
    const auto reply = refused(request, listing);
    EXPECT_EQ(reply.status, 204);
    EXPECT_EQ(header(reply.headers, "Access-Control-Allow-Origin"), "https://app.example");
    EXPECT_EQ(header(reply.headers, "Access-Control-Allow-Credentials"), "true");
    return header(reply.headers, "Access-Control-Allow-Headers");
  };
  EXPECT_EQ(
    allowed({{"Access-Control-Request-Headers", "authorization,x-tenant"}}),
    "authorization,x-tenant");
  const std::string ours = "Authorization, Cache-Control, Last-Event-ID";
  EXPECT_EQ(allowed({}), ours);
  EXPECT_EQ(allowed({{"Access-Control-Request-Headers", ""}}), ours);
  EXPECT_EQ(allowed({{"Access-Control-Request-Headers", "a: b"}}), ours);
}

TEST(StreamRequestCheck, ShowsPagesWhenToComeBack) {
  const header_list cors = {{"Access-Control-Allow-Origin", "*"}};
  api_reply reply;
  reply.headers = {{"Retry-After", "3"}};
  add_cors(reply, cors);
  EXPECT_EQ(header(reply.headers, "Access-Control-Expose-Headers"), "Retry-After");
  api_reply other;
  add_cors(other, cors);
  EXPECT_EQ(header(other.headers, "Access-Control-Expose-Headers"), "(none)");
}

TEST(StreamRequestCheck, ReadsWhereTheClientLeftOff) {
  const auto target = "/api/sse/stream?request_id=a&last_event_id=5";
  EXPECT_EQ(opened(get(target)).last_event_id, "5");
  EXPECT_EQ(opened(get(target, {{"last-event-id", "7"}})).last_event_id, "7");
  // The registry says what it thinks of it.
  EXPECT_EQ(opened(get(target, {{"Last-Event-ID", "junk"}})).last_event_id, "junk");
  EXPECT_EQ(opened(get(target, {{"Last-Event-ID", ""}})).last_event_id, "5");
  EXPECT_EQ(opened(get("/api/sse/stream?request_id=a")).last_event_id, std::nullopt);
}

TEST(StreamRequestCheck, TakesTheCursorAsClientsSpellIt) {
  for (const auto* name :
       {"last_event_id", "lastEventId", "lastEventID", "Last-Event-ID", "last-event-id",
        "LAST_EVENT_ID", "evs_last_event_id", "last%5Fevent%5Fid"}) {
    const auto target = std::string{"/api/sse/stream?request_id=a&"} + name + "=5";
    EXPECT_EQ(opened(get(target)).last_event_id, "5") << name;
    EXPECT_EQ(opened(get(target, {{"Last-Event-ID", "7"}})).last_event_id, "7") << name;
  }
  const std::string opened_with = "/api/sse/stream?request_id=a&last_event_id=5";
  EXPECT_EQ(opened(get(opened_with + "&lastEventId=9")).last_event_id, "9")
    << "a polyfill appends where the page has come since";
  EXPECT_EQ(opened(get(opened_with + "&lastEventId=")).last_event_id, "5");
}

void expect_blame(const std::string& query, const std::string& field) {
  const auto reply = refused(get("/api/sse/stream?" + query));
  EXPECT_EQ(reply.status, 400) << query;
  EXPECT_NE(reply.body.find("\"field\":\"" + field + '"'), std::string::npos)
    << query << ": " << reply.body;
}

TEST(StreamRequestCheck, RefusesAParameterOfOursThatIsMisspelt) {
  for (const auto* name : {"requestId", "request-id", "requst_id", "request_idd", "reqeust_id"})
    expect_blame(std::string{name} + "=a", name);
  for (const auto* name :
       {"last_evnt_id", "lastEvntID", "lastevent", "last_event_ids", "latestEventId"})
    expect_blame(std::string{"request_id=a&"} + name + "=5", name);
  expect_blame("request_id=a&requestId=b", "requestId");
}

TEST(StreamRequestCheck, RefusesAParameterOfOursThatComesTwice) {
  expect_blame("request_id=a&request_id=b", "request_id");
  expect_blame("request_id=a&request_id=a", "request_id");
  expect_blame("request_id=a&lastEventId=1&lastEventId=2", "lastEventId");
}

TEST(StreamRequestCheck, RefusesACursorThatCannotBeRead) {
  expect_blame("request_id=a&lastEventId=%zz", "lastEventId");
}

TEST(StreamRequestCheck, LeavesParametersOfOthersToThem) {
  for (const auto* query :
       {"x=1&x=2", "event=a", "id=1", "event_id=3", "x_request_id=7", "request=5", "page=%zz",
        "token=abc&evs_preamble=2", "requests=1", "%zz=1", "=1", "&&"})
    EXPECT_EQ(opened(get(std::string{"/api/sse/stream?request_id=a&"} + query)).id.str(), "a")
      << query;
}

TEST(StreamRequestCheck, StandingInLeavesTheQueryToTheBackend) {
  const stream_rules rules{{"*"}, true};
  for (const auto* query :
       {"requestId=a", "request_id=a&request_id=b", "lastEventId=%zz", "last_evnt_id=5"})
    EXPECT_EQ(opened(get(std::string{"/any?"} + query), rules).url, std::string{"/any?"} + query);
}

TEST(StreamRequestCheck, TellsWhoKeepsTheIdsOfEventsAlone) {
  const std::string target = "/api/sse/stream?request_id=a";
  EXPECT_EQ(opened(get(target)).cursor, cursor_form::block);
  const std::pair<const char*, cursor_form> rows[] = {
    {"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", cursor_form::event},
    {"node", cursor_form::event},
    {"Deno/2.1.4", cursor_form::event},
    {"Bun/1.1.38", cursor_form::event},
    {"curl/7.88.1", cursor_form::block},
    {"python-requests/2.28.1", cursor_form::block},
  };
  for (const auto& [agent, form] : rows)
    EXPECT_EQ(opened(get(target, {{"User-Agent", agent}})).cursor, form) << agent;
}

TEST(StreamRequestCheck, TellsWhoWatchesHeartbeats) {
  const std::string target = "/api/sse/stream?request_id=a";
  EXPECT_FALSE(opened(get(target)).heartbeat_event);
  EXPECT_TRUE(opened(get(target + "&heartbeat=event")).heartbeat_event);
  for (const auto* const value : {"", "Event", "comment", "1"}) {
    const auto reply = refused(get(target + "&heartbeat=" + value));
    EXPECT_EQ(reply.status, 400);
    EXPECT_NE(reply.body.find(R"("field":"heartbeat")"), std::string::npos) << reply.body;
  }
  const stream_rules standing_in{{"*"}, true, {}};
  EXPECT_FALSE(opened(get(target + "&heartbeat=event"), standing_in).heartbeat_event)
    << "the query is the backend's";
}

TEST(StreamRequestCheck, StandingInOpensAnyPathAndForwardsHeaders) {
  const stream_rules rules{{"*"}, true};
  const auto opening = opened(get("/any?x=1", {{"Cookie", "c"}}), rules);
  EXPECT_TRUE(opening.id.empty());
  ASSERT_NE(opening.headers, nullptr);
  EXPECT_EQ(header(*opening.headers, "Cookie"), "c");
  EXPECT_EQ(opened(get("/any?request_id=x"), rules).id.str(), "x");
  EXPECT_TRUE(opened(get("/any?request_id=a:b"), rules).id.empty());
  EXPECT_EQ(refused(get("/healthz"), rules).status, 200);
  EXPECT_EQ(refused(get("/readyz"), rules).status, 200);
}

} // namespace
} // namespace herald
