#include "http/protocol/request_origin.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

request_head asking(const std::string& host, std::string target = "/a") {
  return {"GET", std::move(target), 11, {{"Host", host}}};
}

TEST(RequestOrigin, IsComparedAsBrowsersWriteIt) {
  EXPECT_EQ(canonical_origin("https://App.Example"), "https://app.example");
  EXPECT_EQ(canonical_origin("HTTPS://app.example:443"), "https://app.example");
  EXPECT_EQ(canonical_origin("http://app.example:80"), "http://app.example");
  EXPECT_EQ(canonical_origin("http://app.example:443"), "http://app.example:443");
  EXPECT_EQ(canonical_origin("http://[::1]:3000"), "http://[::1]:3000");
}

TEST(RequestOrigin, IsNoneThatBrowsersDoNotWrite) {
  for (const auto* text :
       {"", "*", "null", "app.example", "//app.example", "https://app.example/",
        "https://app.example/x", "https://app.example?x", "https://app.example#x",
        "https://user@app.example", "https://", "https://*.example", "https://a b", "ftp://a",
        "https://app.example:", "https://app.example:0", "https://app.example:99999"})
    EXPECT_EQ(canonical_origin(text), std::nullopt) << text;
}

TEST(RequestOrigin, ListsKeepTheStar) {
  EXPECT_EQ(
    canonical_origins({"https://A:443", "*", "junk"}),
    (std::vector<std::string>{"https://a", "*"}));
}

TEST(RequestOrigin, AnAbsoluteTargetBeatsHost) {
  EXPECT_EQ(authority_of(asking("a:1")), "a:1");
  EXPECT_EQ(authority_of(asking("a", "http://b:2/x")), "b:2");
  EXPECT_EQ(authority_of(asking("a", "http://b?x")), "b");
  EXPECT_EQ(authority_of(asking("a", "/x?y=http://b/")), "a");
  EXPECT_EQ(authority_of({"GET", "/", 10, {}}), "");
}

TEST(RequestOrigin, IsOwnWhereHostAndPortAreTheSame) {
  EXPECT_TRUE(is_own_origin("http://app.example:8081", asking("app.example:8081")));
  EXPECT_TRUE(is_own_origin("https://app.example", asking("App.Example")));
  EXPECT_TRUE(is_own_origin("https://app.example", asking("app.example:443")));
  EXPECT_TRUE(is_own_origin("http://[::1]:1", asking("[::1]:1")));
  EXPECT_FALSE(is_own_origin("https://app.example", asking("app.example:80")));
  EXPECT_FALSE(is_own_origin("http://app.example:3000", asking("app.example:8081")));
  EXPECT_FALSE(is_own_origin("http://evil.example", asking("app.example")));
  EXPECT_FALSE(is_own_origin("http://app.example", asking("app.example/x")));
  EXPECT_FALSE(is_own_origin("http://app.example", asking("")));
  EXPECT_FALSE(is_own_origin("null", asking("null")));
}

TEST(RequestOrigin, KnowsTheHostsThatCannotBeRebound) {
  const std::vector<std::string> hosts = {"Herald.Internal"};
  for (const auto* authority :
       {"", "127.0.0.1", "192.0.2.7:80", "[::1]", "[fe80::1]:8080", "localhost", "a.localhost:1",
        "localhost.", "herald.internal:8080"})
    EXPECT_TRUE(names_host(authority, hosts)) << authority;
  for (const auto* authority :
       {"evil.example", "localhost.evil.example", "localhost@evil.example", "[evil", "[evil]:1",
        ":80", "127.0.0.1.evil.example", "notlocalhost", "internal", "x.herald.internal"})
    EXPECT_FALSE(names_host(authority, hosts)) << authority;
}

} // namespace
} // namespace herald
