#include "http/protocol/http_url.hpp"

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::string_view_literals;

TEST(HttpUrl, TakesAUrlApart) {
  const auto url = parse_http_url("http://gateway.example:3000/a/b?x=1&y=2");
  ASSERT_TRUE(url);
  EXPECT_FALSE(url->tls);
  EXPECT_EQ(url->host, "gateway.example");
  EXPECT_EQ(url->port, 3000);
  EXPECT_EQ(url->target, "/a/b?x=1&y=2");
}

TEST(HttpUrl, KnowsTheUsualPorts) {
  EXPECT_EQ(parse_http_url("http://a")->port, 80);
  EXPECT_EQ(parse_http_url("https://a")->port, 443);
  EXPECT_TRUE(parse_http_url("https://a")->tls);
  EXPECT_EQ(parse_http_url("http://a")->target, "");
  EXPECT_EQ(parse_http_url("http://a?x")->target, "?x");
}

TEST(HttpUrl, TakesAddresses) {
  EXPECT_EQ(parse_http_url("http://127.0.0.1:8080")->host, "127.0.0.1");
  const auto v6 = parse_http_url("http://[::1]:8080/x");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 8080);
  EXPECT_EQ(parse_http_url("http://[::1]")->port, 80);
}

TEST(HttpUrl, RefusesEverythingElse) {
  for (const auto text :
       {"",
        "http://",
        "http:///x",
        "http://:80",
        "ftp://a",
        "a:80",
        "//a",
        "http://a:0",
        "http://a:",
        "http://a:65536",
        "http://a:65537",
        "http://a:x",
        "http://u@a/",
        "http://u:p@a/",
        "http://a/#x",
        "http://a b/",
        "http://a/\n",
        "http://[a]",
        "http://[::1",
        "http://[::1]x",
        "http://[v1.a]/",
        "http://a/%zz",
        "http://a/{x}",
        "http://::1/",
        "HTTP://a",
        "h:\xd0",
        "http://1.2.3.400/"})
    EXPECT_FALSE(parse_http_url(text)) << text;
}

TEST(HttpUrl, KnowsHosts) {
  for (const auto host :
       {"127.0.0.1", "0.0.0.0", "::", "fe80::1", "localhost", "a", "a-b.example.org", "a_b", "1a"})
    EXPECT_TRUE(is_host(host)) << host;
  for (const auto host :
       {""sv, "a b"sv, "127.0.0.256"sv, "1.2.3"sv, "-a"sv, "a-"sv, "a..b"sv, "a."sv, ".a"sv,
        "a:80"sv, "[::1]"sv, "*"sv, "a/b"sv, "127.0.0.1\0x"sv, "\xc3\xa9"sv})
    EXPECT_FALSE(is_host(host)) << host;
  const std::string label(63, 'a');
  EXPECT_TRUE(is_host(label)) << "a label has at most 63 letters";
  EXPECT_FALSE(is_host(label + "a"));
  const auto name = label + "." + label + "." + label + "." + std::string(61, 'a');
  EXPECT_TRUE(is_host(name)) << "a name has at most 253 letters";
  EXPECT_FALSE(is_host(name + "a"));
}

TEST(HttpUrl, KnowsWhatOnlyThisMachineReaches) {
  for (const auto* host : {"127.0.0.1", "127.1.2.3", "::1", "localhost", "LocalHost"})
    EXPECT_TRUE(is_loopback(host)) << host;
  for (const auto* host : {"0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "example.org", "localhost.x"})
    EXPECT_FALSE(is_loopback(host)) << host;
}

TEST(HttpUrl, KnowsWhatARequestNeeds) {
  EXPECT_EQ(parse_http_url("http://host:8080/a?b")->authority(), "host:8080");
  EXPECT_EQ(parse_http_url("http://host:80")->authority(), "host");
  EXPECT_EQ(parse_http_url("https://[::1]:443")->authority(), "[::1]");
  EXPECT_EQ(parse_http_url("http://host")->request_target(), "/");
  EXPECT_EQ(parse_http_url("http://host?a=1")->request_target(), "/?a=1");
  EXPECT_EQ(parse_http_url("http://host/a")->request_target(), "/a");
}

TEST(HttpUrl, ReadsWhereARedirectLeads) {
  const auto from = parse_http_url("http://h:1/a/b");
  const auto to = [&](std::string_view location) {
    const auto found = redirect_target(*from, location);
    return found ? found->text() : "";
  };
  EXPECT_EQ(to("/c?d"), "http://h:1/c?d");
  EXPECT_EQ(to("c"), "http://h:1/a/c");
  EXPECT_EQ(to("//other/c"), "http://other/c");
  EXPECT_EQ(to("https://other/c#x"), "https://other/c");
  for (const auto* nowhere : {"", "?x", "ftp://h/", "http://u@h/", "file:///etc/passwd"})
    EXPECT_EQ(to(nowhere), "") << nowhere;
}

TEST(HttpUrl, FollowsARedirectWithinTheHost) {
  const auto from = parse_http_url("https://Host:8443/a/b?x=1/2");
  const auto to = [&](std::string_view location) {
    const auto found = redirect_within_host(*from, location);
    return found ? found->text() : "";
  };
  EXPECT_EQ(to("/c?d=1#e"), "https://Host:8443/c?d=1");
  EXPECT_EQ(to("c"), "https://Host:8443/a/c");
  EXPECT_EQ(to("c/d:e"), "https://Host:8443/a/c/d:e");
  EXPECT_EQ(to("//host/c"), "https://host/c");
  EXPECT_EQ(to("https://host:1/"), "https://host:1/");
  for (const auto* location :
       {"", "#e", "?x", "http://host:8443/c", "https://other/c", "//other/c", "https://host.other/",
        "https://u@host/", "ftp://host/", "mailto:a", "https://", "c d", "/c\r\nd", "/\xd0"})
    EXPECT_EQ(to(location), "") << location;
}

TEST(HttpUrl, FollowsARedirectFromAPlainConnectionToTls) {
  const auto from = parse_http_url("http://host");
  EXPECT_EQ(redirect_within_host(*from, "https://host/c")->text(), "https://host/c");
  EXPECT_EQ(redirect_within_host(*from, "http://host:81/c")->text(), "http://host:81/c");
  EXPECT_EQ(redirect_within_host(*from, "c")->text(), "http://host/c");
}

TEST(HttpUrl, KnowsAddressesFromNames) {
  for (const auto* text : {"127.0.0.1", "::1", "fe80::1"})
    EXPECT_TRUE(is_ip_address(text)) << text;
  for (const auto* text : {"", "localhost", "127.1", "[::1]", "127.0.0.1:80"})
    EXPECT_FALSE(is_ip_address(text)) << text;
}

} // namespace
} // namespace herald
