#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/child_program.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;

/// A real Caddy with the file of deploy/caddy.
class CaddyAsShipped : public ::testing::Test {
protected:
  void SetUp() override {
    if (!has_program("caddy"))
      GTEST_SKIP() << "caddy is not installed";
    text = text_of(std::filesystem::path{HERALD_SOURCE_DIR} / "deploy/caddy/Caddyfile");
  }

  void replace(const std::string& what, const std::string& with) {
    const auto at = text.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), with);
  }

  /// A call of Caddy's with the file as it is by now, for a Caddy that keeps its own files here.
  std::vector<std::string> call(const std::string& command) {
    const auto file = folder.write("Caddyfile", text);
    return {"caddy", command, "--adapter", "caddyfile", "--config", file};
  }
  [[nodiscard]] std::vector<std::string> environment() const {
    const auto home = folder.path().string();
    return {"HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_DATA_HOME=" + home};
  }

  /// Starts it on a port that it gives, before this herald and without TLS. Somebody may take a
  /// free port before Caddy does.
  std::uint16_t start(const herald_process& herald) {
    replace(
      "reverse_proxy 127.0.0.1:8081",
      "reverse_proxy 127.0.0.1:" + std::to_string(herald.stream_port()));
    const auto shipped = text;
    for (int attempt = 0; attempt < 4; ++attempt) {
      const auto port = free_port();
      text = shipped;
      replace(
        "events.example.org {",
        "{\n\tadmin off\n}\nhttp://127.0.0.1:" + std::to_string(port) + " {");
      program = std::make_unique<child_program>(call("run"), environment());
      const auto listening = [&] {
        return !program->running() || raw_client{port}.connected();
      };
      if (eventually(listening) && program->running())
        return port;
    }
    ADD_FAILURE() << "Caddy has not started: " << program->standard_error();
    return 0;
  }

  temporary_folder folder;
  std::string text;
  std::unique_ptr<child_program> program;
};

TEST_F(CaddyAsShipped, IsAFileThatCaddyTakes) {
  const auto checked = run_program(call("validate"), environment());
  EXPECT_EQ(checked.status, exited(0)) << checked.standard_error;
  EXPECT_EQ(checked.standard_error.find("\"warn\""), std::string::npos) << checked.standard_error;
}

TEST_F(CaddyAsShipped, PassesOnEachEventAndTheEndOfAStream) {
  herald_process herald;
  http_client api{herald.api_port()};
  sse_client stream{start(herald), stream_target("page")};
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

/// EventSource would take the 502 for "never".
TEST_F(CaddyAsShipped, TellsEventSourceToComeBackWhileHeraldIsAway) {
  herald_process herald;
  const auto port = start(herald);
  EXPECT_EQ(herald.terminate(), exited(0));
  http_client client{port};
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

  EXPECT_EQ(ask({}).status, 502) << "others learn what it is";
}

TEST_F(CaddyAsShipped, ServesNothingElseOfHerald) {
  herald_process herald;
  http_client client{start(herald)};
  EXPECT_EQ(client.send("GET", "/healthz", {}, {}).status, 404);
}

} // namespace
} // namespace herald
