#include "http/tcp_progress.hpp"

#include <array>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/listeners.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/raw_client.hpp"

namespace herald {
namespace {

using testing::eventually;

TEST(TcpProgress, GrowsWithWhatTheOtherSideAcknowledges) {
  const auto doors = listen_on("127.0.0.1", 0, 1);
  const testing::raw_client client{doors.port};
  const auto fd = ::accept(doors.descriptors[0], nullptr, nullptr);
  const auto before = tcp_progress_of(fd);
  ASSERT_TRUE(before.has_value());
  EXPECT_FALSE(before->outstanding);
  ASSERT_EQ(::send(fd, "12345", 5, MSG_NOSIGNAL), 5);
  EXPECT_TRUE(eventually([&] {
    const auto now = tcp_progress_of(fd);
    return now && !now->outstanding && now->acknowledged == before->acknowledged + 5;
  }));
  ::close(fd);
  ::close(doors.descriptors[0]);
}

TEST(TcpProgress, IsOutstandingWhereTheOtherSideTakesNothing) {
  const auto doors = listen_on("127.0.0.1", 0, 1);
  const testing::raw_client client{doors.port};
  const auto fd = ::accept(doors.descriptors[0], nullptr, nullptr);
  const std::array<char, 65536> block{};
  while (::send(fd, block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
    continue;
  EXPECT_TRUE(tcp_progress_of(fd).value().outstanding);
  ::close(fd);
  ::close(doors.descriptors[0]);
}

TEST(TcpProgress, IsUnknownOfWhatIsNoTcpSocket) {
  EXPECT_FALSE(tcp_progress_of(-1).has_value());
}

} // namespace
} // namespace herald
