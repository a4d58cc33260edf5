#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/child_program.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/shipped_proxy.hpp"
#include "tests/support/temporary_folder.hpp"

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

  /// Starts it on a port that it gives, before this herald and without TLS.
  std::uint16_t start(const herald_process& herald) {
    replace(
      "reverse_proxy 127.0.0.1:8081",
      "reverse_proxy 127.0.0.1:" + std::to_string(herald.stream_port()));
    const auto shipped = text;
    proxy = start_proxy("Caddy", [&](std::uint16_t port) {
      text = shipped;
      replace(
        "events.example.org {",
        "{\n\tadmin off\n}\nhttp://127.0.0.1:" + std::to_string(port) + " {");
      return std::make_unique<child_program>(call("run"), environment());
    });
    return proxy.port;
  }

  temporary_folder folder;
  std::string text;
  shipped_proxy proxy;
};

TEST_F(CaddyAsShipped, IsAFileThatCaddyTakes) {
  const auto checked = run_program(call("validate"), environment());
  EXPECT_EQ(checked.status, exited(0)) << checked.standard_error;
  EXPECT_EQ(checked.standard_error.find("\"warn\""), std::string::npos) << checked.standard_error;
}

TEST_F(CaddyAsShipped, PassesOnEachEventAndTheEndOfAStream) {
  herald_process herald;
  expect_events_through(start(herald), herald);
}

/// EventSource would take the 502 for "never".
TEST_F(CaddyAsShipped, TellsEventSourceToComeBackWhileHeraldIsAway) {
  herald_process herald;
  const auto port = start(herald);
  EXPECT_EQ(herald.terminate(), exited(0));
  expect_to_be_told_to_come_back(port, 502);
}

} // namespace
} // namespace herald
