#include "http/clients/backend_client.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include <sys/socket.h>
#include <sys/time.h>

#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include "actors/system/owned_fd.hpp"
#include "messages/type_ids.hpp"
#include "messages/wire/callback_json.hpp"
#include "tests/support/actor_test.hpp"
#include "tests/support/bare_listener.hpp"
#include "tests/support/metrics_page.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/tls_backend.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

/// How long a test waits for what must come.
constexpr auto patience = 20s;

/// A backend; `answer` runs on one of its threads.
class backend {
public:
  explicit backend(httplib::Server::Handler answer, int port = 0, time_t keep_alive_s = 5) {
    server_.set_tcp_nodelay(true);
    server_.set_keep_alive_timeout(keep_alive_s);
    // It takes no connection before it has them all, which may be seconds under a sanitizer.
    server_.new_task_queue = [this] {
      auto* const pool = new httplib::ThreadPool(300);
      has_threads_.set_value();
      return pool;
    };
    server_.set_keep_alive_max_count(100'000);
    server_.Post("/callback", [this, answer](const httplib::Request& q, httplib::Response& r) {
      {
        const std::lock_guard lock{mutex_};
        bodies_.push_back(q.body);
        secrets_.insert(q.get_param_value("secret"));
        clients_.insert(q.remote_port);
      }
      answer(q, r);
    });
    // Its own backlog of 5 would drop the first connections of a storm.
    int listening = -1;
    server_.set_socket_options([&listening](int socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      listening = socket;
    });
    if (port == 0)
      port_ = server_.bind_to_any_port("127.0.0.1");
    else
      port_ = server_.bind_to_port("127.0.0.1", port) ? port : -1;
    ::listen(listening, 4096);
    thread_ = std::thread{[this] {
      server_.listen_after_bind();
    }};
    EXPECT_EQ(has_threads_.get_future().wait_for(patience), std::future_status::ready);
  }

  ~backend() {
    server_.stop();
    thread_.join();
  }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/callback?secret=s3";
  }

  std::vector<std::string> bodies() {
    const std::lock_guard lock{mutex_};
    return bodies_;
  }
  std::set<std::string> secrets() {
    const std::lock_guard lock{mutex_};
    return secrets_;
  }
  /// How many connections have been used.
  std::size_t clients() {
    const std::lock_guard lock{mutex_};
    return clients_.size();
  }

private:
  std::mutex mutex_;
  std::vector<std::string> bodies_;
  std::set<std::string> secrets_;
  std::set<int> clients_;
  httplib::Server server_;
  std::promise<void> has_threads_;
  int port_ = 0;
  std::thread thread_;
};

/// A door that stays shut until somebody opens it or `waiting` are in front of it.
class gate {
public:
  explicit gate(std::size_t opens_at = SIZE_MAX) : opens_at_(opens_at) {}

  void pass() {
    std::unique_lock lock{mutex_};
    if (++waiting_ >= opens_at_)
      open_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, patience, [&] { return open_; });
  }

  bool wait_for_waiting(std::size_t count) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [&] { return waiting_ >= count; });
  }

  void open() {
    const std::lock_guard lock{mutex_};
    open_ = true;
    changed_.notify_all();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t opens_at_;
  std::size_t waiting_ = 0;
  bool open_ = false;
};

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

void accept(const httplib::Request& /*request*/, httplib::Response& response) {
  response.set_content("{}", "application/json");
}

class BackendClient : public ::testing::Test {
protected:
  void use(const std::string& url, backend_client_options options = {}) {
    options.url = url;
    auto made = backend_client::make(std::move(options), numbers);
    ASSERT_TRUE(made);
    client = std::move(*made);
  }

  void submit(std::uint64_t name, callback_action action = callback_action::connect) {
    call_backend what;
    what.action = action;
    what.stream = token::from_bits(0, name);
    what.request =
      std::make_shared<const std::string>(render_callback_request("/s?request_id=x", {}));
    client->call(
      std::move(what),
      [this](const backend_answered& answer) {
        const std::lock_guard lock{mutex};
        answers.push_back(answer);
        order.push_back("status of " + std::to_string(answer.stream.low()));
        answered.notify_all();
      },
      [this](const connect_answer_read& fact) {
        const std::lock_guard lock{mutex};
        order.push_back("body of " + std::to_string(fact.stream.low()) + ": " + fact.body);
        answered.notify_all();
      });
  }

  bool wait_for_facts(std::size_t count) {
    std::unique_lock lock{mutex};
    return answered.wait_for(lock, patience, [&] { return order.size() >= count; });
  }

  bool wait_for(std::size_t count) {
    std::unique_lock lock{mutex};
    return answered.wait_for(lock, patience, [&] { return answers.size() >= count; });
  }

  /// Calls and waits for the answer.
  backend_answered call(std::uint64_t name) {
    std::size_t before = 0;
    {
      const std::lock_guard lock{mutex};
      before = answers.size();
    }
    submit(name);
    if (!wait_for(before + 1))
      ADD_FAILURE() << "no answer";
    const std::lock_guard lock{mutex};
    return answers.size() > before ? answers.back() : backend_answered{};
  }

  std::size_t count(ec code) {
    const std::lock_guard lock{mutex};
    std::size_t found = 0;
    for (const auto& answer : answers)
      found += answer.why.code == code ? 1 : 0;
    return found;
  }

  metrics numbers;
  std::mutex mutex;
  std::condition_variable answered;
  std::vector<backend_answered> answers;
  /// What was told, in its order.
  std::vector<std::string> order;
  /// Ended by the tests: the server waits for its connections to be closed.
  std::shared_ptr<backend_client> client;
};

TEST_F(BackendClient, PostsTheProtocolsBodyToTheWholeUrl) {
  backend server{accept};
  use(server.url());
  const auto answer = call(7);
  EXPECT_EQ(answer.why.code, ec::none);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.stream, token::from_bits(0, 7));
  EXPECT_EQ(answer.action, callback_action::connect);
  EXPECT_EQ(
    server.bodies(), std::vector<std::string>{
                       R"({"action":"connect","token":"00000000-0000-0000-0000-000000000007",)"
                       R"("request":{"url":"/s?request_id=x","headers":{}}})"});
  EXPECT_EQ(server.secrets(), std::set<std::string>{"s3"});
  client.reset();
}

TEST_F(BackendClient, PassesTheStatusOn) {
  std::atomic<int> status{204};
  backend server{[&](const httplib::Request&, httplib::Response& r) {
    r.status = status;
  }};
  use(server.url());
  EXPECT_EQ(call(1).why.code, ec::none);
  for (const int refused : {301, 400, 401, 403, 500, 503}) {
    status = refused;
    const auto answer = call(2);
    EXPECT_EQ(answer.why.code, ec::upstream_refused);
    EXPECT_EQ(answer.status, refused);
  }
  client.reset();
}

TEST_F(BackendClient, HasManyCallbacksUnderWayAtOnce) {
  // No callback is answered before all have arrived.
  constexpr std::size_t many = 200;
  gate all{many};
  backend server{[&](const httplib::Request& q, httplib::Response& r) {
    all.pass();
    accept(q, r);
  }};
  use(server.url());
  for (std::uint64_t i = 0; i < many; ++i)
    submit(i);
  ASSERT_TRUE(wait_for(many));
  EXPECT_EQ(count(ec::none), many);
  client.reset();
}

TEST_F(BackendClient, KeepsConnectionsAlive) {
  // Its answers are whole: a connection whose body still comes is not free.
  testing::scripted_server server{"}}}", {testing::connection_script(50, ok)}};
  use(server.url());
  for (std::uint64_t i = 0; i < 50; ++i)
    EXPECT_EQ(call(i).why.code, ec::none);
  EXPECT_EQ(server.requests(), 50);
  EXPECT_EQ(testing::metric(numbers, "herald_callback_connections_opened_total"), 1);
  client.reset();
}

TEST_F(BackendClient, QueuesWhatIsMoreThanTheConnectionsAndSendsConnectsFirst) {
  gate shut;
  backend server{[&](const httplib::Request& q, httplib::Response& r) {
    shut.pass();
    accept(q, r);
  }};
  backend_client_options options;
  options.max_in_flight = 1;
  options.max_queued = 2;
  use(server.url(), options);
  submit(1);
  ASSERT_TRUE(shut.wait_for_waiting(1));
  submit(2, callback_action::disconnect);
  submit(3);
  submit(4);
  submit(5); // one too many
  ASSERT_TRUE(wait_for(1));
  EXPECT_EQ(count(ec::overloaded), 1u);
  shut.open();
  ASSERT_TRUE(wait_for(5));
  std::vector<std::uint64_t> order;
  for (const auto& answer : answers)
    order.push_back(answer.stream.low());
  EXPECT_EQ(order, (std::vector<std::uint64_t>{5, 1, 3, 4, 2}));
  EXPECT_EQ(server.bodies().size(), 4u);
  const auto text = numbers.render();
  EXPECT_NE(text.find("herald_callback_dropped_total{action=\"connect\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("herald_callback_in_flight 0\n"), std::string::npos);
  EXPECT_NE(text.find("herald_callback_queued 0\n"), std::string::npos);
  client.reset();
}

TEST_F(BackendClient, GivesUpAfterTheTimeoutAlsoForWhatStillWaits) {
  gate shut;
  backend server{[&](const httplib::Request& q, httplib::Response& r) {
    shut.pass();
    accept(q, r);
  }};
  backend_client_options options;
  options.timeout_ms = 100ms;
  options.max_in_flight = 1;
  use(server.url(), options);
  submit(1);
  submit(2);
  ASSERT_TRUE(wait_for(2));
  EXPECT_EQ(count(ec::upstream_timed_out), 2u);
  shut.open();
  client.reset();
}

TEST_F(BackendClient, CountsWhatHasWaitedForAConnectionTooLongAsDropped) {
  gate shut;
  backend server{[&](const httplib::Request& q, httplib::Response& r) {
    shut.pass();
    accept(q, r);
  }};
  backend_client_options options;
  options.timeout_ms = 1h;
  options.disconnect_queue_time = 1ms;
  options.max_in_flight = 1;
  use(server.url(), options);
  submit(1);
  ASSERT_TRUE(shut.wait_for_waiting(1));
  submit(2, callback_action::disconnect);
  ASSERT_TRUE(wait_for(1));
  EXPECT_EQ(answers[0].stream, token::from_bits(0, 2));
  EXPECT_EQ(testing::metric(numbers, R"(herald_callback_dropped_total{action="disconnect"})"), 1);
  EXPECT_EQ(server.bodies().size(), 1u) << "it was never sent";
  shut.open();
  client.reset();
}

TEST_F(BackendClient, ShowsInSecondsHowLongCallbacksTake) {
  backend server{accept};
  use(server.url());
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(call(1).why.code, ec::none);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
  const auto shown = [this](const char* what) {
    return testing::metric(
      numbers, std::string{"herald_callback_duration_seconds_"} + what + R"({action="connect"})");
  };
  EXPECT_EQ(shown("count"), 1);
  EXPECT_LE(shown("sum"), took.count()) << "it is part of it";
  client.reset();
}

TEST_F(BackendClient, GivesADisconnectTheTimeoutOnceItIsSentHoweverLongItMayWait) {
  gate shut;
  backend server{[&](const httplib::Request& q, httplib::Response& r) {
    shut.pass();
    accept(q, r);
  }};
  backend_client_options options;
  options.timeout_ms = 100ms;
  options.disconnect_queue_time = 1h;
  use(server.url(), options);
  submit(1, callback_action::disconnect);
  ASSERT_TRUE(wait_for(1));
  EXPECT_EQ(count(ec::upstream_timed_out), 1u);
  shut.open();
  client.reset();
}

TEST_F(BackendClient, SaysThatTheBackendIsUnreachable) {
  int port = 0;
  {
    backend gone{accept};
    port = gone.port();
  }
  use("http://127.0.0.1:" + std::to_string(port) + "/callback");
  const auto answer = call(1);
  EXPECT_EQ(answer.why.code, ec::upstream_unavailable);
  EXPECT_EQ(answer.status, 0);
  client.reset();
}

TEST_F(BackendClient, SaysThatTheHostDoesNotExist) {
  use("http://no-such-host.invalid/callback");
  EXPECT_EQ(call(1).why.code, ec::upstream_unavailable);
}

TEST_F(BackendClient, ResolvesNames) {
  backend server{accept};
  use("http://localhost:" + std::to_string(server.port()) + "/callback");
  EXPECT_EQ(call(1).why.code, ec::none);
  client.reset();
}

TEST_F(BackendClient, FindsARestartedBackend) {
  int port = 0;
  {
    backend first{accept, 0, 1};
    port = first.port();
    use(first.url());
    EXPECT_EQ(call(1).why.code, ec::none);
  }
  EXPECT_EQ(call(2).why.code, ec::upstream_unavailable);
  backend second{accept, port};
  ASSERT_EQ(second.port(), port);
  EXPECT_EQ(call(3).why.code, ec::none);
  EXPECT_EQ(second.bodies().size(), 1u);
  client.reset();
}

TEST_F(BackendClient, CallsAgainWhereAKeptConnectionWasClosedUnderIt) {
  testing::scripted_server server{"}}}", {{ok, ""}, {ok}}};
  use(server.url());
  EXPECT_EQ(call(1).why.code, ec::none);
  EXPECT_EQ(call(2).why.code, ec::none);
  EXPECT_EQ(server.requests(), 3);
  EXPECT_NE(
    numbers.render().find("herald_callback_connections_opened_total 2\n"), std::string::npos);
  client.reset();
}

TEST_F(BackendClient, SendsADisconnectAgainWhereAKeptConnectionWasClosedUnderIt) {
  testing::scripted_server server{"}}}", {{ok, ""}, {ok}}};
  use(server.url());
  EXPECT_EQ(call(1).why.code, ec::none);
  submit(1, callback_action::disconnect);
  ASSERT_TRUE(wait_for(2));
  EXPECT_EQ(count(ec::none), 2u);
  EXPECT_EQ(server.requests(), 3);
  client.reset();
}

TEST_F(BackendClient, CallsOnceWhereANewConnectionIsClosed) {
  testing::scripted_server server{"}}}", {{""}}};
  use(server.url());
  EXPECT_EQ(call(1).why.code, ec::upstream_unavailable);
  EXPECT_EQ(server.requests(), 1);
  client.reset();
}

TEST_F(BackendClient, CallsOnceWhereTheAnswerBreaksOff) {
  testing::scripted_server server{"}}}", {{ok, "HTTP/1.1 2"}}};
  use(server.url());
  EXPECT_EQ(call(1).why.code, ec::none);
  EXPECT_EQ(call(2).why.code, ec::upstream_unavailable);
  EXPECT_EQ(server.requests(), 2);
  client.reset();
}

/// A client's connection that a test answers by hand.
class answered_by_hand {
public:
  explicit answered_by_hand(const testing::bare_listener& peer) : fd_(peer.take()) {
    const timeval limit{20, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  /// Whether a request has come.
  bool asked() {
    std::array<char, 4096> bytes{};
    return ::recv(fd_.get(), bytes.data(), bytes.size(), 0) > 0;
  }
  void say(std::string_view bytes) {
    EXPECT_GT(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), 0);
  }

private:
  owned_fd fd_;
};

TEST_F(BackendClient, GoesByTheStatusWithoutWaitingForTheBody) {
  testing::bare_listener peer;
  backend_client_options options;
  options.body_time = patience;
  options.max_in_flight = 2;
  use(peer.url(), options);
  submit(1);
  answered_by_hand first{peer};
  ASSERT_TRUE(first.asked());
  first.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  ASSERT_TRUE(wait_for(1));
  EXPECT_EQ(count(ec::none), 1u);
  EXPECT_EQ(testing::metric(numbers, "herald_callback_in_flight"), 0);
  submit(2);
  answered_by_hand second{peer};
  ASSERT_TRUE(second.asked()) << "the first connection is not free";
  second.say("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n");
  ASSERT_TRUE(wait_for(2));
  EXPECT_EQ(answers.back().status, 403);
  submit(3);
  first.say("{}");
  ASSERT_TRUE(first.asked()) << "now it is";
  first.say(ok);
  ASSERT_TRUE(wait_for(3));
  EXPECT_EQ(answers.back().status, 200);
  client.reset();
}

TEST_F(BackendClient, TellsTheBodyOfA2xxBeforeItsStatusOrWhenItComes) {
  testing::bare_listener peer;
  backend_client_options options;
  options.body_time = patience;
  use(peer.url(), options);
  submit(1);
  answered_by_hand backend{peer};
  ASSERT_TRUE(backend.asked());
  backend.say("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{1}");
  ASSERT_TRUE(wait_for_facts(2));
  submit(2);
  ASSERT_TRUE(backend.asked());
  backend.say("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
  ASSERT_TRUE(wait_for_facts(3));
  backend.say("{2}");
  ASSERT_TRUE(wait_for_facts(4));
  std::size_t facts = 4;
  for (const auto* nothing :
       {"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\n{3}",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"}) {
    submit(3);
    ASSERT_TRUE(backend.asked());
    backend.say(nothing);
    ASSERT_TRUE(wait_for_facts(++facts)) << "the connection is free";
  }
  submit(4);
  ASSERT_TRUE(backend.asked());
  backend.say("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{4}");
  ASSERT_TRUE(wait_for_facts(9));
  EXPECT_EQ(
    order, (std::vector<std::string>{
             "body of 1: {1}", "status of 1", "status of 2", "body of 2: {2}", "status of 3",
             "status of 3", "status of 3", "body of 4: {4}", "status of 4"}));
  client.reset();
}

TEST_F(BackendClient, TellsTheBodyThatHasComeOverTls) {
  const testing::tls_backend server;
  backend_client_options options;
  options.ca_file = server.ca_file();
  use(server.url("/text/%7B%22subject%22:%22ann%22%7D"), options);
  submit(1);
  ASSERT_TRUE(wait_for_facts(2));
  EXPECT_EQ(order, (std::vector<std::string>{"status of 1", R"(body of 1: {"subject":"ann"})"}));
  client.reset();
}

TEST_F(BackendClient, CallsOverTls) {
  const testing::tls_backend server;
  backend_client_options options;
  options.ca_file = server.ca_file();
  use(server.url("/callback?secret=s3"), options);
  EXPECT_EQ(call(1).why.code, ec::none);
  EXPECT_EQ(call(2).why.code, ec::none);
  EXPECT_EQ(server.requests().size(), 2u);
  EXPECT_EQ(testing::metric(numbers, "herald_callback_connections_opened_total"), 1);
  EXPECT_EQ(testing::metric(numbers, "herald_callback_in_flight"), 0);
  client.reset();
}

TEST_F(BackendClient, DoesNotCallABackendWhoseCertificateNobodyVouchesFor) {
  const testing::tls_backend server;
  use(server.url("/callback"));
  EXPECT_EQ(call(1).why.code, ec::upstream_unavailable);
  EXPECT_TRUE(server.requests().empty());
  client.reset();
}

TEST_F(BackendClient, FollowsARedirectWithinTheHostFromAPlainConnectionToTls) {
  const testing::tls_backend server;
  const auto moved = "HTTP/1.1 308 Permanent Redirect\r\nContent-Length: 0\r\nLocation: "
                     + server.url("/callback?secret=s3") + "\r\n\r\n";
  testing::scripted_server plain{"}}", {{moved, moved}}};
  backend_client_options options;
  options.ca_file = server.ca_file();
  use(plain.url(), options);
  for (int i = 0; i < 2; ++i) {
    const auto answer = call(1);
    EXPECT_EQ(answer.why.code, ec::none);
    EXPECT_EQ(answer.status, 200);
  }
  EXPECT_EQ(plain.requests(), 2);
  EXPECT_EQ(server.requests().size(), 2u);
  client.reset();
}

TEST_F(BackendClient, IsRefusedByARedirectToAnotherHost) {
  const std::string away =
    "HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: http://localhost/\r\n\r\n";
  testing::scripted_server plain{"}}", {{away}}};
  use(plain.url());
  const auto answer = call(1);
  EXPECT_EQ(answer.why.code, ec::upstream_refused);
  EXPECT_EQ(answer.status, 307);
  client.reset();
}

TEST_F(BackendClient, LosesNothingInAStorm) {
  constexpr std::size_t many = 4000;
  backend server{accept};
  backend_client_options options;
  options.timeout_ms = 60s;
  use(server.url(), options);
  for (std::uint64_t i = 0; i < many / 2; ++i) {
    submit(i);
    submit(i, callback_action::disconnect);
  }
  ASSERT_TRUE(wait_for(many));
  EXPECT_EQ(count(ec::none), many);
  EXPECT_EQ(server.bodies().size(), many);
  EXPECT_LE(server.clients(), 256u);
  client.reset();
}

TEST_F(BackendClient, EndsWithCallbacksUnderWay) {
  gate shut;
  backend server{[&](const httplib::Request& q, httplib::Response& r) {
    shut.pass();
    accept(q, r);
  }};
  use(server.url());
  submit(1);
  ASSERT_TRUE(shut.wait_for_waiting(1));
  client.reset();
  shut.open();
  EXPECT_TRUE(answers.empty());
}

TEST_F(BackendClient, RefusesAUrlItCannotCallWithoutRepeatingIt) {
  for (const auto* url : {"ftp://backend/?secret=SECRET", "backend/SECRET", ""}) {
    backend_client_options options;
    options.url = url;
    const auto made = backend_client::make(options, numbers);
    ASSERT_FALSE(made);
    const auto why = describe(made.error());
    EXPECT_EQ(why.code, ec::invalid_field);
    EXPECT_EQ(why.field, "callback.url");
    EXPECT_EQ(why.detail.find("SECRET"), std::string::npos);
  }
}

class BackendCaller : public testing::actor_test {
protected:
  backend_answered answer_to(const call_backend& call, std::weak_ptr<backend_client> client) {
    std::promise<backend_answered> promise;
    auto answer = promise.get_future();
    auto command = call;
    // On a thread of its own: the client answers from its loop, and the queue of the deterministic
    // scheduler is for one thread.
    command.listener = own(system().spawn<caf::detached>(
      [&promise](backend_listener_actor::pointer) -> backend_listener_actor::behavior_type {
        return {
          [&promise](const backend_answered& m) { promise.set_value(m); },
          [](const connect_answer_read&) {
          }};
      }));
    tell(own(spawn_backend_caller(system(), {"backend-caller", {}, nullptr}, client)), command);
    if (answer.wait_for(patience) != std::future_status::ready)
      throw std::runtime_error("no answer");
    return answer.get();
  }

  const call_backend call{
    callback_action::connect,
    token::from_bits(1, 2),
    {},
    std::make_shared<const std::string>("{}"),
    {}};
  metrics numbers;
};

TEST_F(BackendCaller, PassesTheAnswerOnToTheListener) {
  backend server{[](const httplib::Request&, httplib::Response& r) {
    r.status = 403;
  }};
  backend_client_options options;
  options.url = server.url();
  auto made = backend_client::make(options, numbers);
  ASSERT_TRUE(made);
  const auto answer = answer_to(call, *made);
  EXPECT_EQ(answer.why.code, ec::upstream_refused);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.stream, call.stream);
  made->reset();
}

TEST_F(BackendCaller, SaysThatTheBackendIsUnreachableOnceTheClientIsGone) {
  const auto answer = answer_to(call, {});
  EXPECT_EQ(answer.why.code, ec::upstream_unavailable);
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.stream, call.stream);
}

} // namespace
} // namespace herald
