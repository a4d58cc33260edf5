#include "http/admission/client_origin.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

ip_address at(const std::string& text) {
  return boost::asio::ip::make_address(text);
}

client_address counted(const std::string& text) {
  return counted_as(at(text));
}

const std::string proxy = "10.0.0.1";
const std::string client = "198.51.100.7";

class ClientOrigin : public ::testing::Test {
protected:
  /// Whom a request over the proxy is counted to.
  std::optional<client_address> told(const header_list& headers, const std::string& peer = proxy) {
    return client_of({"GET", "/", 11, headers}, at(peer), trusted);
  }

  network_list trusted{{"10.0.0.0/8", "2001:db8::/32", "127.0.0.1"}};
};

TEST_F(ClientOrigin, KnowsNetworks) {
  for (const auto* text : {"10.0.0.0/8", "10.1.2.3/8", "10.1.2.3", "::1", "2001:db8::/32", "::/0"})
    EXPECT_TRUE(is_network(text)) << text;
  for (const auto* text : {"", "10.0.0.0/33", "10.0.0", "proxy", "::/129", "10.0.0.0/", "/8", "*"})
    EXPECT_FALSE(is_network(text)) << text;
}

TEST_F(ClientOrigin, KnowsWhatIsInANetwork) {
  for (const auto* text :
       {"10.0.0.0", "10.255.255.255", "127.0.0.1", "2001:db8:1::1", "::ffff:10.1.1.1"})
    EXPECT_TRUE(trusted.contain(at(text))) << text;
  for (const auto* text : {"11.0.0.0", "127.0.0.2", "2001:db9::1", "::1", "::ffff:11.0.0.1"})
    EXPECT_FALSE(trusted.contain(at(text))) << text;
}

TEST_F(ClientOrigin, KnowsWhatIsPublic) {
  for (const auto* text : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1", "192.167.1.1"})
    EXPECT_TRUE(is_public(at(text))) << text;
  for (const auto* text :
       {"127.0.0.1", "10.1.1.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.1.1",
        "100.64.0.1", "0.0.0.0", "::", "::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"})
    EXPECT_FALSE(is_public(at(text))) << text;
}

TEST_F(ClientOrigin, CountsIpv6ByItsFirstHalf) {
  EXPECT_EQ(counted("2606:4700:1:2::1"), counted("2606:4700:1:2:ffff::9"));
  EXPECT_NE(counted("2606:4700:1:2::1"), counted("2606:4700:1:3::1"));
  EXPECT_EQ(counted("::ffff:1.2.3.4"), counted("1.2.3.4"));
  EXPECT_NE(counted("1.2.3.4"), counted("1.2.3.5"));
}

TEST_F(ClientOrigin, CountsPublicPeersWhereNobodyIsTrusted) {
  trusted = {};
  EXPECT_EQ(told({}, client), counted(client));
  EXPECT_EQ(told({{"X-Forwarded-For", "1.2.3.4"}}, client), counted(client));
  for (const auto* peer : {"127.0.0.1", "10.0.0.1", "fd00::1", "::"})
    EXPECT_FALSE(told({{"X-Forwarded-For", "1.2.3.4"}}, peer)) << peer;
}

TEST_F(ClientOrigin, CountsAllPeersButProxiesWhereSomeAreTrusted) {
  EXPECT_EQ(told({}, client), counted(client));
  EXPECT_EQ(told({}, "192.168.1.1"), counted("192.168.1.1"));
  EXPECT_EQ(told({{"X-Forwarded-For", "1.2.3.4"}}, client), counted(client)) << "nobody vouches";
  EXPECT_EQ(told({}), counted(proxy)) << "which says nothing";
}

TEST_F(ClientOrigin, TakesTheLastHopThatIsNoProxy) {
  EXPECT_EQ(told({{"X-Forwarded-For", client}}), counted(client));
  EXPECT_EQ(told({{"x-forwarded-for", "1.2.3.4, " + client}}), counted(client)) << "made up";
  EXPECT_EQ(told({{"X-Forwarded-For", "1.2.3.4," + client + " , 10.9.9.9"}}), counted(client));
  EXPECT_EQ(
    told({{"X-Forwarded-For", client}, {"Host", "h"}, {"X-Forwarded-For", "10.9.9.9"}}),
    counted(client))
    << "several lines are one list";
  EXPECT_EQ(told({{"X-Forwarded-For", client + ":4711"}}), counted(client));
  EXPECT_EQ(told({{"X-Forwarded-For", "[2606:4700::1]:80"}}), counted("2606:4700::1"));
  EXPECT_EQ(told({{"X-Forwarded-For", "2606:4700::1"}}), counted("2606:4700::1"));
  EXPECT_EQ(told({{"X-Forwarded-For", "10.2.2.2, 10.3.3.3"}}), counted("10.2.2.2"));
}

TEST_F(ClientOrigin, CountsWhoHidesToTheProxyThatSaysSo) {
  EXPECT_EQ(told({{"X-Forwarded-For", "unknown"}}), counted(proxy));
  EXPECT_EQ(told({{"X-Forwarded-For", "1.2.3.4, unknown, 10.9.9.9"}}), counted("10.9.9.9"));
  EXPECT_EQ(told({{"X-Forwarded-For", ""}}), counted(proxy));
  EXPECT_EQ(told({{"X-Forwarded-For", "1.2.3.4, "}}), counted(proxy)) << "it names nobody";
  EXPECT_EQ(told({{"X-Forwarded-For", "1.2.3.4,, 10.9.9.9"}}), counted("10.9.9.9"));
  EXPECT_EQ(told({{"Forwarded", "for=_hidden"}}), counted(proxy));
  EXPECT_EQ(told({{"Forwarded", "proto=https"}}), counted(proxy));
}

TEST_F(ClientOrigin, ReadsForwarded) {
  EXPECT_EQ(told({{"Forwarded", "for=" + client}}), counted(client));
  EXPECT_EQ(
    told({{"Forwarded", "for=1.2.3.4, proto=https; For=\"" + client + ":80\" ;by=10.0.0.1"}}),
    counted(client));
  EXPECT_EQ(told({{"Forwarded", "for=\"[2606:4700::1]:4711\""}}), counted("2606:4700::1"));
  EXPECT_EQ(told({{"Forwarded", "for=\"1.2.3.4, for=" + client}}), counted(client))
    << "a quote that a client has left open hides nothing of its proxy's";
}

TEST_F(ClientOrigin, CountsToTheProxyWhereTheHeadersDiffer) {
  EXPECT_EQ(told({{"X-Forwarded-For", client}, {"Forwarded", "for=1.2.3.4"}}), counted(proxy));
  EXPECT_EQ(told({{"Forwarded", "for=1.2.3.4"}, {"X-Forwarded-For", client}}), counted(proxy));
  EXPECT_EQ(told({{"X-Forwarded-For", client}, {"Forwarded", "for=" + client}}), counted(client));
}

TEST_F(ClientOrigin, IsShownWholeAndInItsOwnFamily) {
  const auto shown = [&](const std::string& peer, const header_list& headers = {}) {
    return address_text(origin_of({"GET", "/", 11, headers}, at(peer), trusted));
  };
  EXPECT_EQ(shown("::1"), "::1");
  EXPECT_EQ(shown("::ffff:198.51.100.7"), client);
  EXPECT_EQ(shown(proxy, {{"X-Forwarded-For", "2001:db9::7"}}), "2001:db9::7");
  EXPECT_EQ(shown(client, {{"X-Forwarded-For", "2001:db9::7"}}), client) << "it is no proxy";
  EXPECT_EQ(address_text(peer_of(-1)), "") << "whose peer is gone";
}

TEST_F(ClientOrigin, SaysOfTheWayNoMoreThanIsVouchedFor) {
  const header_list spoofed = {
    {"Host", "h"}, {"X-Forwarded-For", "1.2.3.4"}, {"Forwarded", "for=1.2.3.4"}};
  EXPECT_EQ(
    headers_with_way(spoofed, at(client), trusted),
    (header_list{{"Host", "h"}, {"x-forwarded-for", client}}));
  EXPECT_EQ(headers_with_way(spoofed, at(proxy), trusted), spoofed);
  EXPECT_EQ(headers_with_way(spoofed, at(client), {}), spoofed);
}

} // namespace
} // namespace herald
