#include "http/http_url.hpp"

#include <gtest/gtest.h>

#include "messages/type_ids.hpp"

namespace herald {
namespace {

TEST(HttpUrl, TakesAUrlApart) {
  const auto url = parse_http_url("http://backend:5000/api/sse/callback?secret=a%20b");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "backend");
  EXPECT_EQ(url->port, 5000);
  EXPECT_EQ(url->target, "/api/sse/callback?secret=a%20b");
  EXPECT_EQ(url->authority(), "backend:5000");
}

TEST(HttpUrl, FillsInPortAndPath) {
  const auto url = parse_http_url("HTTP://backend?secret=s#part");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->port, 80);
  EXPECT_EQ(url->target, "/?secret=s");
  EXPECT_EQ(url->authority(), "backend");
}

TEST(HttpUrl, KnowsIpv6) {
  const auto url = parse_http_url("http://[::1]:81/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->authority(), "[::1]:81");
}

TEST(HttpUrl, SaysThatHttpsIsNotSupported) {
  const auto url = parse_http_url("https://backend/");
  ASSERT_FALSE(url);
  EXPECT_NE(describe(url.error()).detail.find("https is not supported"), std::string::npos);
}

TEST(HttpUrl, RefusesWhatIsNoUrlWithoutRepeatingIt) {
  for (const auto* text :
       {"", "SECRET", "ftp://SECRET/", "http://", "http:///SECRET", "http://SECRET:0/",
        "http://SECRET:70000/", "http://SECRET:/", "http://SECRET:8x/", "http://u:SECRET@h/",
        "http://h/SE CRET", "http://h/SECRET\r\nx: y", "http://[::SECRET/",
        "http://[::1]SECRET/"}) {
    const auto url = parse_http_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(describe(url.error()).code, ec::invalid_field) << text;
    EXPECT_EQ(describe(url.error()).detail.find("SECRET"), std::string::npos) << text;
  }
}

} // namespace
} // namespace herald
