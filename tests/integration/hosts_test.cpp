#include <cstdint>
#include <filesystem>
#include <string>

#include <netinet/in.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "actors/system/owned_fd.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/raw_client.hpp"

namespace herald {
namespace {

using namespace testing;

/// Whether somebody listens at ::1.
bool listens_on_ipv6(std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_addr = in6addr_loopback;
  const owned_fd client{::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  return ::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// herald where localhost has an address of each family, as on most machines. Wants to be root.
class Hosts : public ::testing::Test {
protected:
  Hosts() {
    const auto hosts = folder.write("hosts", "127.0.0.1 localhost\n::1 localhost\n");
    script = folder.write(
      "herald", "#!/bin/sh\nexec unshare --mount sh -c 'mount --bind " + hosts
                  + " /etc/hosts && exec " + HERALD_BINARY + " \"$@\"' herald \"$@\"\n");
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  }

  temporary_folder folder;
  std::string script;
};

TEST_F(Hosts, AreListenedToOnAllTheirAddresses) {
  herald_process herald{
    {{"--api-host", "localhost", "--stream-host", "localhost"}, {}, {}, script}};
  for (const auto port : {herald.api_port(), herald.stream_port()}) {
    EXPECT_EQ(http_client{port}.get("/healthz").status, 200);
    EXPECT_TRUE(listens_on_ipv6(port)) << port;
  }
  EXPECT_EQ(herald.terminate(), exited(0));
}

TEST_F(Hosts, AreNoFurtherThanThisMachineWhereAllAddressesAreLoopback) {
  herald_process herald{herald_options{{"--api-host", "localhost"}, {}, {}, script}};
  EXPECT_EQ(herald.full_log().find("exposed"), std::string::npos);
}

} // namespace
} // namespace herald
