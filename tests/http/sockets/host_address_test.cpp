#include "http/sockets/host_address.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace herald {
namespace {

using texts = std::vector<std::string>;

texts addresses_of(const std::string& host) {
  texts all;
  for (const auto& one : resolve_host(host, "x"))
    all.push_back(one.text());
  return all;
}

TEST(HostAddress, IsOfEitherFamily) {
  EXPECT_EQ(addresses_of("127.0.0.1"), texts{"127.0.0.1"});
  EXPECT_EQ(addresses_of("::1"), texts{"::1"});
  EXPECT_EQ(addresses_of("0.0.0.0"), texts{"0.0.0.0"});
}

TEST(HostAddress, AreAllOfAHostEachOnce) {
  auto all = addresses_of("localhost");
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
  EXPECT_TRUE(std::find(all.begin(), all.end(), "127.0.0.1") != all.end());
}

TEST(HostAddress, NamesTheSettingOfAHostThatIsNotKnown) {
  try {
    (void)resolve_host("no such host", "api.host");
    FAIL() << "it has an address";
  } catch (const std::runtime_error& e) {
    EXPECT_EQ(std::string{e.what()}.find("api.host: no such host cannot be resolved: "), 0u)
      << e.what();
  }
}

} // namespace
} // namespace herald
