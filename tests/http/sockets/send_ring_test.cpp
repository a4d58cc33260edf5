#include "http/sockets/send_ring.hpp"

#include <array>
#include <cerrno>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace herald {
namespace {

/// Two ends of a connection.
class wire {
public:
  wire() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0); }
  ~wire() {
    hang_up();
    ::close(ends_[0]);
  }
  wire(const wire&) = delete;
  wire& operator=(const wire&) = delete;

  [[nodiscard]] int near() const { return ends_[0]; }
  void hang_up() {
    if (ends_[1] >= 0)
      ::close(ends_[1]);
    ends_[1] = -1;
  }
  [[nodiscard]] std::string received() const {
    std::string all;
    std::array<char, 4096> part{};
    for (ssize_t got = 0; (got = ::recv(ends_[1], part.data(), part.size(), MSG_DONTWAIT)) > 0;)
      all.append(part.data(), static_cast<std::size_t>(got));
    return all;
  }

private:
  std::array<int, 2> ends_{-1, -1};
};

/// With a ring, and with the calls that take its place. `GetParam` is the ring's room; the kernel
/// has no ring without room.
class SendRing : public ::testing::TestWithParam<unsigned> {
protected:
  SendRing() {
    if (GetParam() != 0 && !ring.available())
      std::cout << "no io_uring here: error " << ring.error() << '\n';
  }

  static socket_send to(const wire& w, std::string_view bytes) {
    return {w.near(), bytes.data(), bytes.size(), 0};
  }

  send_ring ring{GetParam()};
};

TEST_P(SendRing, SendsToEach) {
  std::vector<wire> wires(100);
  std::vector<std::string> said;
  for (std::size_t i = 0; i < wires.size(); ++i)
    said.push_back("for " + std::to_string(i));
  for (int round = 0; round < 3; ++round) {
    std::vector<socket_send> sends;
    for (std::size_t i = 0; i < wires.size(); ++i)
      sends.push_back(to(wires[i], said[i]));
    ring.send(sends);
    for (std::size_t i = 0; i < wires.size(); ++i) {
      EXPECT_EQ(sends[i].result, static_cast<ssize_t>(said[i].size()));
      EXPECT_EQ(wires[i].received(), said[i]);
    }
  }
}

TEST_P(SendRing, KeepsTheOrderOfSendsToOneSocket) {
  wire one;
  std::vector<std::string> said;
  std::string all;
  for (int i = 0; i < 50; ++i)
    all += said.emplace_back(std::to_string(i) + ' ');
  std::vector<socket_send> sends;
  for (const auto& s : said)
    sends.push_back(to(one, s));
  ring.send(sends);
  EXPECT_EQ(one.received(), all);
}

TEST_P(SendRing, TakesWhatFitsAndNoMoreAndDoesNotWait) {
  wire full;
  wire other;
  const std::string much(std::size_t{8} * 1024 * 1024, 'x');
  std::array sends{to(full, much), to(full, much), to(other, "still here")};
  ring.send(sends);
  EXPECT_GT(sends[0].result, 0);
  EXPECT_LT(sends[0].result, static_cast<ssize_t>(much.size()));
  EXPECT_EQ(sends[1].result, -EAGAIN);
  EXPECT_EQ(sends[2].result, 10);
  EXPECT_EQ(full.received().size(), static_cast<std::size_t>(sends[0].result));
}

TEST_P(SendRing, TellsWhichSocketIsBroken) {
  wire broken;
  wire whole;
  broken.hang_up();
  std::array sends{
    to(whole, "before"), to(broken, "never"), socket_send{-1, "x", 1, 0}, to(whole, " behind")};
  ring.send(sends);
  EXPECT_EQ(sends[0].result, 6);
  EXPECT_EQ(sends[1].result, -EPIPE) << "without a signal";
  EXPECT_EQ(sends[2].result, -EBADF);
  EXPECT_EQ(sends[3].result, 7);
  EXPECT_EQ(whole.received(), "before behind");
}

INSTANTIATE_TEST_SUITE_P(Room, SendRing, ::testing::Values(0U, 8U, 256U));

TEST(SendRingAvailability, SaysWhyThereIsNone) {
  const send_ring none{0};
  EXPECT_FALSE(none.available());
  EXPECT_EQ(none.error(), EINVAL);
}

} // namespace
} // namespace herald
