#include "http/service/gateway_standin.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <gtest/gtest.h>
#include <httplib.h>

#include "http/server/ask.hpp"

namespace herald {
namespace {

using strings = std::vector<std::string>;

/// Lines that threads note and a test waits for.
class notes {
public:
  void add(std::string line) {
    const std::lock_guard lock{mutex_};
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }

  strings first(std::size_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return lines_.size() >= count; });
    return lines_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  strings lines_;
};

/// The whole way from a stream to a real backend and back.
class GatewayStandin : public ::testing::Test {
protected:
  GatewayStandin() : system_(config_) {
    backend_.Post("/cb", [this](const httplib::Request& request, httplib::Response& response) {
      called.add(request.body.substr(0, request.body.find(",\"token\"")));
      response.status = status;
    });
    const auto port = backend_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread{[this] {
      backend_.listen_after_bind();
    }};
    callback_client_options options;
    options.url = "http://127.0.0.1:" + std::to_string(port) + "/cb";
    auto made =
      make_gateway_standin(system_, {"gateway-front", {}, &numbers}, options, {}, numbers);
    EXPECT_TRUE(made);
    standin = std::move(*made);
    transport = system_.spawn([this](delivery_actor::pointer) -> delivery_actor::behavior_type {
      return {
        [this](const attach_stream&) { wire.add("attach"); },
        [this](const refuse_stream& m) { wire.add("refuse " + std::to_string(m.upstream_status)); },
        [this](const close_stream&) { wire.add("close"); },
        [this](const deliver& m) { wire.add(m.batch->front().what->data); },
      };
    });
  }

  ~GatewayStandin() override {
    caf::anon_send_exit(standin.front, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(standin.caller, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(transport, caf::exit_reason::user_shutdown);
    standin.client.reset();
    // Not before it runs, or it would run for ever.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!backend_.is_running() && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    backend_.stop();
    thread_.join();
  }

  void client_comes() {
    open_connection request;
    request.stream = stream;
    request.url = "/s";
    request.via = transport;
    caf::anon_send(standin.front, request);
  }

  caf::expected<send_status> send(const char* data, bool close = false) {
    const stream_owner_actor owner = standin.front;
    return ask<send_status>(
      system_, owner, send_to_stream{stream, send_to_stream::message{"e", data}, close});
  }

  const token stream = token::from_bits(1, 2);
  std::atomic<int> status{200};
  metrics numbers;
  notes called;
  notes wire;
  gateway_standin standin;
  delivery_actor transport;

private:
  httplib::Server backend_;
  std::thread thread_;
  caf::actor_system_config config_;
  caf::actor_system system_;
};

TEST_F(GatewayStandin, TakesAStreamThroughItsLife) {
  client_comes();
  ASSERT_EQ(wire.first(1), strings{"attach"});
  EXPECT_EQ(send("x", true), send_status::sent);
  ASSERT_EQ(wire.first(3), (strings{"attach", "x", "close"}));
  caf::anon_send(standin.front, stream_closed{stream, end_reason::server_closed});
  EXPECT_EQ(
    called.first(2),
    (strings{R"({"action":"connect")", R"({"action":"disconnect","reason":"server_closed")"}));
  EXPECT_FALSE(send("y"));
}

TEST_F(GatewayStandin, PassesARefusalOn) {
  status = 403;
  client_comes();
  EXPECT_EQ(wire.first(1), strings{"refuse 403"});
}

TEST_F(GatewayStandin, SaysThatTheBackendIsUnreachableOnceTheClientIsGone) {
  standin.client.reset();
  client_comes();
  EXPECT_EQ(wire.first(1), strings{"refuse 0"});
}

} // namespace
} // namespace herald
