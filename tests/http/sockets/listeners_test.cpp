#include "http/sockets/listeners.hpp"

#include <array>
#include <chrono>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "http/sockets/host_address.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/raw_client.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(fd, level, name, &value, &size);
  return value;
}

/// Waits for a client.
int take(const listeners& doors) {
  pollfd door{doors.sets[0][0].get(), POLLIN, 0};
  ::poll(&door, 1, static_cast<int>(std::chrono::milliseconds{testing::patience}.count()));
  return ::accept(doors.sets[0][0].get(), nullptr, nullptr);
}

/// Whether the next client's socket is as `holds` wants it.
template <class Predicate>
bool client_socket(const listeners& doors, Predicate holds) {
  testing::raw_client client{doors.port};
  client.send("GET");
  const auto fd = take(doors);
  const bool good = fd >= 0 && holds(fd);
  ::close(fd);
  return good;
}

TEST(Listeners, TryForALongTimeToReachClientsThatAreGivenUp) {
  const auto doors = listen_on("127.0.0.1", 0, 1, 7s);
  EXPECT_TRUE(client_socket(doors, [](int fd) {
    return option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 127000
           && option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1
           && option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 7
           && option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 5
           && option(fd, IPPROTO_TCP, TCP_NODELAY) == 1;
  }));
}

TEST(Listeners, TryAtLeastEveryEighthOfTheTimeWhereTheKernelCan) {
  // TCP_RTO_MAX_MS, of Linux 6.15.
  constexpr int rto_max = 44;
  const auto doors = listen_on("127.0.0.1", 0, 1, 80s);
  EXPECT_TRUE(client_socket(doors, [](int fd) {
    const auto pause = option(fd, IPPROTO_TCP, rto_max);
    return pause == 10000 || pause < 0;
  }));
}

TEST(Listeners, LeaveThatToTheKernelIfTold) {
  const auto doors = listen_on("127.0.0.1", 0, 1);
  EXPECT_TRUE(client_socket(doors, [](int fd) {
    return option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 0
           && option(fd, SOL_SOCKET, SO_KEEPALIVE) == 0
           && option(fd, IPPROTO_TCP, TCP_NODELAY) == 1;
  }));
}

TEST(Listeners, HandClientsOverTogetherWithWhatTheySay) {
  const auto doors = listen_on("127.0.0.1", 0, 1);
  testing::raw_client client{doors.port};
  ASSERT_TRUE(client.connected());
  EXPECT_LT(::accept(doors.sets[0][0].get(), nullptr, nullptr), 0);
  client.send("GET");
  const auto fd = take(doors);
  std::array<char, 8> bytes{};
  EXPECT_EQ(::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT), 3);
  ::close(fd);
}

TEST(Listeners, HandClientsOverInTheEndThatSayNothing) {
  const auto doors = listen_on("127.0.0.1", 0, 1);
  const testing::raw_client client{doors.port};
  const auto fd = take(doors);
  EXPECT_GE(fd, 0);
  ::close(fd);
}

/// The addresses that a set listens on, in numbers, all at this port.
std::set<std::string> addresses_of(const std::vector<owned_fd>& set, std::uint16_t port) {
  std::set<std::string> all;
  for (const auto& one : set) {
    host_address bound;
    bound.size = sizeof bound.storage;
    ::getsockname(one.get(), bound.get(), &bound.size);
    EXPECT_EQ(ntohs(bound.port()), port);
    all.insert(bound.text());
  }
  return all;
}

TEST(Listeners, AreOnAllAddressesOfAHost) {
  const auto doors = listen_on("localhost", 0, 2);
  std::set<std::string> wanted;
  for (const auto& address : resolve_host("localhost", "x"))
    wanted.insert(address.text());
  for (const auto& set : doors.sets)
    EXPECT_EQ(addresses_of(set, doors.port), wanted);
}

TEST(Listeners, TakeAPortWhoseConnectionsHaveJustEnded) {
  std::uint16_t port = 0;
  {
    const auto doors = listen_on("127.0.0.1", 0, 1);
    port = doors.port;
    testing::raw_client client{port};
    client.send("GET");
    const auto fd = take(doors);
    std::array<char, 8> bytes{};
    // Or its end would be a reset, which leaves nothing behind.
    EXPECT_EQ(::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT), 3);
    ::close(fd);
    EXPECT_TRUE(client.is_closed());
  }
  EXPECT_EQ(listen_on("127.0.0.1", port, 1).port, port);
}

TEST(Listeners, RefuseAPortThatIsTaken) {
  const auto doors = listen_on("127.0.0.1", 0, 2);
  EXPECT_EQ(doors.sets.size(), 2u);
  EXPECT_THROW((void)listen_on("127.0.0.1", doors.port, 1), std::system_error);
}

TEST(Listeners, NameTheSettingsWhereTheyCannotListen) {
  const auto why = [](const char* host) {
    try {
      (void)listen_on(host, 0, 1);
    } catch (const std::runtime_error& e) {
      return std::string{e.what()};
    }
    return std::string{"they listen"};
  };
  const auto unknown = why("no.such.host.invalid");
  EXPECT_EQ(unknown.find("stream.host: no.such.host.invalid cannot be resolved: "), 0u) << unknown;
  const auto foreign = why("192.0.2.1");
  EXPECT_EQ(foreign.find("stream.host, stream.port: cannot listen on 192.0.2.1 port 0: "), 0u)
    << foreign;
}

} // namespace
} // namespace herald
