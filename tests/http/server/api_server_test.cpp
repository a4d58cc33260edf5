#include "http/server/api_server.hpp"

#include <atomic>
#include <future>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/bare_listener.hpp"
#include "tests/support/raw_client.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;
using testing::raw_client;

constexpr std::size_t large = std::size_t{32} << 20U;
const std::string get_hello = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
const std::string get_health = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
const std::string get_waits = "GET /waits HTTP/1.1\r\nHost: localhost\r\n\r\n";

std::string post(const std::string& fields, const std::string& body = {}) {
  return "POST /echo HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n" + body;
}

class ApiServer : public ::testing::Test {
protected:
  ApiServer() {
    options.port = 0;
    options.max_body_bytes = std::size_t{64} * 1024;
    routes.add("GET", "/hello", {{"name"}}, [this](const api_request& request) {
      ++handled;
      return api_reply{200, "hello " + request.argument("name").value_or(""), "text/plain", {}};
    });
    routes.add("POST", "/echo", no_parameters, [this](const api_request& request) {
      ++handled;
      return api_reply{
        201,
        request.content_type + "|" + request.body,
        "text/plain",
        {{"X-Size", std::to_string(request.body.size())}}};
    });
    routes.add("DELETE", "/things/{id}", no_parameters, [this](const api_request&) {
      ++handled;
      return api_reply{204, {}, {}, {}};
    });
    routes.add("GET", "/throws", no_parameters, [](const api_request&) -> api_reply {
      throw std::runtime_error("boom");
    });
    routes.add("GET", "/health", reserved_route, [](const api_request&) {
      return api_reply{200, "well", "text/plain", {}};
    });
    routes.add("GET", "/large", no_parameters, [this](const api_request&) {
      ++handled;
      return api_reply{200, std::string(large, 'x'), "text/plain", {}};
    });
    routes.add("GET", "/starves", no_parameters, [](const api_request&) -> api_reply {
      throw std::bad_alloc{};
    });
    routes.add("GET", "/waits", no_parameters, [this](const api_request&) {
      ++handled;
      gate.wait();
      return api_reply{200, "late", "text/plain", {}};
    });
  }

  void start() {
    server.emplace(options, routes, numbers);
    server->start();
  }

  raw_client connect() { return raw_client{server->port()}; }

  raw_client::reply exchange(raw_client& client, const std::string& text) {
    EXPECT_TRUE(client.send(text));
    return client.read_reply();
  }

  /// Expects that a text is refused, as a problem, and that nothing after it is listened to.
  void expect_refusal(const std::string& text, int status) {
    const int before = handled;
    auto client = connect();
    client.send(text);
    const auto reply = client.read_reply();
    EXPECT_EQ(reply.status, status) << text.substr(0, 200);
    EXPECT_NE(reply.head.find("http/1.1 " + std::to_string(status) + " "), std::string::npos);
    EXPECT_EQ(reply.head.find(" \r\n"), std::string::npos) << "no reason: " << reply.head;
    EXPECT_TRUE(reply.has("date: ")) << reply.head;
    EXPECT_TRUE(reply.has("connection: close")) << reply.head;
    EXPECT_TRUE(reply.has("content-type: application/problem+json")) << reply.head;
    EXPECT_NE(reply.body.find("\"status\":" + std::to_string(status)), std::string::npos);
    EXPECT_TRUE(client.is_closed()) << text.substr(0, 200);
    EXPECT_EQ(handled, before);
  }

  template <class Condition>
  bool comes_true(Condition condition) {
    for (int i = 0; i < 2000 && !condition(); ++i)
      std::this_thread::sleep_for(5ms);
    return condition();
  }

  bool shows(const std::string& line) {
    return numbers.render().find("\n" + line + "\n") != std::string::npos;
  }

  api_options options;
  router routes;
  metrics numbers;
  std::promise<void> opener;
  std::shared_future<void> gate = opener.get_future().share();
  std::atomic<int> handled{0};
  std::optional<api_server> server;
};

TEST_F(ApiServer, ShowsEachReasonToRefuseBeforeItHasArisen) {
  start();
  for (const std::string reason :
       {"origin", "host", "overloaded", "malformed_request", "request_timed_out", "target_too_long",
        "head_too_large", "body_too_large", "unsupported_encoding", "unsupported_expectation",
        "unsupported_coding", "unsupported_version"})
    EXPECT_TRUE(shows("herald_api_rejected_total{reason=\"" + reason + "\"} 0")) << reason;
}

TEST_F(ApiServer, AnswersManyRequestsOnOneConnection) {
  start();
  auto client = connect();
  for (int i = 0; i < 50; ++i) {
    const auto reply =
      exchange(client, "GET /hello?name=a%20b HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "hello a b");
    EXPECT_TRUE(reply.has("content-type: text/plain"));
    EXPECT_TRUE(reply.has("date: "));
  }
  EXPECT_FALSE(client.is_closed_now());
}

TEST_F(ApiServer, SaysThatMemoryIsOutAndEndsTheConnection) {
  start();
  auto client = connect();
  const auto reply = exchange(client, "GET /starves HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(reply.status, 503);
  EXPECT_TRUE(reply.has("retry-after: 1")) << reply.head;
  EXPECT_NE(reply.body.find("Out of memory"), std::string::npos) << reply.body;
  EXPECT_TRUE(client.is_closed());
  EXPECT_TRUE(shows("herald_api_rejected_total{reason=\"out_of_memory\"} 1"));
  auto next = connect();
  EXPECT_EQ(exchange(next, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
}

TEST_F(ApiServer, AnswersPipelinedRequestsInOrder) {
  start();
  auto client = connect();
  client.send(
    post("Content-Length: 1\r\n", "1") + get_hello
    + post("Transfer-Encoding: chunked\r\n", "1\r\n2\r\n0\r\n\r\n") + get_hello);
  EXPECT_EQ(client.read_reply().body, "|1");
  EXPECT_EQ(client.read_reply().body, "hello ");
  EXPECT_EQ(client.read_reply().body, "|2");
  EXPECT_EQ(client.read_reply().body, "hello ");
}

TEST_F(ApiServer, RefusesBodiesThatSayTheyAreNoJson) {
  start();
  auto client = connect();
  for (const std::string type : {"text/plain", "multipart/form-data; boundary=x"}) {
    const auto reply =
      exchange(client, post("Content-Type: " + type + "\r\nContent-Length: 2\r\n", "{}"));
    EXPECT_EQ(reply.status, 415) << type;
    EXPECT_TRUE(reply.has("accept: application/json, application/x-ndjson")) << reply.head;
  }
  EXPECT_EQ(
    exchange(client, post("Content-Type: text/plain\r\nContent-Length: 0\r\n")).status, 201);
  EXPECT_EQ(handled, 1);
}

TEST_F(ApiServer, RefusesPagesAndOtherHostsBeforeTheirRoute) {
  start();
  auto client = connect();
  const std::string hello = "GET /hello HTTP/1.1\r\nHost: ";
  auto reply = exchange(client, hello + "localhost\r\nOrigin: https://a.example\r\n\r\n");
  EXPECT_EQ(reply.status, 403);
  EXPECT_TRUE(reply.has("x-content-type-options: nosniff")) << reply.head;
  EXPECT_EQ(exchange(client, hello + "evil.example\r\n\r\n").status, 421);
  EXPECT_EQ(handled, 0);
  EXPECT_TRUE(shows("herald_api_rejected_total{reason=\"origin\"} 1"));
  EXPECT_TRUE(shows("herald_api_rejected_total{reason=\"host\"} 1"));
  EXPECT_TRUE(shows("herald_api_exposed 0"));
}

TEST_F(ApiServer, HandsBodiesOverAsTheyAre) {
  start();
  auto client = connect();
  const std::string bytes("a=b&c=%zz\0\r\n\xff", 13);
  for (const std::string type :
       {"application/x-www-form-urlencoded", "application/json; charset=utf-8",
        "application/x-ndjson", "application/cloudevents+json"}) {
    const auto reply = exchange(
      client,
      post(
        "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(bytes.size()) + "\r\n",
        bytes));
    EXPECT_EQ(reply.status, 201);
    EXPECT_EQ(reply.body, type.substr(0, type.find(';')) + "|" + bytes);
    EXPECT_TRUE(reply.has("x-size: 13"));
  }
  const std::string large(std::size_t{64} * 1024, 'x');
  EXPECT_EQ(
    exchange(client, post("Content-Length: " + std::to_string(large.size()) + "\r\n", large)).body,
    "|" + large);
}

TEST_F(ApiServer, ReadsTheBodiesOfRequestsThatNeedNone) {
  start();
  auto client = connect();
  const std::string smuggled = "GET /hello?name=smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
  client.send(
    "GET /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(smuggled.size())
    + "\r\n\r\n" + smuggled + get_hello);
  EXPECT_EQ(client.read_reply().body, "hello ");
  EXPECT_EQ(client.read_reply().body, "hello ");
  EXPECT_EQ(handled, 2);
}

TEST_F(ApiServer, KnowsNoOtherPaths) {
  start();
  auto client = connect();
  const auto reply = exchange(client, "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(reply.status, 404);
  EXPECT_TRUE(reply.has("content-type: application/problem+json"));
  EXPECT_EQ(exchange(client, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 204);
  EXPECT_EQ(
    exchange(client, "GET http://localhost/hello HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
}

TEST_F(ApiServer, RefusesBrokenEscapes) {
  start();
  auto client = connect();
  for (const auto* target :
       {"/things/%zz", "/things/a%2", "/things/%", "/nothing/%zz", "/hello?name=%zz", "/hello?%"}) {
    const auto reply =
      exchange(client, std::string("GET ") + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(reply.status, 400) << target;
    EXPECT_TRUE(reply.has("content-type: application/problem+json"));
    EXPECT_NE(reply.body.find("two hexadecimal digits"), std::string::npos) << reply.body;
  }
  EXPECT_EQ(handled, 0);
}

TEST_F(ApiServer, OverlooksLineEndsBeforeARequest) {
  start();
  auto client = connect();
  client.send("\r\n" + post("Content-Length: 1\r\n", "1") + "\r\n\r\n" + get_hello);
  EXPECT_EQ(client.read_reply().body, "|1");
  EXPECT_EQ(client.read_reply().body, "hello ");
}

TEST_F(ApiServer, NamesTheMethodsOfAPath) {
  start();
  auto client = connect();
  auto reply = exchange(client, "PUT /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(reply.status, 405);
  EXPECT_TRUE(reply.has("allow: get, head, options\r\n")) << reply.head;
  EXPECT_TRUE(reply.has("content-type: application/problem+json"));
  reply = exchange(client, "OPTIONS /things/1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(reply.status, 204);
  EXPECT_TRUE(reply.has("allow: delete, options\r\n")) << reply.head;
  EXPECT_FALSE(reply.has("content-length"));
  EXPECT_EQ(exchange(client, get_hello).status, 200) << "the connection goes on";
  reply = exchange(client, "BREW /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(reply.status, 405);
  EXPECT_TRUE(reply.has("allow: get, head, options\r\n")) << reply.head;
}

TEST_F(ApiServer, AnswersHeadLikeGetWithoutTheBody) {
  start();
  auto client = connect();
  client.send("HEAD /hello?name=x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto reply = client.read_reply(true);
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.has("content-length: 7\r\n")) << reply.head;
  EXPECT_FALSE(reply.has("accept-ranges")) << "it cuts no answers";
  EXPECT_EQ(exchange(client, get_hello).body, "hello ");
}

TEST_F(ApiServer, AnswersWithoutContent) {
  start();
  auto client = connect();
  const auto reply = exchange(client, "DELETE /things/1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(reply.status, 204);
  EXPECT_FALSE(reply.has("content-length"));
  EXPECT_FALSE(reply.has("content-type"));
}

TEST_F(ApiServer, NeitherCutsNorCompressesAnswers) {
  start();
  auto client = connect();
  for (const std::string field :
       {"Range: bytes=0-1", "Range: nonsense", "Accept-Encoding: gzip, br", "Upgrade: h2c"}) {
    const auto reply =
      exchange(client, "GET /hello HTTP/1.1\r\nHost: localhost\r\n" + field + "\r\n\r\n");
    EXPECT_EQ(reply.status, 200) << field;
    EXPECT_EQ(reply.body, "hello ") << field;
  }
}

TEST_F(ApiServer, SendsContinueWhereItIsWaitedFor) {
  start();
  auto client = connect();
  client.send(post("Content-Length: 2\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.read_reply().status, 100);
  client.send("ok");
  const auto reply = client.read_reply();
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.body, "|ok");
}

TEST_F(ApiServer, AnswersExceptionsAsProblems) {
  start();
  auto client = connect();
  const auto reply = exchange(client, "GET /throws HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body.find("boom"), std::string::npos);
  EXPECT_EQ(exchange(client, get_hello).status, 200);
}

TEST_F(ApiServer, RefusesLargeBodiesBeforeTheyAreSent) {
  start();
  expect_refusal(post("Content-Length: 65537\r\n"), 413);
  expect_refusal(post("Content-Length: 65537\r\nExpect: 100-continue\r\n"), 413);
  expect_refusal(post("Content-Length: 999999999999999\r\n", "abc"), 413);
  expect_refusal(post("Transfer-Encoding: chunked\r\n", "10001\r\n"), 413);
  EXPECT_TRUE(shows("herald_api_rejected_total{reason=\"body_too_large\"} 4"));
}

TEST_F(ApiServer, RefusesAnEndlessChunkedBodyAtTheLimit) {
  start();
  auto client = connect();
  client.send(post("Transfer-Encoding: chunked\r\n"));
  const std::string chunk = "400\r\n" + std::string(0x400, 'x') + "\r\n";
  for (int i = 0; i < 64; ++i)
    ASSERT_TRUE(client.send(chunk));
  EXPECT_FALSE(client.is_closed_now());
  // One byte more than allowed, and the body has not ended.
  client.send("1\r\n");
  const auto reply = client.read_reply();
  EXPECT_EQ(reply.status, 413);
  EXPECT_TRUE(client.is_closed());
  EXPECT_EQ(handled, 0);
}

TEST_F(ApiServer, AnswersClientsThatSendALargeBodyBeforeTheyRead) {
  start();
  auto client = connect();
  client.send(post("Content-Length: 8000000\r\n"));
  EXPECT_TRUE(client.send(std::string(8'000'000, 'x')));
  EXPECT_EQ(client.read_reply().status, 413);
}

TEST_F(ApiServer, RefusesEncodedBodiesUnread) {
  start();
  expect_refusal(post("Content-Encoding: gzip\r\nContent-Length: 1000\r\n"), 415);
  expect_refusal(post("Content-Encoding: br\r\nTransfer-Encoding: chunked\r\n"), 415);
  EXPECT_TRUE(shows("herald_api_rejected_total{reason=\"unsupported_encoding\"} 2"));
}

TEST_F(ApiServer, RefusesRequestsWhoseEndIsInDoubt) {
  start();
  const std::string smuggled = "0\r\n\r\n" + get_hello;
  for (const std::string fields :
       {"Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Content-Length: 5x\r\n",
        "Content-Length: -5\r\n", "Content-Length: 5,5\r\n", "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding : chunked\r\n",
        "X: y\r\n Transfer-Encoding: chunked\r\n", "X: y\nContent-Length: 5\r\n",
        "X: y\rContent-Length: 5\r\n", "Host: two\r\n", "no colon\r\n"})
    expect_refusal(post(fields, smuggled), 400);
  expect_refusal(post("Transfer-Encoding: chunked\r\n", "0x0\r\n\r\n" + get_hello), 400);
  expect_refusal(post("Transfer-Encoding: chunked\r\n", "1\r\nxx\r\n0\r\n\r\n" + get_hello), 400);
  expect_refusal("GET /hello HTTP/1.1\n\n" + get_hello, 400);
  expect_refusal("GET /hello\r\n\r\n" + get_hello, 400);
  expect_refusal("GET hello HTTP/1.1\r\nHost: localhost\r\n\r\n", 400);
  expect_refusal("\x16\x03\x01\x02\r\n\r\n", 400);
}

TEST_F(ApiServer, TellsWhatHttpHasButItHasNot) {
  start();
  const std::string smuggled = "0\r\n\r\n" + get_hello;
  expect_refusal(post("Transfer-Encoding: gzip, chunked\r\n", smuggled), 501);
  expect_refusal(post("Expect: the-best\r\n"), 417);
  expect_refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
}

TEST_F(ApiServer, AnswersHeadWithoutABodyWhereItRefusesOne) {
  start();
  auto client = connect();
  client.send("HEAD /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\n");
  const auto reply = client.read_reply(true);
  EXPECT_EQ(reply.status, 413);
  EXPECT_FALSE(reply.has("content-length: 0"));
  EXPECT_TRUE(client.is_closed()) << "a body follows";
}

TEST_F(ApiServer, BoundsTheHead) {
  start();
  std::string fields;
  for (int i = 0; i < 101; ++i)
    fields += "X-" + std::to_string(i) + ": 1\r\n";
  expect_refusal("GET /hello HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n", 431);
  expect_refusal("GET /hello HTTP/1.1\r\nX: " + std::string(9000, 'a') + "\r\n\r\n", 431);
  expect_refusal("GET /hello HTTP/1.1\r\nX: " + std::string(40'000, 'a'), 431);
  expect_refusal("GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414);
  expect_refusal("GET /" + std::string(40'000, 'a'), 414);
  EXPECT_TRUE(shows("herald_api_rejected_total{reason=\"head_too_large\"} 3"));
  EXPECT_TRUE(shows("herald_api_rejected_total{reason=\"target_too_long\"} 2"));
}

TEST_F(ApiServer, TellsClientsThatStallAndEndsTheirConnections) {
  options.head_timeout = 50ms;
  options.body_timeout = 50ms;
  start();
  expect_refusal("GET /he", 408);
  expect_refusal("GET /hello HTTP/1.1\r\nHost: localhost\r\n", 408);
  expect_refusal(post("Content-Length: 10\r\n", "abc"), 408);
  expect_refusal(post("Transfer-Encoding: chunked\r\n", "5\r\nab"), 408);
  auto next = connect();
  EXPECT_EQ(exchange(next, get_hello).status, 200);
  next.send("G");
  EXPECT_EQ(next.read_reply().status, 408) << "not the first request of its connection";
  EXPECT_TRUE(shows("herald_api_rejected_total{reason=\"request_timed_out\"} 5"));
}

TEST_F(ApiServer, SaysNothingToClientsThatHaveSaidNothing) {
  options.head_timeout = 50ms;
  options.keep_alive_timeout = 1s;
  start();
  auto silent = connect();
  auto empty = connect();
  empty.send("\r\n");
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(empty.is_closed());
}

TEST_F(ApiServer, EndsTheConnectionWhereTheClientSaysSo) {
  start();
  auto client = connect();
  auto reply =
    exchange(client, "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.has("connection: close"));
  EXPECT_TRUE(client.is_closed());
  auto old = connect();
  EXPECT_EQ(exchange(old, "GET /hello HTTP/1.0\r\n\r\n").body, "hello ");
  EXPECT_TRUE(old.is_closed());
}

TEST_F(ApiServer, LimitsRequestsPerConnectionAndIdleTime) {
  options.keep_alive_requests = 2;
  options.keep_alive_timeout = 1s;
  start();
  auto client = connect();
  EXPECT_FALSE(exchange(client, get_hello).has("connection: close"));
  EXPECT_TRUE(exchange(client, get_hello).has("connection: close"));
  EXPECT_TRUE(client.is_closed());
  auto idle = connect();
  EXPECT_TRUE(idle.is_closed());
}

TEST_F(ApiServer, KeepsFiveHundredConnectionsWithoutStarvingAny) {
  start();
  std::vector<raw_client> clients;
  clients.reserve(500);
  for (int i = 0; i < 500; ++i)
    clients.push_back(connect());
  for (int round = 0; round < 3; ++round) {
    for (auto& client : clients)
      ASSERT_TRUE(client.send(get_hello));
    for (auto& client : clients)
      ASSERT_EQ(client.read_reply().status, 200);
  }
  EXPECT_TRUE(shows("herald_api_connections_open 500"));
  EXPECT_TRUE(shows("herald_api_connection_waits_total 0"));
  clients.clear();
  EXPECT_TRUE(comes_true([&] { return shows("herald_api_connections_open 0"); }));
}

TEST_F(ApiServer, MakesIdleConnectionsEndWhereOthersWait) {
  options.max_connections = 4;
  start();
  std::vector<raw_client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(connect());
    ASSERT_EQ(exchange(clients.back(), get_hello).status, 200) << i;
  }
  EXPECT_FALSE(shows("herald_api_connection_waits_total 0"));
}

TEST_F(ApiServer, RefusesRequestsBeyondItsConnections) {
  options.max_connections = 1;
  options.max_waiting_connections = 1;
  // Twice what it takes: where more is used, who has not sent its request yet has to go at once.
  options.reserved_connections = 4;
  start();
  auto busy = connect();
  busy.send(get_waits);
  ASSERT_TRUE(comes_true([&] { return handled == 1; }));
  auto waiting = connect();
  waiting.send(get_hello);
  ASSERT_TRUE(comes_true([&] { return shows("herald_api_connection_waits_total 1"); }));
  auto refused = connect();
  auto reply = exchange(refused, get_hello);
  EXPECT_EQ(reply.status, 503);
  EXPECT_TRUE(reply.has("retry-after: 1"));
  EXPECT_TRUE(refused.is_closed());
  EXPECT_TRUE(shows("herald_api_rejected_total{reason=\"overloaded\"} 1"));
  opener.set_value();
  EXPECT_EQ(busy.read_reply().body, "late");
  EXPECT_EQ(waiting.read_reply().status, 200);
}

TEST_F(ApiServer, RefusesConnectionsBeyondTheReserveUnasked) {
  options.max_connections = 1;
  options.max_waiting_connections = 0;
  options.reserved_connections = 0;
  start();
  auto busy = connect();
  busy.send(get_waits);
  ASSERT_TRUE(comes_true([&] { return handled == 1; }));
  auto refused = connect();
  EXPECT_EQ(refused.read_reply().status, 503);
  EXPECT_TRUE(refused.is_closed());
  opener.set_value();
}

TEST_F(ApiServer, AnswersReservedRoutesWhateverElseGoesOn) {
  options.max_connections = 1;
  options.max_waiting_connections = 1;
  options.reserved_connections = 4;
  start();
  auto busy = connect();
  busy.send(get_waits);
  ASSERT_TRUE(comes_true([&] { return handled == 1; }));
  auto waiting = connect();
  waiting.send(get_hello);
  ASSERT_TRUE(comes_true([&] { return shows("herald_api_connection_waits_total 1"); }));
  for (int i = 0; i < 10; ++i) {
    auto probe = connect();
    EXPECT_EQ(exchange(probe, get_health).body, "well");
  }
  opener.set_value();
  EXPECT_EQ(waiting.read_reply().status, 200);
}

TEST_F(ApiServer, KeepsNoThreadForThoseThatSendOrReadSlowly) {
  options.max_connections = 1;
  start();
  std::vector<raw_client> slow;
  for (const auto& text :
       {std::string{"GET /hel"}, post("Content-Length: 100\r\n", "{"),
        post("Transfer-Encoding: chunked\r\n", "5\r\nab"), std::string{}}) {
    slow.push_back(connect());
    slow.back().send(text);
  }
  // Its answer is larger than what the kernel keeps for it.
  slow.push_back(connect());
  slow.back().send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(comes_true([&] { return handled == 1; }));
  for (int i = 0; i < 10; ++i) {
    auto other = connect();
    EXPECT_EQ(exchange(other, get_hello).status, 200) << i;
  }
  slow.front().send("lo HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(slow.front().read_reply().status, 200) << "it goes on";
  slow[1].send(std::string(99, 'x'));
  EXPECT_EQ(slow[1].read_reply().body, "|{" + std::string(99, 'x'));
  EXPECT_EQ(slow.back().read_reply().body.size(), large);
}

TEST_F(ApiServer, ClosesNoConnectionUnanswered) {
  options.max_connections = 2;
  start();
  // As many keep their connections busy as there are threads, and more; others come anew.
  std::atomic<bool> over{false};
  std::atomic<int> lost{0};
  std::vector<std::thread> busy;
  for (int i = 0; i < 4; ++i)
    busy.emplace_back([&] {
      while (!over) {
        auto client = connect();
        bool ends = false;
        while (!over && !ends) {
          client.send(get_hello);
          const auto reply = client.read_reply();
          lost += reply.status == 200 ? 0 : 1;
          ends = reply.status != 200 || reply.has("connection: close");
        }
      }
    });
  for (int i = 0; i < 200; ++i) {
    auto fresh = connect();
    if (i % 2 == 0)
      comes_true([&] { return handled % 7 == 0; });
    EXPECT_EQ(exchange(fresh, get_hello).status, 200) << i;
  }
  over = true;
  for (auto& thread : busy)
    thread.join();
  EXPECT_EQ(lost, 0);
}

TEST_F(ApiServer, CrowdsOutTheSlowestWhereConnectionsAreShort) {
  options.max_connections = 2;
  options.max_waiting_connections = 6;
  options.reserved_connections = 2;
  options.min_rate_bytes = 1'000'000;
  start();
  std::vector<raw_client> slow;
  for (int i = 0; i < 8; ++i) {
    slow.push_back(connect());
    slow.back().send("GET /hel");
  }
  ASSERT_TRUE(comes_true([&] { return shows("herald_api_connections_open 8"); }));
  EXPECT_TRUE(shows("herald_api_rejected_total{reason=\"crowded_out\"} 0")) << "there is room";
  auto other = connect();
  ASSERT_TRUE(
    comes_true([&] { return shows("herald_api_rejected_total{reason=\"crowded_out\"} 1"); }));
  EXPECT_EQ(slow[0].read_reply().status, 408) << "the oldest is the furthest behind";
  EXPECT_TRUE(slow[0].is_closed());
  const auto reply = exchange(other, get_hello);
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.has("connection: close")) << "others may want its place";
  EXPECT_FALSE(slow[1].is_closed_now());
  EXPECT_FALSE(slow.back().is_closed_now());
}

TEST_F(ApiServer, RefusesTheSlowestWhereRequestsHaveTooManyBytes) {
  options.max_request_bytes = 100'000;
  start();
  std::vector<raw_client> slow;
  for (int i = 0; i < 4; ++i) {
    slow.push_back(connect());
    slow.back().send(post("Content-Length: 60000\r\n", std::string(30'000, 'x')));
  }
  ASSERT_TRUE(
    comes_true([&] { return shows("herald_api_rejected_total{reason=\"bytes_exceeded\"} 1"); }));
  EXPECT_EQ(slow.front().read_reply().status, 503);
  auto other = connect();
  EXPECT_EQ(exchange(other, post("Content-Length: 1\r\n", "1")).body, "|1");
  slow.back().send(std::string(30'000, 'x'));
  EXPECT_EQ(slow.back().read_reply().status, 201) << "the others go on";
}

TEST_F(ApiServer, LeavesSmallRequestsAloneWhereRequestsHaveTooManyBytes) {
  options.max_request_bytes = 100'000;
  start();
  // Further behind than any other.
  auto small = connect();
  small.send(post("Content-Length: 4\r\n", "sm"));
  ASSERT_TRUE(comes_true([&] { return !shows("herald_api_request_bytes 0"); }));
  std::vector<raw_client> slow;
  for (int i = 0; i < 4; ++i) {
    slow.push_back(connect());
    slow.back().send(post("Content-Length: 60000\r\n", std::string(30'000, 'x')));
  }
  ASSERT_TRUE(
    comes_true([&] { return shows("herald_api_rejected_total{reason=\"bytes_exceeded\"} 1"); }));
  small.send("all");
  EXPECT_EQ(small.read_reply().status, 201);
}

TEST_F(ApiServer, GivesOneAddressNoMoreConnectionsThanItMayHave) {
  options.max_connections_per_address = 2;
  start();
  auto one = connect();
  auto two = connect();
  EXPECT_EQ(exchange(one, get_hello).status, 200);
  EXPECT_EQ(exchange(two, get_hello).status, 200);
  auto three = connect();
  EXPECT_EQ(three.read_reply().status, 503);
}

TEST_F(ApiServer, GivesAProxyAsManyConnectionsAsItWants) {
  options.max_connections_per_address = 1;
  options.is_proxy = [](int fd) {
    return fd >= 0;
  };
  start();
  auto one = connect();
  auto two = connect();
  EXPECT_EQ(exchange(one, get_hello).status, 200);
  EXPECT_EQ(exchange(two, get_hello).status, 200);
}

TEST_F(ApiServer, TakesAStormOfConnectionsBeforeItServes) {
  server.emplace(options, routes, numbers);
  std::vector<raw_client> clients;
  for (int i = 0; i < 300; ++i) {
    clients.push_back(connect());
    ASSERT_TRUE(clients.back().connected());
    clients.back().send(get_hello);
  }
  server->start();
  for (auto& client : clients)
    EXPECT_EQ(client.read_reply().status, 200);
}

TEST_F(ApiServer, RefusesAPortThatIsTaken) {
  start();
  options.port = server->port();
  try {
    api_server second{options, routes, numbers};
    FAIL() << "two servers share a port";
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::address_in_use);
    EXPECT_NE(
      std::string(e.what()).find("127.0.0.1:" + std::to_string(options.port)), std::string::npos);
  }
}

TEST_F(ApiServer, NamesTheSettingsWhereItCannotListen) {
  const auto why = [this] {
    try {
      api_server server{options, routes, numbers};
    } catch (const std::runtime_error& e) {
      return std::string{e.what()};
    }
    return std::string{"it listens"};
  };
  options.host = "no.such.host.invalid";
  EXPECT_EQ(why().find("api.host: no.such.host.invalid cannot be resolved: "), 0u) << why();
  // Nobody's: for documentation.
  options.host = "192.0.2.1";
  EXPECT_EQ(why().find("api.host, api.port: cannot listen on 192.0.2.1:0: "), 0u) << why();
}

TEST_F(ApiServer, GivesItsPortBack) {
  start();
  options.port = server->port();
  auto client = connect();
  EXPECT_EQ(exchange(client, get_hello).status, 200);
  server.reset();
  EXPECT_TRUE(client.is_closed());
  start();
  auto next = connect();
  EXPECT_EQ(exchange(next, get_hello).status, 200);
}

/// A server with a side door, for POST /echo alone.
class ApiSideDoor : public ApiServer {
protected:
  ApiSideDoor() {
    few.add("POST", "/echo", no_parameters, [](const api_request& request) {
      return api_reply{200, request.body, "text/plain", {}};
    });
  }

  void start(std::vector<std::string> hosts = {}) {
    api_side_door door;
    door.routes = &few;
    door.hosts = std::move(hosts);
    door.hosts_setting = "stream.hosts";
    door.keep_alive_timeout = 7s;
    door.takes = [](const request_head& head) {
      return head.method == "POST";
    };
    door.give_back = [this](int, std::string_view read) {
      returned.push_back(std::string{read});
      return room;
    };
    server.emplace(options, routes, numbers, std::move(door));
    server->start();
  }

  /// A connection that somebody has read this off.
  raw_client hand_over(const std::string& read) {
    raw_client client{elsewhere.port()};
    server->take_over(elsewhere.take(), read);
    return client;
  }

  testing::bare_listener elsewhere;
  router few;
  bool room = true;
  /// By the thread of the one connection, before it ends.
  std::vector<std::string> returned;
};

TEST_F(ApiSideDoor, AnswersWhatWasReadAndWhatFollows) {
  start();
  auto client = hand_over(post("Content-Length: 2\r\n", "a"));
  client.send("b");
  EXPECT_EQ(client.read_reply().body, "ab");
  EXPECT_EQ(exchange(client, post("Content-Length: 1\r\n", "c")).body, "c");
}

TEST_F(ApiSideDoor, TellsItsOwnTimeToBeIdle) {
  start();
  auto client = hand_over(post("Content-Length: 1\r\n", "a"));
  EXPECT_TRUE(client.read_reply().header("keep-alive").starts_with("timeout=7,"));
  auto other = connect();
  EXPECT_TRUE(exchange(other, get_hello).header("keep-alive").starts_with("timeout=30,"));
}

TEST_F(ApiSideDoor, LeadsNowhereButToItsOwnRoutes) {
  start();
  auto client = hand_over("POST /hello HTTP/1.1\r\nHost: any\r\n\r\n");
  EXPECT_EQ(client.read_reply().status, 404);
}

TEST_F(ApiSideDoor, GivesAConnectionBackWhoseNextRequestIsNotForThere) {
  start();
  auto client = hand_over(post("Content-Length: 1\r\n", "a") + get_hello + "GET /next");
  EXPECT_EQ(client.read_reply().body, "a");
  EXPECT_TRUE(client.is_closed()) << "nobody has kept a copy";
  server->stop();
  EXPECT_EQ(returned, std::vector<std::string>{get_hello + "GET /next"});
  EXPECT_EQ(handled, 0);
}

TEST_F(ApiSideDoor, SaysSoWhereItCannotGiveAConnectionBack) {
  room = false;
  start();
  auto client = hand_over(get_hello);
  EXPECT_EQ(client.read_reply().status, 503);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ApiSideDoor, HasHostsOfItsOwnAndTheOriginsOfTheApi) {
  start({"page.example"});
  const auto asking = [](const std::string& headers) {
    return "POST /echo HTTP/1.1\r\n" + headers + "Content-Length: 0\r\n\r\n";
  };
  auto client = hand_over(asking("Host: page.example\r\n"));
  EXPECT_EQ(client.read_reply().status, 200);
  const auto refused = exchange(client, asking("Host: other.example\r\n"));
  EXPECT_EQ(refused.status, 421);
  EXPECT_NE(refused.body.find("stream.hosts"), std::string::npos) << refused.body;
  EXPECT_EQ(exchange(client, asking("Host: page.example\r\nOrigin: http://a\r\n")).status, 403);
}

TEST_F(ApiServer, CanBeStoppedBeforeItIsStartedAndTwice) {
  server.emplace(options, routes, numbers);
  EXPECT_TRUE(connect().connected()) << "it is bound";
  server->stop();
  EXPECT_FALSE(connect().connected());
  server->stop();
  server.reset();
  for (int i = 0; i < 20; ++i) {
    start();
    auto client = connect();
    EXPECT_EQ(exchange(client, get_hello).status, 200);
    server->stop();
    EXPECT_TRUE(client.is_closed());
    EXPECT_FALSE(connect().connected());
    server->stop();
  }
}

TEST_F(ApiServer, FinishesRequestsUnderWayWhenItStops) {
  start();
  auto idle = connect();
  EXPECT_EQ(exchange(idle, get_hello).status, 200);
  auto busy = connect();
  busy.send("GET /waits HTTP/1.1\r\nHost: localhost\r\n\r\n");
  auto half = connect();
  half.send("GET /hel");
  ASSERT_TRUE(comes_true([&] { return handled == 2 && shows("herald_api_connections_open 3"); }));
  std::thread stopper{[&] {
    server->stop();
  }};
  EXPECT_TRUE(idle.is_closed());
  EXPECT_FALSE(busy.is_closed_now());
  half.send("lo HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(half.read_reply().status, 200);
  opener.set_value();
  const auto reply = busy.read_reply();
  EXPECT_EQ(reply.body, "late");
  EXPECT_TRUE(reply.has("connection: close"));
  stopper.join();
  EXPECT_FALSE(connect().connected());
}

TEST_F(ApiServer, CountsRequestsByRouteMethodAndStatus) {
  start();
  auto client = connect();
  exchange(client, get_hello);
  exchange(client, get_hello);
  exchange(client, "DELETE /things/1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  exchange(client, "DELETE /things/2 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  exchange(client, "GET /nothing/here HTTP/1.1\r\nHost: localhost\r\n\r\n");
  exchange(client, "PUT /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  exchange(client, "BREW /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (const auto* line :
       {"{method=\"GET\",route=\"/hello\",status=\"200\"} 2",
        "{method=\"DELETE\",route=\"/things/{id}\",status=\"204\"} 2",
        "{method=\"GET\",route=\"unmatched\",status=\"404\"} 1",
        "{method=\"PUT\",route=\"unmatched\",status=\"405\"} 1",
        "{method=\"other\",route=\"unmatched\",status=\"405\"} 1"})
    EXPECT_TRUE(shows(std::string("herald_api_requests_total") + line)) << line;
  EXPECT_TRUE(shows("herald_api_request_duration_seconds_count{route=\"/hello\"} 2"));
}

} // namespace
} // namespace herald
