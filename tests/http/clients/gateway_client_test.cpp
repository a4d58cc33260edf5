#include "http/clients/gateway_client.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/support/bare_listener.hpp"
#include "tests/support/gateway_facts.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

/// A gateway that answers what it is told to, on a thread of its own.
class gateway {
public:
  explicit gateway(int port = 0) {
    server_.Post("/internal/send", [this](const httplib::Request& q, httplib::Response& r) {
      const std::lock_guard hold{mutex_};
      bodies_.push_back(q.body);
      type_ = q.get_header_value("Content-Type");
      peers_.insert(q.remote_port);
      r.status = status_;
      r.set_content(answer_, "application/json");
      if (hang_up)
        r.set_header("Connection", "close");
    });
    server_.set_keep_alive_max_count(1000);
    server_.set_keep_alive_timeout(1);
    port_ = port;
    if (port == 0)
      port_ = server_.bind_to_any_port("127.0.0.1");
    else
      EXPECT_TRUE(server_.bind_to_port("127.0.0.1", port));
    thread_ = std::thread{[this] {
      server_.listen_after_bind();
    }};
    while (!server_.is_running())
      std::this_thread::yield();
  }

  ~gateway() {
    server_.stop();
    thread_.join();
  }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  std::size_t connections() {
    const std::lock_guard hold{mutex_};
    return peers_.size();
  }
  std::vector<std::string> bodies() {
    const std::lock_guard hold{mutex_};
    return bodies_;
  }
  std::string type() {
    const std::lock_guard hold{mutex_};
    return type_;
  }

  /// From now on.
  void answer(int status, std::string body) {
    const std::lock_guard hold{mutex_};
    status_ = status;
    answer_ = std::move(body);
  }

  // Set between posts, read while one is handled.
  std::atomic<bool> hang_up{false};

private:
  httplib::Server server_;
  std::thread thread_;
  int port_ = 0;
  std::mutex mutex_;
  int status_ = 200;
  std::string answer_ = R"({"status":"ok"})";
  std::vector<std::string> bodies_;
  std::string type_;
  std::set<int> peers_;
};

/// Takes connections, reads nothing and never answers; or, once closed, refuses them.
using silent_listener = testing::bare_listener;

void answer_with_200(int fd) {
  constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
}

/// A link and the loop that it lives on.
class test_link {
public:
  explicit test_link(const std::string& url, std::chrono::milliseconds timeout = 5s)
    : test_link(options_for(url, timeout)) {}
  explicit test_link(const gateway_options& options)
    : link_(
      connect_gateway(loop_, options, [this](send_outcome how) { ended_ = std::move(how); })) {}

  void begin(std::string_view body) {
    ended_.reset();
    link_->post(body);
  }

  /// Waits for the end of the send under way.
  send_result end() {
    const auto until = std::chrono::steady_clock::now() + 20s;
    loop_.io().restart();
    while (!ended_ && std::chrono::steady_clock::now() < until)
      loop_.io().run_one_for(100ms);
    if (!ended_)
      throw std::runtime_error("the send did not end");
    return ended_->result;
  }

  send_result post(std::string_view body) {
    begin(body);
    return end();
  }

  /// Takes what has happened, as a loop does.
  void look() {
    loop_.io().restart();
    loop_.io().poll();
  }

  /// Destroys the link, and does what is left to be done; whether it has told of an end.
  bool abandon() {
    link_.reset();
    look();
    return ended_.has_value();
  }

private:
  static gateway_options options_for(const std::string& url, std::chrono::milliseconds timeout) {
    gateway_options options;
    options.url = url;
    options.timeout_ms = timeout;
    return options;
  }

  socket_loop loop_{true};
  std::optional<send_outcome> ended_;
  std::unique_ptr<gateway_link> link_;
};

/// Posts until it is delivered; false if it is not within a number of tries that never is needed.
bool posts_in_the_end(test_link& link) {
  for (int i = 0; i < 10; ++i)
    if (link.post("{}") == send_result::delivered)
      return true;
  return false;
}

TEST(GatewayClient, PostsOverOneKeptConnection) {
  gateway peer;
  test_link link{peer.url()};
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(link.post("{\"n\":" + std::to_string(i) + "}"), send_result::delivered);
  EXPECT_EQ(peer.connections(), 1u);
  ASSERT_EQ(peer.bodies().size(), 20u);
  EXPECT_EQ(peer.bodies()[19], "{\"n\":19}");
  EXPECT_EQ(peer.type(), "application/json");
}

TEST(GatewayClient, SendsLargeBodiesWhole) {
  gateway peer;
  test_link link{peer.url() + "/"};
  const std::string large(5'000'000, 'x');
  EXPECT_EQ(link.post(large), send_result::delivered);
  EXPECT_EQ(peer.bodies().at(0), large);
}

TEST(GatewayClient, SendsABodyInAsManyPiecesAsItTakes) {
  silent_listener narrow;
  // What the sockets of both ends hold is less than a third of the body.
  const int room = 64 * 1024;
  ::setsockopt(narrow.descriptor(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  const std::string large(16'000'000, '#');
  std::size_t taken = 0;
  std::thread peer{[&] {
    const auto fd = narrow.take();
    std::string buffer(room, '\0');
    while (taken < large.size()) {
      const auto size = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (size <= 0)
        break;
      taken += static_cast<std::size_t>(std::count(buffer.begin(), buffer.begin() + size, '#'));
    }
    answer_with_200(fd);
    ::close(fd);
  }};
  test_link link{narrow.url(), 15s};
  EXPECT_EQ(link.post(large), send_result::delivered);
  link.abandon();
  peer.join();
  EXPECT_EQ(taken, large.size());
}

TEST(GatewayClient, TellsAnswersApart) {
  gateway peer;
  test_link link{peer.url()};
  const auto answered = [&](int status, const std::string& body) {
    peer.answer(status, body);
    return link.post("{}");
  };
  const std::pair<const char*, send_result> facts[] = {
    {"sent", send_result::delivered},     {"not_open_yet", send_result::delivered},
    {"unknown_token", send_result::gone}, {"write_failed", send_result::gone},
    {"too_large", send_result::refused},
  };
  for (const auto& [what, expected] : facts) {
    const auto answer = testing::send_answer_of(what);
    EXPECT_EQ(answered(answer.status, answer.body.dump()), expected) << what;
  }
  EXPECT_EQ(answered(500, "oops"), send_result::failing);
  EXPECT_EQ(answered(503, ""), send_result::failing);
  EXPECT_EQ(answered(413, ""), send_result::refused);
  EXPECT_EQ(answered(400, ""), send_result::refused);
  EXPECT_EQ(answered(302, ""), send_result::failing);
  EXPECT_EQ(peer.connections(), 1u);
}

TEST(GatewayClient, OpensANewConnectionAfterAnAnswerThatClosesTheOld) {
  gateway peer;
  test_link link{peer.url()};
  peer.hang_up = true;
  EXPECT_EQ(link.post("{}"), send_result::delivered);
  EXPECT_EQ(link.post("{}"), send_result::delivered);
  EXPECT_EQ(peer.connections(), 2u);
}

TEST(GatewayClient, OpensANewConnectionWhereTheOldWasQuietForLong) {
  gateway peer;
  gateway_options options;
  options.url = peer.url();
  options.longest_quiet = 0s;
  test_link link{options};
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(link.post("{}"), send_result::delivered);
  EXPECT_EQ(peer.connections(), 3u);
}

TEST(GatewayClient, SaysSoWhenAConnectionInUseIsClosed) {
  silent_listener silent;
  test_link link{silent.url()};
  std::thread peer{[&] {
    const auto fd = silent.take();
    char buffer[512];
    EXPECT_GT(::recv(fd, buffer, sizeof buffer, 0), 0);
    answer_with_200(fd);
    ::close(fd);
  }};
  EXPECT_EQ(link.post("{}"), send_result::delivered);
  peer.join();
  EXPECT_EQ(link.post("{}"), send_result::unreachable) << "closed instead of an answer";
}

TEST(GatewayClient, SeesAConnectionEndWhileNothingIsUnderWay) {
  silent_listener silent;
  test_link link{silent.url()};
  link.begin("{}");
  link.look();
  const auto fd = silent.take();
  answer_with_200(fd);
  EXPECT_EQ(link.end(), send_result::delivered);
  ::close(fd);
  link.look();
  EXPECT_EQ(link.post("{}"), send_result::unreachable) << "not even sent";
}

TEST(GatewayClient, TellsNobodyOnceItIsDestroyed) {
  silent_listener silent;
  test_link link{silent.url()};
  link.begin("{}");
  link.look();
  EXPECT_FALSE(link.abandon());
}

TEST(GatewayClient, IsUnreachableWhereNobodyListens) {
  silent_listener closed;
  closed.close();
  EXPECT_EQ(test_link{closed.url()}.post("{}"), send_result::unreachable);
  EXPECT_EQ(test_link{"https://127.0.0.1"}.post("{}"), send_result::unreachable);
  EXPECT_EQ(test_link{"nonsense"}.post("{}"), send_result::unreachable);
}

TEST(GatewayClient, TimesOutWhereNobodyAnswers) {
  silent_listener silent;
  test_link link{silent.url(), 50ms};
  EXPECT_EQ(link.post("{}"), send_result::timed_out);
  EXPECT_EQ(link.post(std::string(50'000'000, 'x')), send_result::timed_out) << "nor while sending";
}

TEST(GatewayClient, IsUnreachableWhereTheConnectionEndsWithoutAnAnswer) {
  silent_listener silent;
  test_link link{silent.url()};
  std::thread peer{[&] {
    const auto fd = silent.take();
    char buffer[512];
    EXPECT_GT(::recv(fd, buffer, sizeof buffer, 0), 0);
    ::close(fd);
  }};
  EXPECT_EQ(link.post("{}"), send_result::unreachable);
  peer.join();
}

TEST(GatewayClient, TakesAnAnswerThatComesInPieces) {
  silent_listener silent;
  test_link link{silent.url()};
  std::thread peer{[&] {
    const auto fd = silent.take();
    char buffer[512];
    EXPECT_GT(::recv(fd, buffer, sizeof buffer, 0), 0);
    for (const char c : std::string{"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc"})
      EXPECT_EQ(::send(fd, &c, 1, MSG_NOSIGNAL), 1);
    ::close(fd);
  }};
  EXPECT_EQ(link.post("{}"), send_result::gone);
  peer.join();
}

TEST(GatewayClient, RefusesAnAnswerThatIsNotHttp) {
  silent_listener silent;
  test_link link{silent.url()};
  std::thread peer{[&] {
    const auto fd = silent.take();
    const std::string junk(100'000, 'j');
    ::send(fd, junk.data(), junk.size(), MSG_NOSIGNAL);
    ::close(fd);
  }};
  EXPECT_EQ(link.post("{}"), send_result::unreachable);
  peer.join();
}

TEST(GatewayClient, FindsARestartedGatewayOnTheSamePort) {
  auto peer = std::make_unique<gateway>();
  const auto port = peer->port();
  test_link link{peer->url()};
  EXPECT_EQ(link.post("{}"), send_result::delivered);
  peer.reset();
  EXPECT_EQ(link.post("{}"), send_result::unreachable);
  peer = std::make_unique<gateway>(port);
  EXPECT_TRUE(posts_in_the_end(link));
}

} // namespace
} // namespace herald
