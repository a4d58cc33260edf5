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

  /// Starts it on a port that it gives, before this herald and without TLS. Somebody may take a
  /// free port before HAProxy does.
  std::uint16_t start(const herald_process& herald) {
    const auto bind = text.find("    bind ");
    text.replace(bind, text.find('\n', bind) - bind, "    bind 127.0.0.1:PORT");
    replace("127.0.0.1:8081", "127.0.0.1:" + std::to_string(herald.stream_port()));
    const auto shipped = text;
    for (int attempt = 0; attempt < 4; ++attempt) {
      const auto port = free_port();
      text = shipped;
      replace("PORT", std::to_string(port));
      program = std::make_unique<child_program>(
        std::vector<std::string>{"haproxy", "-db", "-f", folder.write("haproxy.cfg", text)});
      const auto listening = [&] {
        return !program->running() || raw_client{port}.connected();
      };
      if (eventually(listening) && program->running())
        return port;
    }
    ADD_FAILURE() << "HAProxy has not started: " << program->standard_error();
    return 0;
  }

  temporary_folder folder;
  std::string text;
  std::unique_ptr<child_program> program;
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
  http_client api{herald.api_port()};
  sse_client stream{start(herald), stream_target("page")};
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(stream.header("content-type"), "text/event-stream");
  ASSERT_TRUE(stream.wait_for_cursor());
  for (int i = 0; i < 20; ++i) {
    const auto data = std::to_string(i);
    ASSERT_EQ(api.post("/api/events", R"({"event":"n","data":)" + data + "}").status, 202);
    ASSERT_EQ(stream.next("n").value_or(sse_event{}).data, data);
  }
  EXPECT_EQ(herald.terminate(), exited(0));
  EXPECT_TRUE(stream.wait_for_end() && stream.complete());
}

/// EventSource would take the 503 for "never".
TEST_F(HaproxyAsShipped, TellsEventSourceToComeBackWhileHeraldIsAway) {
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
  ASSERT_TRUE(told.body.starts_with("retry: ")) << told.body;
  const auto retry = std::stoi(told.body.substr(7));
  EXPECT_GE(retry, 3000);
  EXPECT_LE(retry, 9000);

  // A browser hides `*` from a page that sends credentials, and its EventSource gives up.
  const auto with_credentials = ask(page + "Origin: https://app.example\r\n");
  EXPECT_EQ(with_credentials.header("access-control-allow-origin"), "https://app.example");
  EXPECT_EQ(with_credentials.header("access-control-allow-credentials"), "true");

  EXPECT_EQ(ask({}).status, 503) << "others learn what it is";
}

TEST_F(HaproxyAsShipped, ServesNothingElseOfHerald) {
  herald_process herald;
  http_client client{start(herald)};
  EXPECT_EQ(client.send("GET", "/healthz", {}, {}).status, 404);
}

} // namespace
} // namespace herald
