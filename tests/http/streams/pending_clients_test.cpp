#include "http/streams/pending_clients.hpp"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include "http/protocol/problem.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kind = 7;
constexpr std::string_view head = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

class PendingClients : public ::testing::Test, protected request_sink {
protected:
  ~PendingClients() override {
    for (const auto fd : browsers)
      ::close(fd);
    for (const auto fd : streams)
      ::close(fd);
  }

  /// A client that has been accepted; gives the browser's end.
  int connect(
    std::size_t room = 100, std::string_view said = {}, std::string_view read = {},
    bool proxied = false) {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
    if (!said.empty())
      send(pair[1], said);
    clients.add(pair[0], room, now, read, proxied);
    browsers.push_back(pair[1]);
    return pair[1];
  }

  static void send(int browser, std::string_view bytes) {
    EXPECT_EQ(::write(browser, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

  void turn() {
    for (const auto& event : sockets.take()) {
      ASSERT_EQ(event.tag.kind, kind);
      clients.on_event(event, now);
    }
  }

  /// What the browser has got; "!" behind it if its stream has ended.
  static std::string received(int browser) {
    std::string all;
    std::array<char, 4096> bytes{};
    for (;;) {
      const auto count = ::read(browser, bytes.data(), bytes.size());
      if (count == 0)
        return all + "!";
      if (count < 0)
        return all;
      all.append(bytes.data(), static_cast<std::size_t>(count));
    }
  }

  /// Status and detail of the problem document that the browser has got.
  static std::string problem_in(int browser) {
    const auto answer = received(browser);
    const auto body = answer.substr(answer.find('{'), answer.rfind('}') + 1 - answer.find('{'));
    const auto document = nlohmann::json::parse(body);
    const auto status = std::to_string(document["status"].get<int>());
    EXPECT_EQ(answer.find("HTTP/1.1 " + status + " "), 0u) << answer;
    EXPECT_NE(answer.find("\r\nContent-Type: application/problem+json\r\n"), std::string::npos);
    EXPECT_FALSE(document["title"].get<std::string>().empty());
    return status + " " + document["detail"].get<std::string>();
  }

  std::optional<api_reply>
  on_request(const client_socket& from, const request_head& request) override {
    targets.push_back(request.target);
    named.push_back(from.named ? from.named->to_string() : "");
    behind.emplace_back(from.behind_head);
    if (!refusal) {
      streams.push_back(from.fd);
      watched.push_back(from.watched);
    }
    return refusal;
  }
  header_list on_refusal(ec why) override {
    failures.push_back(why);
    return {{"X-Beside", "it"}};
  }

  pending_clients::time_point now{};
  socket_set sockets;
  pending_clients clients{{1024, 10s}, sockets, kind, *this};
  std::optional<api_reply> refusal;
  std::vector<int> browsers;
  std::vector<int> streams;
  std::vector<bool> watched;
  std::vector<std::string> targets;
  std::vector<std::string> behind;
  std::vector<std::string> named;
  std::vector<ec> failures;
};

TEST_F(PendingClients, HandTheDescriptorOverWithTheRequest) {
  const auto browser = connect();
  turn();
  EXPECT_EQ(clients.size(), 1u);
  send(browser, head.substr(0, 10));
  turn();
  EXPECT_TRUE(targets.empty());
  send(browser, head.substr(10));
  turn();
  EXPECT_EQ(targets, std::vector<std::string>{"/a"});
  ASSERT_EQ(streams.size(), 1u);
  EXPECT_EQ(clients.size(), 0u);
  EXPECT_TRUE(watched.at(0));
  now += 1h;
  clients.expire(now);
  EXPECT_EQ(received(browser), "") << "it is a stream now";
}

TEST_F(PendingClients, TakeTheClientFromAProxyHeaderHoweverItIsCut) {
  using namespace std::string_literals;
  const auto header =
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x07\x0a\0\0\x01\x30\x39\0\x50"s;
  const auto all = header + std::string{head};
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    const auto browser = connect(100, all.substr(0, cut), {}, true);
    if (cut < all.size()) {
      send(browser, std::string_view{all}.substr(cut));
      turn();
    }
    ASSERT_EQ(named.size(), cut + 1) << cut;
    EXPECT_EQ(named.back(), "198.51.100.7");
  }
  connect(100, head);
  EXPECT_EQ(named.back(), "") << "from nobody who is trusted";
}

TEST_F(PendingClients, RefuseAProxyWithoutItsHeader) {
  const auto browser = connect(100, head, {}, true);
  EXPECT_EQ(
    problem_in(browser),
    "400 a connection of a trusted proxy begins with a header of the PROXY protocol, version 2 "
    "(stream.proxy_protocol)");
  EXPECT_EQ(failures, std::vector<ec>{ec::malformed_request});
  EXPECT_TRUE(targets.empty());
  connect(100, "\r\n\r\n", {}, true);
  now += 11s;
  clients.expire(now);
  EXPECT_EQ(failures.back(), ec::request_timed_out) << "the header has no more time than the head";
}

TEST_F(PendingClients, LeaveNothingBehindOfASocketThatIsOpenElsewhere) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
  const int elsewhere = ::dup(pair[0]);
  clients.add(pair[0], 100, now);
  ::close(pair[1]);
  turn();
  EXPECT_EQ(clients.size(), 0u);
  connect();
  EXPECT_TRUE(sockets.take().empty()) << "whoever has its place is told nothing";
  ::close(elsewhere);
}

TEST_F(PendingClients, TakeAHeadThatIsThereWhenTheClientIsAccepted) {
  connect(100, head);
  EXPECT_EQ(targets, std::vector<std::string>{"/a"});
  EXPECT_EQ(watched, std::vector<bool>{false});
  EXPECT_EQ(clients.size(), 0u);
  const auto slow = connect(100, head.substr(0, 10));
  EXPECT_EQ(clients.size(), 1u);
  send(slow, head.substr(10));
  turn();
  EXPECT_EQ(watched, (std::vector<bool>{false, true}));
}

TEST_F(PendingClients, TakeAHeadThatOthersHaveRead) {
  const auto browser = connect(100, {}, std::string{head} + "more");
  EXPECT_EQ(targets, std::vector<std::string>{"/a"});
  EXPECT_EQ(behind, std::vector<std::string>{"more"});
  EXPECT_EQ(watched, std::vector<bool>{false});
  EXPECT_EQ(clients.size(), 0u);
  EXPECT_EQ(received(browser), "");
}

TEST_F(PendingClients, ReadOnWhereOthersHaveReadAPartOfAHead) {
  const auto browser = connect(100, {}, head.substr(0, 10));
  EXPECT_TRUE(targets.empty());
  send(browser, head.substr(10));
  turn();
  EXPECT_EQ(targets, std::vector<std::string>{"/a"});
  EXPECT_EQ(watched, std::vector<bool>{true});
}

TEST_F(PendingClients, AnswerAHeadThatIsThereWhenTheClientIsAccepted) {
  refusal = problem({404, "Not found"}, "nothing here");
  const auto browser = connect(100, head);
  EXPECT_EQ(problem_in(browser), "404 nothing here");
  EXPECT_EQ(clients.size(), 1u) << "until it has closed";
  ::shutdown(browser, SHUT_WR);
  turn();
  EXPECT_EQ(clients.size(), 0u);
}

TEST_F(PendingClients, AreAnsweredAndEnd) {
  refusal.emplace();
  refusal->status = 404;
  const auto browser = connect();
  send(browser, head);
  turn();
  EXPECT_EQ(received(browser).substr(0, 13), "HTTP/1.1 404 ");
  // It may still be sending: only its own end, or time, ends it.
  send(browser, "more");
  turn();
  EXPECT_EQ(clients.size(), 1u);
  ::shutdown(browser, SHUT_WR);
  turn();
  EXPECT_EQ(clients.size(), 0u);
}

TEST_F(PendingClients, EndAfterTheirAnswerWhenTheyGoOnSending) {
  refusal.emplace();
  const auto browser = connect();
  send(browser, head);
  turn();
  const std::string flood(16 * 1024, 'x');
  for (int i = 0; i < 20 && clients.size() != 0; ++i) {
    (void)::send(browser, flood.data(), flood.size(), MSG_NOSIGNAL);
    turn();
  }
  EXPECT_EQ(clients.size(), 0u);
}

TEST_F(PendingClients, EndAfterTheirAnswerWhenTheyStay) {
  refusal.emplace();
  const auto browser = connect();
  send(browser, head);
  turn();
  now += 2s;
  clients.expire(now);
  EXPECT_EQ(clients.size(), 0u);
  EXPECT_EQ(received(browser).back(), '!');
}

TEST_F(PendingClients, AreRefusedWhenTheHeadIsBroken) {
  const auto malformed = connect();
  send(malformed, "\x01\r\n\r\n");
  const auto large = connect();
  send(large, "GET / HTTP/1.1\r\nX: " + std::string(2000, 'x'));
  const auto long_line = connect();
  send(long_line, "GET /" + std::string(2000, 'x'));
  const auto other = connect();
  send(other, "GET / HTTP/2.0\r\n\r\n");
  turn();
  EXPECT_EQ(problem_in(malformed), "400 a control character in the head");
  EXPECT_EQ(problem_in(large), "431 the head of a request may have at most 1024 bytes");
  EXPECT_EQ(problem_in(long_line), "414 the request line is too long");
  EXPECT_EQ(problem_in(other), "505 the version is neither HTTP/1.1 nor HTTP/1.0");
  EXPECT_EQ(
    failures,
    (std::vector{
      ec::malformed_request, ec::head_too_large, ec::target_too_long, ec::unsupported_version}));
}

TEST_F(PendingClients, GetNoBodyWithTheRefusalOfAHead) {
  const auto browser = connect();
  send(browser, "HEAD /a HTTP/1.1\r\n\r\n");
  turn();
  const auto answer = received(browser);
  EXPECT_EQ(answer.find("HTTP/1.1 400 "), 0u);
  EXPECT_NE(answer.find("\r\nContent-Length: "), std::string::npos);
  EXPECT_EQ(answer.find('{'), std::string::npos) << answer;
}

TEST_F(PendingClients, HearBesidesWhatTheSinkSays) {
  const auto malformed = connect();
  send(malformed, "\x01\r\n\r\n");
  turn();
  EXPECT_NE(received(malformed).find("\r\nX-Beside: it\r\n"), std::string::npos);
}

TEST_F(PendingClients, AreRefusedWhenTheHeadTakesTooLong) {
  const auto slow = connect();
  now += 5s;
  const auto slower = connect();
  send(slow, "GET ");
  turn();
  now += 5s;
  clients.expire(now);
  EXPECT_EQ(problem_in(slow), "408 the head of a request must be here after 10000 ms");
  EXPECT_EQ(received(slower), "");
  EXPECT_EQ(failures, std::vector{ec::request_timed_out});
}

TEST_F(PendingClients, LeaveWithoutAWord) {
  const auto browser = connect();
  ::shutdown(browser, SHUT_WR);
  turn();
  EXPECT_EQ(clients.size(), 0u);
  EXPECT_TRUE(failures.empty());
}

TEST_F(PendingClients, TakeThePlaceOfOneThatHasLeftAndOfNobodyElse) {
  const auto first = connect();
  const auto second = connect();
  ::shutdown(second, SHUT_WR);
  turn();
  const auto third = connect();
  EXPECT_EQ(clients.size(), 2u);
  send(first, head);
  turn();
  send(third, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
  turn();
  EXPECT_EQ(targets, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(clients.size(), 0u);
}

TEST_F(PendingClients, CrowdTheOldestOut) {
  const auto oldest = connect(2);
  const auto second = connect(2);
  const auto third = connect(2);
  EXPECT_EQ(clients.size(), 2u);
  EXPECT_EQ(problem_in(oldest), "408 too many clients are sending their requests");
  EXPECT_EQ(failures, std::vector{ec::overloaded});
  send(second, head);
  send(third, head);
  turn();
  EXPECT_EQ(streams.size(), 2u);
  EXPECT_EQ(clients.size(), 0u);
}

TEST_F(PendingClients, CrowdThoseOutFirstThatHaveTheirAnswer) {
  refusal.emplace();
  const auto reading = connect(2);
  const auto answered = connect(2);
  send(answered, head);
  turn();
  connect(2);
  EXPECT_EQ(received(answered).back(), '!');
  EXPECT_EQ(received(reading), "");
  EXPECT_TRUE(failures.empty());
}

} // namespace
} // namespace herald
