#include "http/sockets/tcp_progress.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/bare_listener.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/raw_client.hpp"

namespace herald {
namespace {

using testing::eventually;

TEST(TcpProgress, GrowsWithWhatTheOtherSideAcknowledges) {
  const testing::bare_listener door;
  const testing::raw_client client{door.port()};
  const auto fd = door.take();
  const auto before = tcp_progress_of(fd);
  ASSERT_TRUE(before.has_value());
  EXPECT_FALSE(before->outstanding);
  EXPECT_FALSE(is_outstanding(fd));
  ASSERT_EQ(::send(fd, "12345", 5, MSG_NOSIGNAL), 5);
  EXPECT_TRUE(eventually([&] {
    const auto now = tcp_progress_of(fd);
    return now && !now->outstanding && now->acknowledged == before->acknowledged + 5;
  }));
  ::close(fd);
}

TEST(TcpProgress, IsOutstandingWhereTheOtherSideTakesNothing) {
  const testing::bare_listener door;
  const testing::raw_client client{door.port()};
  const auto fd = door.take();
  const std::array<char, 65536> block{};
  while (::send(fd, block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
    continue;
  EXPECT_TRUE(tcp_progress_of(fd).value().outstanding);
  EXPECT_TRUE(is_outstanding(fd));
  ::close(fd);
}

TEST(TcpProgress, IsUnknownOfWhatIsNoTcpSocket) {
  EXPECT_FALSE(tcp_progress_of(-1).has_value());
  EXPECT_TRUE(is_outstanding(-1)) << "somebody has to look";
}

TEST(EstablishedChains, AreAsManyAsTheKernelSays) {
  // Since Linux 6.1; a namespace that shares the table of the first one says it as less than 0.
  std::ifstream file{"/proc/sys/net/ipv4/tcp_ehash_entries"};
  if (long long entries = 0; file >> entries)
    EXPECT_EQ(established_chains(), static_cast<std::size_t>(std::llabs(entries)));
  else
    EXPECT_EQ(established_chains(), std::nullopt);
}

} // namespace
} // namespace herald
