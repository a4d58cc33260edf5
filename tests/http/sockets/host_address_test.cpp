#include "http/sockets/host_address.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace herald {
namespace {

TEST(HostAddress, IsOfEitherFamily) {
  EXPECT_EQ(resolve_host("127.0.0.1", "x").text(), "127.0.0.1");
  EXPECT_EQ(resolve_host("::1", "x").text(), "::1");
  EXPECT_EQ(resolve_host("0.0.0.0", "x").text(), "0.0.0.0");
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
