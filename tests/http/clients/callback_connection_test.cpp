#include "http/clients/callback_connection.hpp"

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "http/clients/callback_client.hpp"
#include "messages/type_ids.hpp"

namespace herald {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// What a backend does with one connection: one answer per request, raw; none closes it.
using script = std::vector<std::string>;

/// A backend that says what no good server would. Ends by itself after its scripts.
class raw_backend {
public:
  explicit raw_backend(std::vector<script> scripts)
    : acceptor_(io_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}),
      port_(acceptor_.local_endpoint().port()),
      thread_([this, scripts = std::move(scripts)] {
        for (const auto& s : scripts)
          play(s);
      }) {}

  ~raw_backend() { thread_.join(); }

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/";
  }
  [[nodiscard]] int requests() const { return requests_; }

private:
  void play(const script& answers) {
    auto socket = acceptor_.accept();
    const timeval patience{20, 0};
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (const auto& answer : answers) {
      if (!read_request(socket))
        return;
      ++requests_;
      boost::system::error_code ignored;
      asio::write(socket, asio::buffer(answer), ignored);
      if (answer.empty())
        return;
    }
  }

  /// Reads up to the end of the body, which is the end of an object.
  static bool read_request(tcp::socket& socket) {
    std::string got;
    while (!got.ends_with("}}}")) {
      char chunk[4096];
      const auto size = ::recv(socket.native_handle(), chunk, sizeof chunk, 0);
      if (size <= 0)
        return false;
      got.append(chunk, static_cast<std::size_t>(size));
    }
    return true;
  }

  asio::io_context io_;
  tcp::acceptor acceptor_;
  unsigned short port_;
  std::atomic<int> requests_{0};
  std::thread thread_;
};

class CallbackConnection : public ::testing::Test {
protected:
  void use(const std::string& url) {
    callback_client_options options;
    options.url = url;
    auto made = callback_client::make(options, numbers);
    ASSERT_TRUE(made);
    client = std::move(*made);
  }

  backend_answered call() {
    call_backend what;
    what.request = std::make_shared<const std::string>(R"({"url":"/","headers":{}})");
    auto promise = std::make_shared<std::promise<backend_answered>>();
    auto answer = promise->get_future();
    client->call(what, [promise](const backend_answered& a) { promise->set_value(a); });
    if (answer.wait_for(std::chrono::seconds{20}) != std::future_status::ready) {
      ADD_FAILURE() << "no answer";
      return {};
    }
    return answer.get();
  }

  metrics numbers;
  std::shared_ptr<callback_client> client;
};

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

TEST_F(CallbackConnection, CallsAgainWhereAKeptConnectionWasClosedUnderIt) {
  raw_backend server{{{ok, ""}, {ok}}};
  use(server.url());
  EXPECT_EQ(call().why.code, ec::none);
  EXPECT_EQ(call().why.code, ec::none);
  EXPECT_EQ(server.requests(), 3);
  client.reset();
}

TEST_F(CallbackConnection, CallsOnceWhereANewConnectionIsClosed) {
  raw_backend server{{{""}}};
  use(server.url());
  EXPECT_EQ(call().why.code, ec::upstream_unavailable);
  EXPECT_EQ(server.requests(), 1);
  client.reset();
}

TEST_F(CallbackConnection, CallsOnceWhereTheAnswerBreaksOff) {
  raw_backend server{{{ok, "HTTP/1.1 2"}}};
  use(server.url());
  EXPECT_EQ(call().why.code, ec::none);
  EXPECT_EQ(call().why.code, ec::upstream_unavailable);
  EXPECT_EQ(server.requests(), 2);
  client.reset();
}

TEST_F(CallbackConnection, TakesTheStatusOfAnAnswerWhoseBodyBreaksOff) {
  raw_backend server{{{"HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nabc"}}};
  use(server.url());
  EXPECT_EQ(call().status, 403);
  client.reset();
}

TEST_F(CallbackConnection, TakesTheStatusOfAnAnswerWithAHugeBody) {
  raw_backend server{
    {{"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'x')}, {ok}}};
  use(server.url());
  EXPECT_EQ(call().why.code, ec::none);
  EXPECT_EQ(call().why.code, ec::none) << "over a new connection";
  client.reset();
}

TEST_F(CallbackConnection, WaitsForTheAnswerBehindAnInterimOne) {
  raw_backend server{
    {{"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"}}};
  use(server.url());
  EXPECT_EQ(call().status, 401);
  client.reset();
}

TEST_F(CallbackConnection, ReadsAnAnswerThatEndsWithItsConnection) {
  raw_backend server{{{"HTTP/1.0 200 OK\r\n\r\n{}"}, {ok}}};
  use(server.url());
  EXPECT_EQ(call().why.code, ec::none);
  EXPECT_EQ(call().why.code, ec::none);
  client.reset();
}

TEST_F(CallbackConnection, TakesWhatIsNoHttpForUnreachable) {
  raw_backend server{{{"SSH-2.0-OpenSSH_9.2\r\n"}}};
  use(server.url());
  EXPECT_EQ(call().why.code, ec::upstream_unavailable);
  client.reset();
}

} // namespace
} // namespace herald
