#include "http/sockets/socket_loop.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace herald {
namespace {

/// One end of a pair of sockets is in the loop, the other one is the test's.
class end_of_pair final : public loop_socket {
public:
  explicit end_of_pair(socket_loop& loop) : loop_(loop) {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
    mine_ = pair[0];
    other = pair[1];
    place = loop.add(mine_, *this).value();
  }
  end_of_pair(const end_of_pair&) = delete;
  end_of_pair& operator=(const end_of_pair&) = delete;
  ~end_of_pair() {
    leave();
    ::close(other);
  }

  void leave() {
    if (mine_ < 0)
      return;
    loop_.remove(place);
    ::close(std::exchange(mine_, -1));
  }

  void ready(std::uint32_t what) override {
    seen |= what;
    std::array<char, 64> bytes{};
    if (const auto got = ::recv(mine_, bytes.data(), bytes.size(), 0); got > 0)
      received.append(bytes.data(), static_cast<std::size_t>(got));
    if (after_ready)
      after_ready();
  }
  void sent(ssize_t result) override {
    results.push_back(result);
    if (after_sent)
      after_sent();
  }

  /// What the test's end has got.
  [[nodiscard]] std::string arrived() const {
    std::array<char, 64> bytes{};
    const auto got = ::recv(other, bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }

  int other = -1;
  socket_loop::place place = 0;
  std::uint32_t seen = 0;
  std::string received;
  std::vector<ssize_t> results;
  std::function<void()> after_ready;
  std::function<void()> after_sent;

private:
  socket_loop& loop_;
  int mine_ = -1;
};

/// With io_uring and without.
class SocketLoop : public ::testing::TestWithParam<bool> {
protected:
  /// Some turns: what is not answered, such as the end of a socket, is told again in each.
  void turn() {
    loop.io().restart();
    for (int i = 0; i < 20; ++i)
      loop.io().poll_one();
  }

  void send(const end_of_pair& from, std::string_view text) {
    loop.send(from.place, text.data(), text.size());
  }

  socket_loop loop{GetParam()};
};

TEST_P(SocketLoop, TellsOfBytesAndOfTheEnd) {
  end_of_pair a{loop};
  turn();
  EXPECT_EQ(a.seen, 0u);
  ASSERT_EQ(::write(a.other, "hello", 5), 5);
  turn();
  EXPECT_EQ(a.received, "hello");
  ::shutdown(a.other, SHUT_WR);
  turn();
  EXPECT_NE(a.seen & EPOLLRDHUP, 0u);
}

TEST_P(SocketLoop, MakesTheSendsOfOneTurnTogether) {
  std::vector<std::unique_ptr<end_of_pair>> ends;
  ends.reserve(200);
  for (int i = 0; i < 200; ++i)
    ends.push_back(std::make_unique<end_of_pair>(loop));
  for (const auto& e : ends)
    send(*e, "x");
  EXPECT_EQ(ends.front()->arrived(), "") << "not before the turn is over";
  turn();
  for (const auto& e : ends) {
    EXPECT_EQ(e->results, std::vector<ssize_t>{1});
    EXPECT_EQ(e->arrived(), "x");
  }
}

TEST_P(SocketLoop, SendsWhatIsSentInAnswerToASend) {
  end_of_pair a{loop};
  a.after_sent = [&] {
    if (a.results.size() == 1)
      send(a, "second");
  };
  send(a, "first");
  turn();
  EXPECT_EQ(a.arrived(), "firstsecond");
}

TEST_P(SocketLoop, TellsOfASocketThatTakesNoMoreAndOfRoomToWrite) {
  end_of_pair a{loop};
  const std::string much(8'000'000, 'x');
  send(a, much);
  turn();
  ASSERT_EQ(a.results.size(), 1u);
  EXPECT_LT(a.results[0], static_cast<ssize_t>(much.size()));
  send(a, much);
  turn();
  EXPECT_EQ(a.results.at(1), -EAGAIN);
  loop.watch_writable(a.place, true);
  turn();
  EXPECT_EQ(a.seen & EPOLLOUT, 0u);
  std::string taken(much.size(), ' ');
  while (::recv(a.other, taken.data(), taken.size(), 0) > 0) {
  }
  turn();
  EXPECT_NE(a.seen & EPOLLOUT, 0u);
}

TEST_P(SocketLoop, ForgetsWhatALeavingSocketHadToSend) {
  end_of_pair a{loop};
  end_of_pair b{loop};
  send(a, "a");
  send(b, "b");
  a.leave();
  turn();
  EXPECT_TRUE(a.results.empty());
  EXPECT_EQ(b.results, std::vector<ssize_t>{1});
}

TEST_P(SocketLoop, BearsThatASendEndsAnotherSocket) {
  end_of_pair a{loop};
  end_of_pair b{loop};
  a.after_sent = [&] {
    b.leave();
  };
  send(a, "a");
  send(b, "b");
  turn();
  EXPECT_EQ(a.results, std::vector<ssize_t>{1});
  EXPECT_TRUE(b.results.empty());
  end_of_pair c{loop};
  EXPECT_EQ(c.place, b.place) << "its place is free again";
  send(c, "c");
  turn();
  EXPECT_EQ(c.arrived(), "c");
}

TEST_P(SocketLoop, GoesOnAfterOneThatThrows) {
  end_of_pair a{loop};
  end_of_pair b{loop};
  a.after_sent = a.after_ready = b.after_ready = [] {
    throw std::runtime_error{"on purpose"};
  };
  send(a, "a");
  send(b, "b");
  EXPECT_THROW(turn(), std::runtime_error);
  EXPECT_EQ(b.results, std::vector<ssize_t>{1});
  ASSERT_EQ(::write(a.other, "x", 1), 1);
  ASSERT_EQ(::write(b.other, "y", 1), 1);
  EXPECT_THROW(turn(), std::runtime_error);
  EXPECT_EQ(a.received, "x");
  EXPECT_EQ(b.received, "y");
  a.after_sent = nullptr;
  send(a, "c");
  turn();
  EXPECT_EQ(a.results, (std::vector<ssize_t>{1, 1}));
  EXPECT_EQ(a.arrived(), "ac");
}

INSTANTIATE_TEST_SUITE_P(Sends, SocketLoop, ::testing::Bool(), [](const auto& which) {
  return which.param ? "InOneCall" : "OneByOne";
});

} // namespace
} // namespace herald
