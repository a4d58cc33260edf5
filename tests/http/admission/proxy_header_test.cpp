#include "http/admission/proxy_header.hpp"

#include <string>

#include <gtest/gtest.h>

namespace herald {
namespace {

using namespace std::string_literals;
using state = proxy_header::state;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string addresses = "\xc6\x33\x64\x07\x0a\0\0\x01\x30\x39\0\x50"s;

std::string header(char command, char family, const std::string& rest) {
  return signature + command + family + static_cast<char>(rest.size() / 256)
         + static_cast<char>(rest.size() % 256) + rest;
}

TEST(ProxyHeader, NamesTheClient) {
  const auto bytes = header('\x21', '\x11', addresses);
  const auto found = read_proxy_header(bytes + "GET /");
  EXPECT_EQ(found.now, state::read);
  EXPECT_EQ(found.bytes, bytes.size());
  ASSERT_TRUE(found.client);
  EXPECT_EQ(found.client->to_string(), "198.51.100.7");

  const std::string six = "\x26\x06\x47"s + std::string(12, '\0') + "\x01"s + std::string(20, '\0');
  const auto other = read_proxy_header(header('\x21', '\x21', six));
  ASSERT_TRUE(other.client);
  EXPECT_EQ(other.client->to_string(), "2606:4700::1");
}

TEST(ProxyHeader, TakesWhateverElseTheProxySays) {
  const auto bytes = header('\x21', '\x11', addresses + std::string(1000, 'x'));
  const auto found = read_proxy_header(bytes);
  EXPECT_EQ(found.bytes, bytes.size());
  EXPECT_TRUE(found.client);
}

TEST(ProxyHeader, NamesNobodyWhereTheProxySpeaksForItself) {
  for (const auto& bytes :
       {header('\x20', '\x11', addresses), header('\x20', '\0', ""), header('\x21', '\0', "abc"),
        header('\x21', '\x31', std::string(216, 'p'))}) {
    const auto found = read_proxy_header(bytes);
    EXPECT_EQ(found.now, state::read);
    EXPECT_EQ(found.bytes, bytes.size());
    EXPECT_FALSE(found.client);
  }
}

TEST(ProxyHeader, WaitsForTheRest) {
  const auto bytes = header('\x21', '\x11', addresses);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(read_proxy_header(bytes.substr(0, size)).now, state::incomplete) << size;
}

TEST(ProxyHeader, RefusesWhatIsNone) {
  EXPECT_EQ(read_proxy_header("GET / HTTP/1.1\r\n").now, state::malformed);
  EXPECT_EQ(read_proxy_header("G").now, state::malformed) << "at the first byte";
  EXPECT_EQ(read_proxy_header("PROXY TCP4 1.2.3.4 ").now, state::malformed) << "version 1";
  EXPECT_EQ(read_proxy_header(header('\x11', '\x11', addresses)).now, state::malformed);
  EXPECT_EQ(read_proxy_header(header('\x22', '\x11', addresses)).now, state::malformed);
  EXPECT_EQ(read_proxy_header(header('\x21', '\x41', addresses)).now, state::malformed);
  EXPECT_EQ(read_proxy_header(header('\x21', '\x11', "\x01\x02\x03\x04")).now, state::malformed);
  EXPECT_EQ(read_proxy_header(header('\x21', '\x21', addresses)).now, state::malformed);
  EXPECT_EQ(read_proxy_header(signature + "\x21\x11\xff\xff").now, state::malformed)
    << "before it has come";
}

} // namespace
} // namespace herald
