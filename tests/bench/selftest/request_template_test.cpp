#include "tests/bench/swarm/request_template.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

namespace herald::bench {
namespace {

using json = nlohmann::json;

std::string body_of(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

std::string make(const publish_settings& settings, nanos at, event_number first) {
  std::string out;
  request_template{settings}.make(out, 0, at, first);
  return out;
}

TEST(RequestTemplate, PadsTheDataToItsSize) {
  publish_settings settings;
  settings.bodies = {"%D"};
  for (const nanos at : {nanos{1}, nanos{123456789}}) {
    const auto body = body_of(make(settings, at, 77));
    EXPECT_EQ(body.size(), 200u);
    EXPECT_EQ(json::parse(body)["t"], at);
    EXPECT_EQ(json::parse(body)["seq"], 77);
  }
}

TEST(RequestTemplate, WritesDataWithinAString) {
  publish_settings settings;
  settings.bodies = {R"({"content":"data: %E\n\n"})"};
  const auto content = json::parse(body_of(make(settings, 5, 6)))["content"].get<std::string>();
  EXPECT_EQ(json::parse(content.substr(6))["seq"], 6);
}

TEST(RequestTemplate, MakesBatches) {
  publish_settings settings;
  settings.bodies = {R"({"data":%D})"};
  settings.batch = 3;
  const auto events = json::parse(body_of(make(settings, 5, 10)));
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0]["data"]["seq"], 10);
  EXPECT_EQ(events[2]["data"]["seq"], 12);
  settings.lines = true;
  const auto lines = body_of(make(settings, 5, 10));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
}

TEST(RequestTemplate, HasAnotherKeyForEachEventUntilAllHadTheirTurn) {
  publish_settings settings;
  settings.headers = {"X-Channel: t%R"};
  settings.bodies = {"%R"};
  settings.keys = 10;
  std::set<std::string> keys;
  for (event_number number = 1; number <= 10; ++number) {
    const auto request = make(settings, 5, number);
    keys.insert(body_of(request));
    EXPECT_NE(request.find("\r\nX-Channel: t" + body_of(request) + "\r\n"), request.npos);
  }
  EXPECT_EQ(keys.size(), 10u);
  EXPECT_EQ(body_of(make(settings, 5, 11)), body_of(make(settings, 5, 1)));
}

TEST(RequestTemplate, ScattersKeys) {
  EXPECT_EQ(scattered_key(0, 100'000), 0u);
  const auto step = scattered_key(1, 100'000);
  EXPECT_GT(step, 1u);
  EXPECT_LT(step, 100'000u);
}

TEST(RequestTemplate, TakesTokensInTurn) {
  publish_settings settings;
  settings.bodies = {"%K %S"};
  settings.tokens = {"a", "b"};
  EXPECT_EQ(body_of(make(settings, 5, 10)), "a 10");
  EXPECT_EQ(body_of(make(settings, 5, 11)), "b 11");
}

TEST(RequestTemplate, SaysHowLongTheBodyIs) {
  publish_settings settings;
  settings.port = 80;
  settings.target = "/x";
  settings.headers = {"A: b"};
  settings.bodies = {"100%"};
  EXPECT_EQ(
    make(settings, 5, 10),
    "POST /x HTTP/1.1\r\nHost: 127.0.0.1:80\r\nContent-Length: 4\r\nA: b\r\n\r\n100%");
}

} // namespace
} // namespace herald::bench
