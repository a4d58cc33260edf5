#include <csignal>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/child_program.hpp"
#include "tests/support/herald_process.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/nginx_server.hpp"
#include "tests/support/sse_client.hpp"

namespace herald {
namespace {

using namespace testing;

/// A server of nginx's that passes everything on to herald's streams, with these lines more.
auto passing_on(const herald_process& herald, const std::string& more) {
  return [to = std::to_string(herald.stream_port()), more](const std::string& port) {
    return "server { listen 127.0.0.1:" + port + "; location / { proxy_pass http://127.0.0.1:" + to
           + "; " + more + " } }";
  };
}

class Nginx : public ::testing::TestWithParam<const char*> {
protected:
  void SetUp() override {
    if (!has_program("nginx"))
      GTEST_SKIP() << "nginx is not installed";
  }
};

/// Each event is awaited before the next is sent: one that is held back ends the test.
void expect_no_event_is_held_back(http_client& api, sse_client& stream) {
  for (int i = 0; i < 20; ++i) {
    const auto data = std::to_string(i);
    ASSERT_EQ(api.post("/api/events", R"({"event":"n","data":)" + data + "}").status, 202);
    ASSERT_EQ(stream.next("n").value_or(sse_event{}).data, data);
  }
}

TEST_P(Nginx, HoldsNoEventBack) {
  herald_process herald;
  http_client api{herald.api_port()};
  const auto [nginx, port] = nginx_on_a_free_port(passing_on(herald, GetParam()));
  sse_client stream{port, stream_target("page")};
  ASSERT_TRUE(stream.open());
  EXPECT_EQ(stream.header("content-type"), "text/event-stream");
  EXPECT_TRUE(stream.wait_for_cursor());
  expect_no_event_is_held_back(api, stream);

  stream.close();
  EXPECT_TRUE(eventually([&] { return json_of(api.get("/api/connections"))["total"] == 0; }))
    << "a browser that leaves leaves herald, too";
}

TEST_P(Nginx, PassesOnTheEndOfAStreamAndRefusals) {
  herald_process herald;
  const auto [nginx, port] = nginx_on_a_free_port(passing_on(herald, GetParam()));
  sse_client refused{port, stream_target("a:b")};
  EXPECT_FALSE(refused.open());
  EXPECT_EQ(refused.status(), 400);
  sse_client stream{port, stream_target("page")};
  ASSERT_TRUE(stream.open());
  herald.signal(SIGTERM);
  EXPECT_TRUE(stream.wait_for_end());
  EXPECT_EQ(herald.wait(), exited(0));
}

// What nginx does unless told otherwise: HTTP/1.0 to herald, and buffers.
constexpr const char* as_it_comes = "";
constexpr const char* with_http_1_1 = R"(proxy_http_version 1.1; proxy_set_header Connection "";)";

INSTANTIATE_TEST_SUITE_P(
  Upstream, Nginx, ::testing::Values(as_it_comes, with_http_1_1),
  [](const auto& upstream) { return upstream.index == 0 ? "Http10" : "Http11"; });

/// The site of deploy/nginx, on sockets of the test's own.
std::string shipped_site(const temporary_folder& folder, std::uint16_t stream_port) {
  auto site = text_of(std::filesystem::path{HERALD_SOURCE_DIR} / "deploy/nginx/herald.conf");
  const auto replace = [&site](const std::string& what, const std::string& with) {
    const auto at = site.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    site.replace(at, what.size(), with);
  };
  replace("listen 80;", "listen unix:" + (folder / "80").string() + ";");
  replace("listen [::]:80;", "");
  replace("listen 443", "listen unix:" + (folder / "443").string());
  replace("listen [::]:443 ssl http2;", "");
  replace("/etc/nginx/tls/events.example.org.crt", (folder / "certificate.pem").string());
  replace("/etc/nginx/tls/events.example.org.key", (folder / "key.pem").string());
  replace("127.0.0.1:8081", "127.0.0.1:" + std::to_string(stream_port));
  replace("/var/log/nginx/herald.log", (folder / "access.log").string());
  return site;
}

/// The site that is shipped, which wants a certificate and a client that speaks HTTP/2.
class NginxAsShipped : public ::testing::Test {
protected:
  void SetUp() override {
    for (const auto* program : {"nginx", "openssl", "curl"})
      if (!has_program(program))
        GTEST_SKIP() << program << " is not installed";
    const auto certificate = run_program(
      {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
       "-nodes", "-days", "1", "-subj", "/CN=events.example.org", "-keyout",
       (folder / "key.pem").string(), "-out", (folder / "certificate.pem").string()});
    ASSERT_EQ(certificate.status, exited(0)) << certificate.standard_error;
  }

  /// curl that asks for a stream, with these arguments more.
  std::vector<std::string> curl_command(const std::vector<std::string>& more = {}) {
    std::vector<std::string> command{
      "curl",
      "--silent",
      "--include",
      "--no-buffer",
      "--http2",
      "--cacert",
      (folder / "certificate.pem").string(),
      "--unix-socket",
      (folder / "443").string(),
      "https://events.example.org" + stream_target("page")};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }

  temporary_folder folder;
};

TEST_F(NginxAsShipped, HoldsNoEventBack) {
  herald_process herald;
  http_client api{herald.api_port()};
  const nginx_server nginx{shipped_site(folder, herald.stream_port())};
  const child_program curl{curl_command()};
  const auto shows = [&](const std::string& text) {
    return eventually([&] { return curl.standard_output().find(text) != std::string::npos; });
  };
  ASSERT_TRUE(shows("\nid: ")) << curl.standard_output() << curl.standard_error();
  EXPECT_TRUE(curl.standard_output().starts_with("HTTP/2 200"));
  for (int i = 0; i < 5; ++i) {
    const auto data = std::to_string(i);
    ASSERT_EQ(api.post("/api/events", R"({"event":"n","data":)" + data + "}").status, 202);
    ASSERT_TRUE(shows("data: " + data + "\n"));
  }
}

/// A request_id is the right to a page's events.
TEST_F(NginxAsShipped, LogsNoQuery) {
  herald_process herald;
  const nginx_server nginx{shipped_site(folder, herald.stream_port())};
  (void)run_program(curl_command({"--request", "OPTIONS"}));
  const auto log = [&] {
    return text_of(folder / "access.log");
  };
  ASSERT_TRUE(eventually(
    [&] { return log().find("\"OPTIONS /api/sse/stream HTTP/2.0\"") != std::string::npos; }))
    << log();
  EXPECT_EQ(log().find("request_id"), std::string::npos) << log();
}

/// EventSource would take the 502 for "never", and not come back to the herald that is started
/// next.
TEST_F(NginxAsShipped, TellsEventSourceToComeBackWhileHeraldIsAway) {
  herald_process herald;
  const nginx_server nginx{shipped_site(folder, herald.stream_port())};
  herald.signal(SIGTERM);
  ASSERT_EQ(herald.wait(), exited(0));
  const auto page = run_program(curl_command({"--header", "Accept: text/event-stream"}));
  EXPECT_EQ(page.status, exited(0));
  const auto& got = page.standard_output;
  EXPECT_TRUE(got.starts_with("HTTP/2 200")) << got;
  EXPECT_NE(got.find("\r\ncontent-type: text/event-stream\r\n"), std::string::npos) << got;
  EXPECT_NE(got.find("\r\naccess-control-allow-origin: *\r\n"), std::string::npos) << got;
  const auto body = got.find("\r\n\r\nretry: ");
  ASSERT_NE(body, std::string::npos) << got;
  const auto retry = std::stoi(got.substr(body + 11));
  EXPECT_GE(retry, 3000);
  EXPECT_LE(retry, 9000);
  EXPECT_NE(got.find("\n: ", body), std::string::npos) << got;

  // A browser hides `*` from a page that sends credentials, and its EventSource gives up.
  const auto with_credentials = run_program(curl_command(
                                              {"--header", "Accept: text/event-stream", "--header",
                                               "Origin: https://app.example"}))
                                  .standard_output;
  EXPECT_NE(
    with_credentials.find("\r\naccess-control-allow-origin: https://app.example\r\n"),
    std::string::npos)
    << with_credentials;
  EXPECT_NE(
    with_credentials.find("\r\naccess-control-allow-credentials: true\r\n"), std::string::npos)
    << with_credentials;

  const auto other = run_program(curl_command()).standard_output;
  EXPECT_TRUE(other.starts_with("HTTP/2 502")) << other;
}

} // namespace
} // namespace herald
