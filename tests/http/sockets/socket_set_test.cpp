#include "http/sockets/socket_set.hpp"

#include <array>

#include <gtest/gtest.h>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace herald {
namespace {

class SocketSet : public ::testing::Test {
protected:
  SocketSet() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0); }
  ~SocketSet() override {
    for (const auto fd : pair)
      ::close(fd);
  }

  std::array<int, 2> pair{};
  socket_set set;
};

TEST_F(SocketSet, TellsWhichSocketHasBytes) {
  ASSERT_TRUE(set.add(pair[0], {3, 4'000'000'000}));
  EXPECT_TRUE(set.take().empty());
  ASSERT_EQ(::write(pair[1], "x", 1), 1);
  const auto events = set.take();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].tag.kind, 3u);
  EXPECT_EQ(events[0].tag.index, 4'000'000'000);
  EXPECT_EQ(events[0].what, std::uint32_t{EPOLLIN});
  EXPECT_EQ(set.take().size(), 1u) << "as long as there are bytes";
}

TEST_F(SocketSet, TellsOfRoomOnlyWhereItIsAskedFor) {
  ASSERT_TRUE(set.add(pair[0], {}));
  set.watch(pair[0], {1, 2}, true);
  ASSERT_EQ(set.take().size(), 1u);
  EXPECT_EQ(set.take()[0].what, std::uint32_t{EPOLLOUT});
  EXPECT_EQ(set.take()[0].tag.index, 2u);
  set.watch(pair[0], {1, 2}, false);
  EXPECT_TRUE(set.take().empty());
}

TEST_F(SocketSet, TellsOfTheEnd) {
  ASSERT_TRUE(set.add(pair[0], {}));
  ::shutdown(pair[1], SHUT_WR);
  ASSERT_EQ(set.take().size(), 1u);
  EXPECT_NE(set.take()[0].what & EPOLLRDHUP, 0u);
  set.remove(pair[0]);
  EXPECT_TRUE(set.take().empty());
}

TEST_F(SocketSet, SaysWhenASocketCannotBeWatched) {
  EXPECT_TRUE(set.add(pair[0], {}));
  EXPECT_FALSE(set.add(pair[0], {})) << "is there already";
  EXPECT_FALSE(set.add(-1, {}));
}

} // namespace
} // namespace herald
