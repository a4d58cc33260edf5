#include "http/server/request_guard.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

request_head asking(header_list headers, std::string target = "/api/events") {
  return {"POST", std::move(target), 11, std::move(headers)};
}

api_settings listing(std::vector<std::string> origins, std::vector<std::string> hosts = {}) {
  api_settings settings;
  settings.origins = std::move(origins);
  settings.hosts = std::move(hosts);
  return settings;
}

int status(const request_guard& guard, const request_head& request) {
  const auto refused = guard.check(request);
  return refused ? refused->reply.status : 200;
}

TEST(RequestGuard, RefusesPagesWhoseOriginIsNotListed) {
  const request_guard guard{listing({"https://Console.Example:443"}), true};
  EXPECT_EQ(status(guard, asking({})), 200);
  EXPECT_EQ(status(guard, asking({{"Origin", "https://console.example"}})), 200);
  for (const auto* origin :
       {"http://console.example", "https://evil.example", "null", "*", "", "http://127.0.0.1:8080"})
    EXPECT_EQ(status(guard, asking({{"Host", "127.0.0.1:8080"}, {"origin", origin}})), 403)
      << origin;
}

TEST(RequestGuard, RefusesWhatABrowserSendsAcrossSites) {
  const request_guard guard{listing({"https://console.example"}), true};
  for (const auto* site : {"cross-site", "same-site", ""})
    EXPECT_EQ(status(guard, asking({{"Sec-Fetch-Site", site}})), 403) << site;
  for (const auto* site : {"none", "same-origin"})
    EXPECT_EQ(status(guard, asking({{"Sec-Fetch-Site", site}})), 200) << site;
  EXPECT_EQ(
    status(
      guard, asking({{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://console.example"}})),
    200);
}

TEST(RequestGuard, OnLoopbackTakesRequestsForThisMachineAlone) {
  const request_guard guard{listing({}, {"herald.internal"}), true};
  for (const auto* host :
       {"127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "192.0.2.7", "localhost", "LocalHost:8080",
        "herald.localhost", "localhost.:1", "herald.internal:80", "HERALD.Internal", ""})
    EXPECT_EQ(status(guard, asking({{"Host", host}})), 200) << host;
  for (const auto* host :
       {"attacker.example:8080", "attacker.example", "localhost.attacker.example", "xlocalhost",
        "127.0.0.1.attacker.example", "127.0.0.1@attacker.example", "internal"})
    EXPECT_EQ(status(guard, asking({{"Host", host}})), 421) << host;
  const header_list here = {{"Host", "localhost"}};
  EXPECT_EQ(status(guard, asking(here, "http://attacker.example/api/events")), 421);
  EXPECT_EQ(status(guard, asking(here, "http://localhost:1/api/events")), 200);
  EXPECT_EQ(
    status(guard, asking({{"Host", "attacker.example"}}, "http://localhost/api/events")), 421);
  EXPECT_EQ(status(guard, asking({})), 200);
}

TEST(RequestGuard, ElsewhereChecksHostsWhereTheyAreListed) {
  const auto named = asking({{"Host", "herald.default.svc:8080"}});
  EXPECT_EQ(status({listing({}), false}, named), 200);
  EXPECT_EQ(status({listing({}, {"herald"}), false}, named), 421);
  EXPECT_EQ(status({listing({}, {"herald.default.svc"}), false}, named), 200);
}

TEST(RequestGuard, TakesBodiesThatSayTheyAreJson) {
  const auto says = [](std::string type, header_list headers = {}) {
    auto request = asking(std::move(headers));
    request.content_type = std::move(type);
    return says_json(request);
  };
  for (const auto* type :
       {"", "application/json", "text/json", "application/cloudevents+json", "application/x-ndjson",
        "application/ndjson"})
    EXPECT_TRUE(says(type)) << type;
  for (const auto* type :
       {"text/plain", "multipart/form-data", "application/octet-stream", "application/xml", "json"})
    EXPECT_FALSE(says(type)) << type;
  const auto* form = "application/x-www-form-urlencoded";
  EXPECT_TRUE(says(form)) << "curl -d sends it";
  EXPECT_FALSE(says(form, {{"Origin", "https://console.example"}}));
  EXPECT_FALSE(says(form, {{"sec-fetch-mode", "navigate"}}));
}

} // namespace
} // namespace herald
