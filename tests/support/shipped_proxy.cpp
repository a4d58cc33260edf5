#include "tests/support/shipped_proxy.hpp"

#include <gtest/gtest.h>

#include "tests/support/eventually.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/sse_client.hpp"

namespace herald::testing {

shipped_proxy start_proxy(
  const std::string& name,
  const std::function<std::unique_ptr<child_program>(std::uint16_t port)>& start) {
  shipped_proxy proxy;
  for (int attempt = 0; attempt < 4; ++attempt) {
    proxy.port = free_port();
    proxy.program = start(proxy.port);
    const auto listening = [&] {
      return !proxy.program->running() || raw_client{proxy.port}.connected();
    };
    if (eventually(listening) && proxy.program->running())
      return proxy;
  }
  ADD_FAILURE() << name << " has not started: " << proxy.program->standard_error();
  return proxy;
}

void expect_events_through(std::uint16_t proxy, herald_process& herald) {
  http_client api{herald.api_port()};
  sse_client stream{proxy, stream_target("page")};
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(stream.header("content-type"), "text/event-stream");
  ASSERT_TRUE(stream.wait_for_cursor());
  // Each is awaited before the next is sent.
  for (int i = 0; i < 20; ++i) {
    const auto data = std::to_string(i);
    ASSERT_EQ(api.post("/api/events", R"({"event":"n","data":)" + data + "}").status, 202);
    ASSERT_EQ(stream.next("n").value_or(sse_event{}).data, data);
  }
  EXPECT_EQ(herald.terminate(), exited(0));
  EXPECT_TRUE(stream.wait_for_end() && stream.complete());
}

void expect_to_be_told_to_come_back(std::uint16_t proxy, int status) {
  http_client client{proxy};
  const auto ask = [&](const std::string& headers) {
    return client.send("GET", stream_target("page"), {}, headers);
  };
  const std::string page = "Accept: text/event-stream\r\n";
  const auto told = ask(page);
  EXPECT_EQ(told.status, 200);
  EXPECT_EQ(told.header("content-type"), "text/event-stream");
  EXPECT_EQ(told.header("access-control-allow-origin"), "*");
  EXPECT_EQ(told.header("access-control-allow-credentials"), "");
  ASSERT_TRUE(told.body.starts_with("retry: ")) << told.body;
  EXPECT_NE(told.body.find("\n: "), std::string::npos) << told.body;
  const auto retry = std::stoi(told.body.substr(7));
  EXPECT_GE(retry, 3000);
  EXPECT_LE(retry, 9000);

  // A browser hides `*` from a page that sends credentials, and its EventSource gives up.
  const auto with_credentials = ask(page + "Origin: https://app.example\r\n");
  EXPECT_EQ(with_credentials.header("access-control-allow-origin"), "https://app.example");
  EXPECT_EQ(with_credentials.header("access-control-allow-credentials"), "true");

  EXPECT_EQ(ask({}).status, status) << "others learn what it is";
}

} // namespace herald::testing
