#include "http/sockets/tcp_progress.hpp"

#include <array>

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

} // namespace
} // namespace herald
