#include "http/tokens/document_fetch.hpp"

#include <cstdlib>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "actors/system/owned_fd.hpp"
#include "messages/errors.hpp"
#include "tests/support/bare_listener.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/loopback_server.hpp"
#include "tests/support/tls_backend.hpp"

namespace herald {
namespace {

using namespace std::chrono_literals;

struct outcome {
  ec code = ec::none;
  std::string text;
};

outcome get(const std::string& url, document_fetch_options options = {}) {
  options.url = parse_http_url(url).value();
  document_fetch fetch{options};
  const auto got = fetch.get();
  if (got)
    return {ec::none, *got};
  const auto why = describe(got.error());
  return {why.code, why.detail};
}

class DocumentFetch : public ::testing::Test {
protected:
  DocumentFetch() {
    server.Get("/document", [](const httplib::Request&, httplib::Response& reply) {
      reply.set_content("a document", "text/plain");
    });
    server.Get("/status/(\\d+)", [](const httplib::Request& request, httplib::Response& reply) {
      reply.status = std::stoi(request.matches[1]);
      reply.set_content("no document", "text/plain");
    });
    server.Get("/large", [](const httplib::Request&, httplib::Response& reply) {
      reply.set_content(std::string(10'000'000, 'x'), "text/plain");
    });
    server.Get("/large/chunks", [](const httplib::Request&, httplib::Response& reply) {
      reply.set_chunked_content_provider(
        "text/plain", [](std::size_t offset, httplib::DataSink& sink) {
          const std::string part(10'000, 'x');
          sink.write(part.data(), part.size());
          if (offset > 10'000'000)
            sink.done();
          return true;
        });
    });
    server.Get("/go", [](const httplib::Request& request, httplib::Response& reply) {
      reply.set_redirect(request.get_param_value("to"));
    });
    server.start();
  }

  testing::loopback_server server;
};

TEST_F(DocumentFetch, GivesTheDocument) {
  const auto got = get(server.url("/document"));
  EXPECT_EQ(got.code, ec::none) << got.text;
  EXPECT_EQ(got.text, "a document");
}

TEST_F(DocumentFetch, TakesNoStatusBut200) {
  for (const auto* status : {"204", "206", "304", "404", "500", "503"}) {
    const auto got = get(server.url(std::string{"/status/"} + status));
    EXPECT_EQ(got.code, ec::upstream_refused);
    EXPECT_EQ(got.text, std::string{"the answer was "} + status);
  }
}

TEST_F(DocumentFetch, TakesNoDocumentThatIsTooLarge) {
  for (const auto* path : {"/large", "/large/chunks"}) {
    const auto got = get(server.url(path));
    EXPECT_EQ(got.code, ec::upstream_refused) << got.text;
    EXPECT_EQ(got.text, "the document is larger than 262144 bytes") << path;
  }
  document_fetch_options options;
  options.max_bytes = 10;
  EXPECT_EQ(get(server.url("/document"), options).code, ec::none);
  options.max_bytes = 9;
  EXPECT_EQ(get(server.url("/document"), options).code, ec::upstream_refused);
}

TEST_F(DocumentFetch, FollowsRedirectsWithinTheHost) {
  EXPECT_EQ(get(server.url("/go?to=/document")).text, "a document");
  EXPECT_EQ(get(server.url("/go?to=" + server.url("/document"))).text, "a document");
  document_fetch_options options;
  options.max_redirects = 0;
  EXPECT_EQ(get(server.url("/go?to=/document"), options).text, "it redirects too often");
  EXPECT_EQ(get(server.url("/go?to=/go?to=/go")).code, ec::upstream_refused);
}

TEST_F(DocumentFetch, FollowsNoRedirectElsewhere) {
  // A link-local address has the credentials of many a cloud's machines.
  for (const auto* to :
       {"http://169.254.169.254/latest/meta-data/", "//169.254.169.254/", "http://localhost/",
        "http://%5bfe80::1%5d/", "https://stranger.example/keys", "file:///etc/passwd",
        "gopher://127.0.0.1/", "http://user@127.0.0.1/document"}) {
    const auto got = get(server.url(std::string{"/go?to="} + to));
    EXPECT_EQ(got.code, ec::upstream_refused) << to;
    EXPECT_EQ(got.text, "it redirects to elsewhere") << to;
  }
}

TEST_F(DocumentFetch, GoesByNoProxyOfItsEnvironment) {
  for (const auto* name : {"http_proxy", "all_proxy"})
    ::setenv(name, "http://127.0.0.1:1", 1);
  const auto got = get(server.url("/document"));
  for (const auto* name : {"http_proxy", "all_proxy"})
    ::unsetenv(name);
  EXPECT_EQ(got.text, "a document");
}

TEST_F(DocumentFetch, IsGivenUpInTime) {
  const testing::bare_listener silent;
  document_fetch_options options;
  options.timeout = 50ms;
  const auto got = get(silent.url() + "/document", options);
  EXPECT_EQ(got.code, ec::upstream_timed_out);
}

TEST_F(DocumentFetch, TakesNoHeadWithoutEnd) {
  const testing::bare_listener listener;
  std::thread server{[&] {
    const owned_fd client{listener.take()};
    const std::string begin = "HTTP/1.1 200 OK\r\n";
    const auto line = "X: " + std::string(1000, 'x') + "\r\n";
    auto sent = ::send(client.get(), begin.data(), begin.size(), MSG_NOSIGNAL);
    while (sent > 0)
      sent = ::send(client.get(), line.data(), line.size(), MSG_NOSIGNAL);
  }};
  const auto got = get(listener.url() + "/document");
  server.join();
  EXPECT_EQ(got.code, ec::upstream_refused);
  EXPECT_EQ(got.text, "the head is larger than 65536 bytes");
}

TEST_F(DocumentFetch, SaysThatNobodyIsThere) {
  testing::bare_listener gone;
  const auto url = gone.url() + "/document";
  gone.close();
  EXPECT_EQ(get(url).code, ec::upstream_unavailable);
}

TEST_F(DocumentFetch, EndsAtOnceWhereItIsCancelled) {
  const testing::bare_listener silent;
  document_fetch_options options;
  options.url = *parse_http_url(silent.url() + "/document");
  options.timeout = 10min;
  document_fetch fetch{options};
  std::thread other{[&] {
    const owned_fd client{silent.take()};
    fetch.cancel();
  }};
  const auto got = fetch.get();
  other.join();
  ASSERT_FALSE(got.engaged());
  EXPECT_EQ(describe(got.error()).code, ec::upstream_unavailable);
  EXPECT_FALSE(fetch.get().engaged());
}

TEST(DocumentFetchTls, TrustsWhomItIsToldTo) {
  const testing::tls_backend server;
  document_fetch_options options;
  options.ca_file = server.ca_file();
  EXPECT_EQ(get(server.url("/text/a%20document"), options).text, "a document");
  EXPECT_EQ(get(server.url("/redirect/302//text/x"), options).text, "x");
  // To a plain connection, and to another name.
  EXPECT_EQ(
    get(server.url("/redirect/302/http://@HOST/text/x"), options).text,
    "it redirects to elsewhere");
  EXPECT_EQ(
    get(server.url("/redirect/302/https://localhost/text/x"), options).text,
    "it redirects to elsewhere");
  const auto before = server.requests().size();
  EXPECT_EQ(get(server.url("/text/x", "localhost"), options).code, ec::upstream_unavailable);
  const auto untrusted = get(server.url("/text/x"));
  EXPECT_EQ(untrusted.code, ec::upstream_unavailable);
  EXPECT_NE(untrusted.text.find("certificate"), std::string::npos) << untrusted.text;
  EXPECT_EQ(server.requests().size(), before);
}

} // namespace
} // namespace herald
