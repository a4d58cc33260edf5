#include "http/sockets/acceptor.hpp"

#include <functional>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "actors/telemetry/metrics.hpp"
#include "tests/support/bare_listener.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/few_descriptors.hpp"
#include "tests/support/raw_client.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

class Acceptor : public ::testing::Test, protected client_sink {
protected:
  Acceptor() { taking.listen(); }
  ~Acceptor() override {
    for (const auto fd : taken)
      ::close(fd);
  }

  void on_client(int fd, acceptor::clock::time_point /*now*/) override {
    taken.push_back(fd);
    if (const auto then = std::exchange(meanwhile, nullptr))
      then();
  }
  void on_gathered() override {
    ++rounds;
    taken_by_round.push_back(taken.size());
  }

  void connect(int clients = 1) {
    for (int i = 0; i < clients; ++i)
      browsers.emplace_back(door.port());
  }

  owned_fd non_blocking() {
    owned_fd fd{door.release()};
    ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
    return fd;
  }

  /// True if the acceptor was told of clients that wait.
  bool turn() {
    const auto events = sockets.take();
    for (const auto& event : events) {
      EXPECT_EQ(event.tag.kind, 3u);
      taking.on_event(now);
    }
    return !events.empty();
  }

  /// Runs the timers until it holds.
  template <class Predicate>
  bool in_time(Predicate holds) {
    return testing::eventually([&] {
      io.restart();
      io.poll();
      return holds();
    });
  }

  /// One comes alone, then so many others within the pause.
  void storm(int others) {
    connect();
    EXPECT_TRUE(turn());
    connect(others);
    EXPECT_TRUE(turn());
    EXPECT_EQ(taken.size(), 1u);
  }

  const acceptor::clock::time_point now = acceptor::clock::now() + 50ms;
  testing::bare_listener door;
  boost::asio::io_context io;
  socket_set sockets;
  metrics numbers;
  prometheus::Counter& accepted = numbers.counter("accepted", "");
  prometheus::Counter& gathered = numbers.counter("gathered", "");
  prometheus::Counter& errors = numbers.counter("errors", "");
  acceptor taking{io, sockets, {3, 0}, non_blocking(), {accepted, gathered, errors}, 0, *this};
  std::vector<testing::raw_client> browsers;
  std::vector<int> taken;
  std::vector<std::size_t> taken_by_round;
  std::function<void()> meanwhile;
  int rounds = 0;
};

TEST_F(Acceptor, TakesAClientThatComesAloneAtOnce) {
  connect();
  EXPECT_TRUE(turn());
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_NE(::fcntl(taken[0], F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(taken[0], F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_FALSE(taking.gathering());
  EXPECT_EQ(gathered.Value(), 0);
}

TEST_F(Acceptor, TakesThoseTogetherThatComeSoonAfterOthers) {
  storm(5);
  EXPECT_TRUE(taking.gathering());
  EXPECT_FALSE(turn()) << "the listener is left alone";
  EXPECT_TRUE(in_time([this] { return rounds > 0; }));
  EXPECT_EQ(taken.size(), 6u);
  EXPECT_EQ(rounds, 1);
  EXPECT_EQ(accepted.Value(), 6);
  EXPECT_EQ(gathered.Value(), 5);
}

TEST_F(Acceptor, LooksAtItsListenerAgainOnceNobodyCame) {
  storm(1);
  EXPECT_TRUE(in_time([this] { return !taking.gathering(); }));
  EXPECT_EQ(rounds, 2) << "the last of them found nobody";
  connect();
  EXPECT_TRUE(turn());
}

TEST_F(Acceptor, TakesOnlySoManyInOneGo) {
  constexpr int many = static_cast<int>(acceptor::slice) + 10;
  storm(many);
  EXPECT_TRUE(in_time([this] { return taken.size() == 1 + many; }));
  ASSERT_EQ(taken_by_round.size(), 2u);
  EXPECT_EQ(taken_by_round[0], 1 + acceptor::slice);
}

TEST_F(Acceptor, WaitsWhereDescriptorsAreShort) {
  connect(2);
  {
    const testing::few_descriptors none;
    EXPECT_TRUE(turn());
    EXPECT_TRUE(taken.empty());
    EXPECT_EQ(errors.Value(), 1);
    EXPECT_FALSE(turn()) << "it would only spin";
  }
  EXPECT_TRUE(in_time([this] {
    turn();
    return taken.size() == 2;
  }));
}

TEST_F(Acceptor, TakesNobodyOnceItIsStopped) {
  storm(2);
  taking.stop();
  taking.listen();
  EXPECT_FALSE(taking.gathering());
  EXPECT_FALSE(turn());
  io.run();
  EXPECT_EQ(taken.size(), 1u);
  EXPECT_EQ(rounds, 0);
}

TEST_F(Acceptor, MayBeStoppedByTheSink) {
  storm(5);
  meanwhile = [this] {
    taking.stop();
  };
  EXPECT_TRUE(in_time([this] { return rounds > 0; }));
  EXPECT_EQ(taken.size(), 2u);
  io.restart();
  EXPECT_EQ(io.run(), 0u) << "nothing is left to wait for";
}

TEST_F(Acceptor, GoesOnAfterASinkThatThrew) {
  storm(5);
  meanwhile = [] {
    throw std::runtime_error("no memory");
  };
  EXPECT_THROW(in_time([this] { return rounds > 0; }), std::runtime_error);
  taking.listen();
  EXPECT_TRUE(in_time([this] { return taken.size() == 6; }));
}

} // namespace
} // namespace herald
