#include "http/clients/http_connection.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include <gtest/gtest.h>

#include "tests/support/bare_listener.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/scripted_server.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using kind = post_outcome::kind;
using testing::bare_listener;
using testing::patience;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

/// A server whose requests all have the body of `HttpConnection::post`.
class server : public testing::scripted_server {
public:
  explicit server(std::vector<testing::connection_script> scripts)
    : scripted_server("}}", std::move(scripts)) {}
};

class HttpConnection : public ::testing::Test {
protected:
  void use(const std::string& text, clock::duration longest_quiet = 4s) {
    const auto url = parse_http_url(text);
    ASSERT_TRUE(url);
    endpoints.emplace(loop.io(), url->host, url->port);
    connection.emplace(loop, *endpoints, *url, longest_quiet, [this](const post_outcome& how) {
      outcome = how;
      outcome->body = {};
    });
  }

  void begin(clock::duration time = patience) {
    outcome.reset();
    connection->post("{{}}", clock::now() + time);
    EXPECT_FALSE(outcome) << "told from inside of the call";
  }

  /// Lets the loop run until `holds()`; whether it came to that.
  template <class Predicate>
  bool run_until(Predicate holds) {
    const auto until = clock::now() + patience;
    loop.io().restart();
    while (clock::now() < until) {
      if (holds())
        return true;
      loop.io().run_one_for(10ms);
    }
    return false;
  }

  post_outcome end() {
    EXPECT_TRUE(run_until([&] { return outcome.has_value(); }));
    return outcome.value_or(post_outcome{});
  }

  post_outcome post() {
    begin();
    return end();
  }

  static ssize_t bytes_from(const owned_fd& client) {
    std::array<char, 4096> bytes{};
    return ::recv(client.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  }

  static void say(const owned_fd& client, std::string_view bytes) {
    EXPECT_GT(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), 0);
  }

  /// The server's end of the new connection over which the POST under way has come.
  owned_fd asked(const bare_listener& peer) {
    owned_fd client{peer.take()};
    EXPECT_TRUE(run_until([&] { return bytes_from(client) > 0; }));
    return client;
  }

  /// The same, once that POST is answered by hand.
  owned_fd answered(const bare_listener& peer) {
    auto client = asked(peer);
    say(client, ok);
    EXPECT_EQ(end().status, 200u);
    return client;
  }

  socket_loop loop{true};
  std::optional<endpoint_cache> endpoints;
  std::optional<http_connection> connection;
  std::optional<post_outcome> outcome;
};

TEST_F(HttpConnection, CarriesOnePostAfterTheOther) {
  server peer{{{ok, ok, ok}}};
  use(peer.url());
  EXPECT_FALSE(connection->kept());
  EXPECT_EQ(post().status, 200u);
  EXPECT_TRUE(connection->kept());
  EXPECT_EQ(post().status, 200u);
  EXPECT_EQ(post().status, 200u);
  connection.reset();
}

TEST_F(HttpConnection, IsStaleWhereItWasClosedUnderAPostAndOpensAnotherForTheNext) {
  server peer{{{ok, ""}, {ok}}};
  use(peer.url());
  EXPECT_EQ(post().status, 200u);
  EXPECT_EQ(post().what, kind::stale);
  EXPECT_EQ(post().status, 200u);
  EXPECT_EQ(peer.requests(), 3);
  connection.reset();
}

TEST_F(HttpConnection, IsNotStaleWhereItWasNew) {
  server peer{{{""}}};
  use(peer.url());
  EXPECT_EQ(post().what, kind::unreachable);
  connection.reset();
}

TEST_F(HttpConnection, IsUnreachableWhereTheAnswerBreaksOff) {
  server peer{{{ok, "HTTP/1.1 2"}}};
  use(peer.url());
  EXPECT_EQ(post().status, 200u);
  EXPECT_EQ(post().what, kind::unreachable);
  EXPECT_EQ(peer.requests(), 2);
  connection.reset();
}

TEST_F(HttpConnection, TakesTheStatusOfAnAnswerWhoseBodyBreaksOff) {
  server peer{{{"HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nabc"}}};
  use(peer.url());
  EXPECT_EQ(post().status, 403u);
  connection.reset();
}

TEST_F(HttpConnection, TakesTheStatusOfAnAnswerWithAHugeBody) {
  server peer{
    {{"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'x')}, {ok}}};
  use(peer.url());
  EXPECT_EQ(post().status, 200u);
  EXPECT_FALSE(connection->kept());
  EXPECT_EQ(post().status, 200u) << "over a new connection";
  connection.reset();
}

TEST_F(HttpConnection, WaitsForTheAnswerBehindAnInterimOne) {
  server peer{
    {{"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"}}};
  use(peer.url());
  EXPECT_EQ(post().status, 401u);
  connection.reset();
}

TEST_F(HttpConnection, ReadsAnAnswerThatEndsWithIt) {
  server peer{{{"HTTP/1.0 200 OK\r\n\r\n{}"}, {ok}}};
  use(peer.url());
  EXPECT_EQ(post().status, 200u);
  EXPECT_EQ(post().status, 200u);
  connection.reset();
}

TEST_F(HttpConnection, TakesWhatIsNoHttpForUnreachable) {
  server peer{{{"SSH-2.0-OpenSSH_9.2\r\n"}}};
  use(peer.url());
  EXPECT_EQ(post().what, kind::unreachable);
  connection.reset();
}

TEST_F(HttpConnection, SaysWhyItCannotConnect) {
  bare_listener closed;
  closed.close();
  use(closed.url());
  const auto how = post();
  EXPECT_EQ(how.what, kind::unreachable);
  EXPECT_EQ(how.why, "cannot connect");
  EXPECT_EQ(how.error, boost::system::errc::connection_refused);
}

TEST_F(HttpConnection, SeesTheServerHangUpWhileNothingIsUnderWay) {
  server peer{{{ok}, {ok}}};
  use(peer.url());
  EXPECT_EQ(post().status, 200u);
  ASSERT_TRUE(run_until([&] { return !connection->kept(); }));
  EXPECT_TRUE(connection->hung_up_within(patience));
  EXPECT_FALSE(connection->hung_up_within(0s));
  EXPECT_EQ(post().status, 200u) << "over a new connection";
  EXPECT_EQ(peer.requests(), 2);
  connection.reset();
}

TEST_F(HttpConnection, ClosesWhatWasQuietForLong) {
  bare_listener peer;
  use(peer.url(), 50ms);
  begin(100ms);
  const auto client = answered(peer);
  ASSERT_TRUE(run_until([&] { return bytes_from(client) == 0; }));
  EXPECT_FALSE(connection->kept());
  EXPECT_FALSE(connection->hung_up_within(patience)) << "it was not the server";
}

TEST_F(HttpConnection, KeepsADeadlineThatIsSoonerThanThatOfThePostBefore) {
  bare_listener peer;
  use(peer.url());
  begin(1h);
  const auto client = answered(peer);
  EXPECT_TRUE(connection->kept());
  begin(20ms);
  EXPECT_EQ(end().what, kind::timed_out);
  EXPECT_FALSE(connection->kept());
}

TEST_F(HttpConnection, TellsTheStatusAtOnceAndIsFreeWhenTheBodyHasEnded) {
  bare_listener peer;
  use(peer.url());
  std::vector<unsigned> told;
  connection->tell_status([&](unsigned status) { told.push_back(status); }, patience);
  begin();
  const auto client = asked(peer);
  say(client, "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n");
  ASSERT_TRUE(run_until([&] { return !told.empty(); }));
  say(client, "{");
  loop.io().run_for(10ms);
  EXPECT_FALSE(outcome);
  say(client, "}");
  EXPECT_EQ(end().status, 403u);
  EXPECT_EQ(told, std::vector<unsigned>{403}) << "once";
  EXPECT_TRUE(connection->kept());
  begin();
  ASSERT_TRUE(run_until([&] { return bytes_from(client) > 0; })) << "over the same connection";
  say(client, ok);
  EXPECT_EQ(end().status, 200u);
  EXPECT_EQ(told.size(), 1u) << "the body was there with the status";
}

TEST_F(HttpConnection, ClosesWhereTheBodyBehindATellingTakesTooLong) {
  bare_listener peer;
  use(peer.url());
  unsigned told = 0;
  connection->tell_status([&](unsigned status) { told = status; }, 20ms);
  begin(1h);
  const auto client = asked(peer);
  say(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{");
  EXPECT_EQ(end().what, kind::timed_out);
  EXPECT_EQ(told, 200u);
  EXPECT_FALSE(connection->kept());
  ASSERT_TRUE(run_until([&] { return bytes_from(client) == 0; }));
}

TEST_F(HttpConnection, TellsNothingOnceItIsDestroyedWhateverWasUnderWay) {
  const auto destroyed_after = [&](int steps) {
    begin();
    for (int i = 0; i < steps; ++i)
      loop.io().poll_one();
    connection.reset();
    endpoints.reset();
    loop.io().restart();
    loop.io().poll();
    EXPECT_FALSE(outcome) << steps;
  };
  bare_listener peer;
  for (int steps = 0; steps < 5; ++steps) {
    use(peer.url());
    destroyed_after(steps);
    use("http://localhost:" + std::to_string(peer.port()));
    destroyed_after(steps);
  }
}

} // namespace
} // namespace herald
