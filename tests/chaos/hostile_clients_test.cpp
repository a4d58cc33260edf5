// Clients that mean harm, or know no better, while pages that behave get every event in order.

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/chaos/crowd.hpp"
#include "tests/chaos/process_use.hpp"
#include "tests/chaos/publisher.hpp"
#include "tests/chaos/scenario.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/loopback.hpp"
#include "tests/support/metrics_page.hpp"

namespace herald::testing {
namespace {

using namespace std::chrono_literals;

/// A connection that does as it likes, and never waits.
class rude_client {
public:
  /// `receive_bytes` bounds what the kernel takes for it; 0 leaves it as it is.
  explicit rude_client(std::uint16_t port, int receive_bytes = 0)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_bytes > 0)
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    // A server that is busy with others need not take this one.
    const timeval limit{5, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const auto to = testing::loopback(port);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~rude_client() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  rude_client(rude_client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      connected_(other.connected_) {}
  rude_client& operator=(rude_client&&) = delete;

  [[nodiscard]] bool connected() const noexcept { return connected_; }

  /// False once the peer has gone.
  bool say(std::string_view bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0
           || errno == EAGAIN;
  }
  void say_no_more() { ::shutdown(fd_, SHUT_WR); }
  /// Leaves with a reset instead of a proper end.
  void slam() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(std::exchange(fd_, -1));
  }
  /// What has come by now.
  std::string hear() {
    std::array<char, 65536> part{};
    std::string heard;
    for (;;) {
      const auto got = ::recv(fd_, part.data(), part.size(), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN))
        ended_ = true;
      if (got <= 0)
        return heard;
      heard.append(part.data(), static_cast<std::size_t>(got));
    }
  }
  [[nodiscard]] bool ended() const noexcept { return ended_; }

private:
  int fd_;
  bool connected_ = false;
  bool ended_ = false;
};

constexpr const char* stream_request = "GET /api/sse/stream?request_id=";

class HostileClients : public scenario {
protected:
  HostileClients()
    : herald(std::vector<std::string>{
      "--stream-threads", "2", "--stream-log-bytes", "1048576", "--api-max-event-bytes", "32768",
      "--stream-max-heads", "512", "--stream-head-timeout-ms", "3000", "--api-max-connections",
      "64", "--log-level", "warning",
      // Where events come slowly, who reads nothing is found to be out of reach before it lags.
      "--stream-unreachable-s", "0"}),
      good(herald.stream_port(), {size<std::size_t>(50, 100), "good-"}) {
    EXPECT_TRUE(good.all_open());
    before = use_of(herald.pid());
  }

  /// Events for everybody, each with so many bytes besides its number.
  void publish(std::size_t filler) {
    publisher::options how;
    how.filler = filler;
    how.pace = 4ms;
    how.allowed = most_ahead;
    publishers = start_publishers(herald.api_port(), 2, how);
  }

  /// Those who behave read, and the publishers stay less than the log ahead of them: on a machine
  /// that is busy with something else they would be as slow as those who do not.
  void turn(std::chrono::milliseconds longest = 20ms) {
    good.turn(longest);
    for (const auto& p : publishers)
      p->allow(good.least_events() / publishers.size() + most_ahead);
  }

  /// Everybody who behaves has had everything, and herald is as it was.
  void expect_unharmed() {
    EXPECT_TRUE(eventually([&] {
      turn();
      return std::all_of(
        publishers.begin(), publishers.end(), [](const auto& p) { return p->taken() > 25; });
    }));
    const auto taken = stop_all(publishers);
    EXPECT_TRUE(good.caught_up(taken));
    EXPECT_EQ(good.complaints(taken), "");
    EXPECT_EQ(good.returns(), 0u) << "a stream of a good page was ended";
    std::size_t events = 0;
    for (const auto& [_, numbers] : taken)
      events += numbers.size();
    for (const auto& p : publishers)
      EXPECT_EQ(p->refused(), 0u);
    http_client api{herald.api_port()};
    EXPECT_EQ(api.get("/healthz").status, 200);
    EXPECT_TRUE(eventually([&] {
      return metric(api, "sse_gateway_active_connections") == static_cast<double>(good.size());
    }))
      << metric(api, "sse_gateway_active_connections");
    ASSERT_TRUE(herald.running());
    result("events", events);
    result("deliveries", good.events());
    result("rss_kib_before", before.rss_kib);
    result("rss_kib_after", use_of(herald.pid()).rss_kib);
    EXPECT_EQ(herald.terminate(), exited(0));
  }

  /// Events of a publisher; those of two are half of what the log holds.
  static constexpr std::size_t most_ahead = 75;

  herald_process herald;
  crowd good;
  process_use before;
  std::vector<std::unique_ptr<publisher>> publishers;
};

TEST_F(HostileClients, ThatReadNothing) {
  publish(3000);
  std::vector<rude_client> slow;
  for (std::size_t i = 0; i < size<std::size_t>(30, 200); ++i) {
    slow.emplace_back(herald.stream_port(), 4096);
    slow.back().say(
      stream_request + std::string{"slow-"} + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  http_client api{herald.api_port()};
  const auto wanted = static_cast<double>(slow.size());
  std::size_t worst_kib = 0;
  // The log holds 1 MiB: who is further behind is told so, if it should ever read, and ended.
  const auto all_ended = [&] {
    turn();
    worst_kib = std::max(worst_kib, use_of(herald.pid()).rss_kib);
    return metric(api, "herald_stream_lagged_total") >= wanted;
  };
  EXPECT_TRUE(eventually(all_ended, 120s)) << metric(api, "herald_stream_lagged_total");
  expect_unharmed();
  result("slow_readers", slow.size());
  result("rss_kib_worst", worst_kib);
}

TEST_F(HostileClients, ThatCloseTheirHalf) {
  publish(200);
  std::size_t rounds = 0;
  for (; rounds < size<std::size_t>(100, 2000); ++rounds) {
    rude_client half{herald.stream_port()};
    half.say(
      stream_request + std::string{"half-"} + std::to_string(below(20))
      + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    half.say_no_more();
    if (below(2) == 0)
      half.slam();
    if (rounds % 5 == 0)
      turn();
  }
  expect_unharmed();
  result("half_closed", rounds);
}

TEST_F(HostileClients, ThatDripTheirHeads) {
  publish(200);
  const std::string head =
    std::string{stream_request} + "drip HTTP/1.1\r\nHost: h\r\nX-Slow: " + std::string(500, 'x');
  std::vector<rude_client> drips;
  for (std::size_t i = 0; i < size<std::size_t>(100, 400); ++i)
    drips.emplace_back(below(4) == 0 ? herald.api_port() : herald.stream_port());
  std::size_t at = 0;
  std::size_t open = drips.size();
  const auto all_ended = [&] {
    open = 0;
    for (auto& drip : drips) {
      if (drip.ended())
        continue;
      drip.say(head.substr(at % head.size(), 1));
      drip.hear();
      open += drip.ended() ? 0 : 1;
    }
    ++at;
    turn(10ms);
    return open == 0;
  };
  // Their time is 3 s on the stream port and 10 s on the API port, however busily they drip.
  EXPECT_TRUE(eventually(all_ended, 60s)) << open << " still drip";
  http_client api{herald.api_port()};
  EXPECT_GT(metric(api, R"(herald_stream_refused_total{reason="head_timed_out"})"), 0);
  expect_unharmed();
  result("drips", drips.size());
}

TEST_F(HostileClients, ThatConnectAndNeverSend) {
  publish(200);
  // 10,000 on the stream port; on the API port as many as it lets wait, and more.
  std::vector<rude_client> idle;
  const auto count = size<std::size_t>(1500, 10'000);
  idle.reserve(count + 200);
  http_client api{herald.api_port()};
  std::size_t refused = 0;
  for (std::size_t i = 0; i < count; ++i) {
    idle.emplace_back(herald.stream_port());
    refused += idle.back().connected() ? 0 : 1;
    if (i % 50 == 0)
      turn(1ms);
  }
  for (std::size_t i = 0; i < 200; ++i)
    idle.emplace_back(herald.api_port());
  EXPECT_EQ(refused, 0u);
  // The kernel holds them for a second before it hands them over.
  EXPECT_TRUE(eventually([&] {
    turn(1ms);
    return metric(api, R"(herald_stream_refused_total{reason="head_crowded_out"})") > 0;
  }));
  const auto worst = use_of(herald.pid());
  EXPECT_LT(worst.descriptors, 1500u) << "those that never send are crowded out";
  // Others get in as ever.
  for (int i = 0; i < 20; ++i) {
    sse_client fresh{herald.stream_port(), stream_target("fresh-" + std::to_string(i))};
    EXPECT_TRUE(fresh.open());
    EXPECT_EQ(api.get("/healthz").status, 200);
    turn(1ms);
  }
  expect_unharmed();
  result("idle_connections", idle.size());
  result("descriptors_worst", worst.descriptors);
  result("rss_kib_worst", worst.rss_kib);
}

TEST_F(HostileClients, ThatSmuggle) {
  publish(200);
  // What makes two servers see different requests: each must be refused, or read as one, and
  // nothing that follows in the same breath may be answered as a request of its own.
  const std::string second = "GET /api/connections HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const auto post = [](const std::string& fields, const std::string& body) {
    return "POST /api/events HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n" + body;
  };
  const std::vector<std::string> forms = {
    post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + second),
    post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n" + second),
    post("Content-Length: 0\r\nContent-Length: 48\r\n", second),
    post("Content-Length: 0, 48\r\n", second),
    post("Content-Length: +5\r\n", "0\r\n\r\n" + second),
    post("Content-Length: 0x5\r\n", "0\r\n\r\n" + second),
    post("Content-Length : 5\r\n", "0\r\n\r\n" + second),
    post("Content-Length:\r\n 5\r\n", "0\r\n\r\n" + second),
    post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n" + second),
    post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n" + second),
    post("Transfer-Encoding: identity, chunked\r\n", "0\r\n\r\n" + second),
    post(
      "Transfer-Encoding:\x0b"
      "chunked\r\n",
      "0\r\n\r\n" + second),
    post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n" + second),
    post("X: y\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + second),
    post("X: y\nContent-Length: 5\r\n", "0\r\n\r\n" + second),
    post("Transfer-Encoding: chunked\r\n", "5\nhello\r\n0\r\n\r\n" + second),
    post("Transfer-Encoding: chunked\r\n", "-1\r\n\r\n" + second),
    post("Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n0\r\n\r\n" + second),
    post("Transfer-Encoding: chunked\r\n", "ffffffffffffffff1\r\nhello\r\n0\r\n\r\n" + second),
    post("Transfer-Encoding: chunked\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n" + second),
    "POST /api/events HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
      + second,
    "GET /healthz HTTP/1.1\nHost: h\n\n" + second,
    "GET /healthz\tHTTP/1.1\r\nHost: localhost\r\n\r\n" + second,
    "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + second,
    "GET /healthz HTTP/1.1\r\n\r\n" + second,
  };
  std::size_t sent = 0;
  for (std::size_t round = 0; round < size<std::size_t>(1, 20); ++round) {
    for (const auto& form : forms) {
      for (const auto port : {herald.api_port(), herald.stream_port()}) {
        rude_client smuggler{port};
        smuggler.say(form);
        ++sent;
        std::string heard;
        const bool ended = eventually([&] {
          heard += smuggler.hear();
          turn(0ms);
          return smuggler.ended();
        });
        EXPECT_TRUE(ended) << form;
        EXPECT_TRUE(heard.starts_with("HTTP/1.1 4") || heard.starts_with("HTTP/1.1 501"))
          << form << "\n--- was answered\n"
          << heard;
        EXPECT_EQ(heard.find("HTTP/1.1", 1), std::string::npos)
          << form << "\n--- was answered twice\n"
          << heard;
      }
    }
  }
  expect_unharmed();
  result("requests", sent);
}

TEST_F(HostileClients, ThatSayAnything) {
  publish(200);
  const std::vector<std::string> beginnings = {
    "",
    "GET ",
    "GET /api/sse/stream?request_id=r HTTP/1.1\r\nHost: h\r\n",
    "POST /api/events HTTP/1.1\r\nHost: localhost\r\n",
    "POST /api/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    "GET /api/sse/stream?request_id=r HTTP/1.1\r\nHost: h\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\x16\x03\x01\x02",
    "POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n"};
  const auto rounds = size<std::size_t>(400, 20'000);
  for (std::size_t i = 0; i < rounds; ++i) {
    rude_client babbler{below(2) == 0 ? herald.api_port() : herald.stream_port()};
    auto bytes = beginnings[below(beginnings.size())];
    for (auto left = below(1500); left > 0; --left)
      bytes += static_cast<char>(below(4) == 0 ? "\r\n: \0"[below(5)] : below(256));
    babbler.say(bytes);
    if (below(3) == 0)
      babbler.say_no_more();
    if (below(3) == 0)
      babbler.slam();
    if (i % 10 == 0)
      turn(1ms);
  }
  expect_unharmed();
  result("connections", rounds);
}

} // namespace
} // namespace herald::testing
