#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/child_program.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/shipped_proxy.hpp"
#include "tests/support/temporary_folder.hpp"

namespace herald {
namespace {

using namespace testing;

/// A real HAProxy with the file of deploy/haproxy.
class HaproxyAsShipped : public ::testing::Test {
protected:
  void SetUp() override {
    for (const auto* program : {"haproxy", "openssl"})
      if (!has_program(program))
        GTEST_SKIP() << program << " is not installed";
    const auto made = run_program(
      {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
       "-nodes", "-days", "1", "-subj", "/CN=events.example.org", "-keyout",
       (folder / "key.pem").string(), "-out", (folder / "certificate.pem").string()});
    ASSERT_EQ(made.status, exited(0)) << made.standard_error;
    text = text_of(std::filesystem::path{HERALD_SOURCE_DIR} / "deploy/haproxy/haproxy.cfg");
    const auto both = text_of(folder / "certificate.pem") + text_of(folder / "key.pem");
    replace("/etc/haproxy/tls/events.example.org.pem", folder.write("both.pem", both));
  }

  void replace(const std::string& what, const std::string& with) {
    auto at = text.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    for (; at != std::string::npos; at = text.find(what, at + with.size()))
      text.replace(at, what.size(), with);
  }

  /// Starts it on a port that it gives, before this herald and without TLS.
  std::uint16_t start(const herald_process& herald) {
    const auto bind = text.find("    bind ");
    text.replace(bind, text.find('\n', bind) - bind, "    bind 127.0.0.1:PORT");
    replace("127.0.0.1:8081", "127.0.0.1:" + std::to_string(herald.stream_port()));
    const auto shipped = text;
    proxy = start_proxy("HAProxy", [&](std::uint16_t port) {
      text = shipped;
      replace("PORT", std::to_string(port));
      return std::make_unique<child_program>(
        std::vector<std::string>{"haproxy", "-db", "-f", folder.write("haproxy.cfg", text)});
    });
    return proxy.port;
  }

  temporary_folder folder;
  std::string text;
  shipped_proxy proxy;
};

TEST_F(HaproxyAsShipped, IsAFileThatHaproxyTakes) {
  const auto checked = run_program({"haproxy", "-c", "-f", folder.write("haproxy.cfg", text)});
  EXPECT_EQ(checked.status, exited(0)) << checked.standard_output << checked.standard_error;
  EXPECT_EQ(checked.standard_error.find("WARNING"), std::string::npos) << checked.standard_error;
  EXPECT_NE(text.find("\n    option http-no-delay\n"), std::string::npos)
    << "each event waits for 200 ms";
}

TEST_F(HaproxyAsShipped, PassesOnEachEventAndTheEndOfAStream) {
  herald_process herald;
  expect_events_through(start(herald), herald);
}

/// EventSource would take the 503 for "never".
TEST_F(HaproxyAsShipped, TellsEventSourceToComeBackWhileHeraldIsAway) {
  herald_process herald;
  const auto port = start(herald);
  EXPECT_EQ(herald.terminate(), exited(0));
  expect_to_be_told_to_come_back(port, 503);
}

TEST_F(HaproxyAsShipped, ServesNothingElseOfHerald) {
  herald_process herald;
  http_client client{start(herald)};
  EXPECT_EQ(client.send("GET", "/healthz", {}, {}).status, 404);
}

} // namespace
} // namespace herald
