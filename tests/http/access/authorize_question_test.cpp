#include "http/access/authorize_question.hpp"

#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

/// "Name: value" lines of the question about a page with these headers.
std::string question(
  header_list headers, bool believed = false,
  const std::string& target = "/api/sse/stream?request_id=p") {
  request_head page;
  page.target = target;
  page.headers = std::move(headers);
  std::string lines;
  for (const auto& [name, value] : question_headers(page, "203.0.113.7", believed))
    lines.append(name).append(": ").append(value).append("\n");
  return lines;
}

const std::string heralds_own = "Accept: application/json\n"
                                "X-Original-URI: /api/sse/stream?request_id=p\n"
                                "X-Forwarded-For: 203.0.113.7\n";

TEST(AuthorizeQuestion, HasTheHeadersOfThePage) {
  EXPECT_EQ(
    question(
      {{"Cookie", "session=7"},
       {"authorization", "Bearer a"},
       {"Origin", "https://app.example"},
       {"Last-Event-ID", "5"},
       {"X-Tenant", "a"},
       {"X-Tenant", "b"},
       {"X-Empty", ""}}),
    "Cookie: session=7\nauthorization: Bearer a\nOrigin: https://app.example\nLast-Event-ID: 5\n"
    "X-Tenant: a\nX-Tenant: b\nX-Empty: \n"
      + heralds_own);
}

TEST(AuthorizeQuestion, LeavesOutWhatIsNotForTheApplication) {
  EXPECT_EQ(
    question(
      {{"Host", "herald.example"},
       {"Connection", "keep-alive, X-Hop"},
       {"connection", "\tX-Other-Hop ,close"},
       {"X-Hop", "1"},
       {"x-other-hop", "1"},
       {"Keep-Alive", "timeout=5"},
       {"TE", "trailers"},
       {"Trailer", "a"},
       {"Transfer-Encoding", "chunked"},
       {"Upgrade", "h2c"},
       {"Proxy-Authenticate", "Basic"},
       {"Proxy-Authorization", "Basic a"},
       {"Proxy-Connection", "close"},
       {"Expect", "100-continue"},
       {"Content-Encoding", "gzip"},
       {"Content-Length", "0"},
       {"Content-Type", "text/plain"},
       {"Accept", "text/event-stream"},
       {"Accept-Encoding", "gzip"},
       {"If-None-Match", "*"},
       {"If-Modified-Since", "now"},
       {"Range", "bytes=0-"}}),
    heralds_own);
}

TEST(AuthorizeQuestion, LeavesOutWhatConnectionNamesWhateverElseItHolds) {
  // A gateway may pass on what herald's own port refuses.
  EXPECT_EQ(
    question({{"Connection", "\"a b\", ,a=b; c,X-Hop,"}, {"X-Hop", "1"}, {"X-Tenant", "a"}}),
    "X-Tenant: a\n" + heralds_own);
}

TEST(AuthorizeQuestion, LetsNobodyElseSayWhereAPageComesFrom) {
  const header_list lies = {{"X-Forwarded-For", "10.0.0.1"}, {"x-original-uri", "/admin"},
                            {"X_Forwarded_For", "10.0.0.1"}, {"X-Original_URI", "/admin"},
                            {"X-Original-URL", "/admin"},    {"X-Rewrite-URL", "/admin"},
                            {"Forwarded", "for=10.0.0.1"},   {"X-Real-IP", "10.0.0.1"},
                            {"X-Forwarded-Proto", "https"},  {"X-Forwarded-Host", "a.example"}};
  EXPECT_EQ(question(lies), heralds_own);
  EXPECT_EQ(
    question(lies, true), "X-Forwarded-Proto: https\nX-Forwarded-Host: a.example\n" + heralds_own)
    << "of a proxy that is trusted";
}

TEST(AuthorizeQuestion, SaysWhatWasAskedForAsAPath) {
  const auto asked =
    question({}, false, "http://herald.example/api/sse/stream?request_id=p&topic=a%2Fb");
  EXPECT_NE(
    asked.find("X-Original-URI: /api/sse/stream?request_id=p&topic=a%2Fb\n"), std::string::npos)
    << asked;
  EXPECT_NE(question({}, false, "/a").find("X-Original-URI: /a\n"), std::string::npos);
}

} // namespace
} // namespace herald
